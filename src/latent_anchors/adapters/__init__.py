"""Train inside other people's loops: Hugging Face's Trainer, accelerate, Lightning, PEFT.

Each adapter is thin, and imports its framework when it is used for the first time. A framework that
is missing is installed with the extra of the same name, such as
``pip install latent-anchors[transformers]``.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from latent_anchors._checks import unknown

if TYPE_CHECKING:
    from latent_anchors.adapters._anchored_trainer import AnchoredTrainer as AnchoredTrainer
    from latent_anchors.adapters._anchoring_callback import AnchoringCallback as AnchoringCallback
    from latent_anchors.adapters._label_collator import LabelCollator as LabelCollator
    from latent_anchors.adapters._rare_label_collator import RareLabelCollator as RareLabelCollator
    from latent_anchors.adapters._with_accelerate import PreparedTimelineLR as PreparedTimelineLR
    from latent_anchors.adapters._with_accelerate import micro_batches as micro_batches

FILES = {
    "AnchoredTrainer": ("_anchored_trainer", "transformers"),
    "AnchoringCallback": ("_anchoring_callback", "lightning"),
    "LabelCollator": ("_label_collator", "transformers"),
    "RareLabelCollator": ("_rare_label_collator", "transformers"),
    "PreparedTimelineLR": ("_with_accelerate", "accelerate"),
    "micro_batches": ("_with_accelerate", "accelerate"),
}
"""Where each name is, and the extra that it needs."""

__all__ = [
    "AnchoredTrainer",
    "AnchoringCallback",
    "LabelCollator",
    "PreparedTimelineLR",
    "RareLabelCollator",
    "micro_batches",
]


def __getattr__(name: str) -> object:
    """A name on first use, so that none of the frameworks is loaded for another one's sake."""
    if name not in FILES:
        raise AttributeError(unknown("name in latent_anchors.adapters", name, __all__))
    file, extra = FILES[name]
    try:
        return getattr(import_module(f"{__name__}.{file}"), name)
    except ImportError as error:
        raise ImportError(
            f"adapters.{name} needs the package {extra!r}, which could not be imported: {error}; "
            f"expected it to be installed. Type: pip install latent-anchors[{extra}]"
        ) from error
