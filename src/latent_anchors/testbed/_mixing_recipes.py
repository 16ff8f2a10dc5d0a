"""Recipes that the transformer examples share: sizes, sampler, training, and an edit."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from latent_anchors.data import LabelDraw, Sampler
from latent_anchors.interventions import BoundedFalloff, Redirection
from latent_anchors.models import NormalizedTransformer
from latent_anchors.testbed._mixing._answers import PROMPT
from latent_anchors.testbed._mixing._language import MixingLanguage


@dataclass(frozen=True)
class MixingSize:
    """Size of a language of mixtures and of the transformer that learns it.

    Attributes:
        levels: Levels of each color channel.
        batch_size: Lines per batch.
        width: Of the residual stream.
        depth: Number of blocks.
        heads: Attention heads per block.
        hidden: Width inside the blocks' MLPs.

    Examples:
        >>> MixingSize.of(full=True).levels, MixingSize.of(full=False).width
        (7, 32)
    """

    levels: int = 5
    batch_size: int = 128
    width: int = 32
    depth: int = 2
    heads: int = 4
    hidden: int = 128

    @classmethod
    def of(cls, full: bool) -> "MixingSize":
        """The full size, or that of a sketch which trains in less than a minute.

        Args:
            full: Whether it is the full one.

        Examples:
            >>> MixingSize.of(full=True).depth
            4
        """
        return cls(7, 256, 64, 4, 8, 256) if full else cls()

    def network(
        self, language: MixingLanguage, kind: Callable[..., nn.Module] = NormalizedTransformer
    ) -> Callable[[], nn.Module]:
        """What makes transformers of this size for a language.

        Args:
            language: Sets the number of tokens.
            kind: The class of the transformer.

        Examples:
            >>> make_model = MixingSize().network(MixingLanguage(levels=3))
            >>> len(make_model().sites)
            3
        """
        return partial(
            kind, len(language.vocabulary), self.width, self.depth, self.heads, self.hidden
        )


def mixing_sampler(
    lines: Int[Tensor, "lines 6"], labels: Mapping[str, LabelDraw], batch_size: int
) -> Sampler:
    """Lines ``a + b = c`` with labels, and masks for the prompt and for the two signs.

    Args:
        lines: Tokens, ``(lines, 6)``.
        labels: What is drawn for each line, by name.
        batch_size: Lines per batch.

    Examples:
        >>> language = MixingLanguage(levels=3)
        >>> sampler = mixing_sampler(language.lines(language.pairs()), {}, batch_size=2)
        >>> sampler.batch(seed=0, step=0).extras["signs"][0]
        tensor([False,  True, False,  True, False, False])
    """
    position = torch.arange(lines.shape[1]).expand_as(lines)
    extras = {
        "prompt": position < PROMPT,
        "signs": (position == 1) | (position == 3),
        "equals": position == 3,
    }
    return Sampler(lines, labels, batch_size, extras=extras)


def away_from(axis: Float[Tensor, " dim"], degrees: int | float) -> Redirection:
    """An edit that sends what lies near an axis to the axis's other pole.

    Args:
        axis: ``(dim,)``.
        degrees: Angle from the axis within which it acts.

    Examples:
        >>> away_from(torch.eye(2)[0], degrees=60)(torch.eye(2))
        tensor([[-1.,  0.],
                [ 0.,  1.]])
    """
    falloff = BoundedFalloff(threshold=math.cos(math.radians(degrees)))
    return Redirection(axis, target=-axis, falloff=falloff)


def transformer_options(make_model: Callable[[], nn.Module], fused: bool = True) -> dict[str, Any]:
    """How the transformers of the examples are trained, as arguments of :func:`latent_anchors.fit`.

    AdamW without weight decay, the model's own constraint on its weights, and the GPU if there is
    one.

    Args:
        make_model: Makes the transformer.
        fused: Whether AdamW is the fused one, which is faster and rounds differently.

    Examples:
        >>> options = transformer_options(MixingSize().network(MixingLanguage(levels=3)))
        >>> sorted(options)
        ['backend', 'constraint', 'device', 'optimizer']
    """
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return {
        "optimizer": partial(
            torch.optim.AdamW, betas=(0.9, 0.95), weight_decay=0.0, fused=fused or None
        ),
        "constraint": getattr(make_model(), "constraint", None),
        "device": device,
        "backend": "cuda_graph" if device == "cuda" else "eager",
    }
