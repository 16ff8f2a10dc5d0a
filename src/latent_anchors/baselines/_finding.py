"""Found afterwards, behind the contract: on the latents of some batches, an edit for each site."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias, get_args

import torch
from torch import Tensor, nn

from latent_anchors._checks import check_name
from latent_anchors._runs import eval_mode
from latent_anchors._sites import At, as_sites
from latent_anchors._streams import seeded
from latent_anchors.baselines._directions._leace import leace
from latent_anchors.baselines._directions._logistic_probe import logistic_probe
from latent_anchors.baselines._directions._mean_difference import mean_difference
from latent_anchors.baselines._labeled_latents import flattened
from latent_anchors.baselines._rival_contract import Placed, Task
from latent_anchors.baselines._training import (
    Meter,
    check_labels,
    copied,
    label_of,
    mask_of,
    mean_loss,
    some_sites,
)
from latent_anchors.interventions import EditModule
from latent_anchors.models import record

Finder: TypeAlias = Literal["mean_difference", "logistic_probe", "leace"]

FINDERS = {"mean_difference": mean_difference, "logistic_probe": logistic_probe, "leace": leace}


@dataclass(frozen=True)
class Finding:
    """Find a concept in a trained model, and erase it with the method's own edit.

    It records the latents of the task's batches and trains nothing. Several sites are found one by
    one; in a residual stream, all of them together take out most.

    Attributes:
        method: ``"mean_difference"``, ``"logistic_probe"`` or ``"leace"``; see the functions of
            these names, which give a gate besides.
        at: The site, or several.

    Raises:
        ValueError: If the method is unknown, or no site is given.

    Examples:
        >>> from latent_anchors.data import LabeledBatch
        >>> x, label = torch.eye(3), torch.tensor([1.0, 0.0, 0.0])
        >>> task = Task(
        ...     loss=lambda model, batch: (model(batch.inputs) - batch.inputs).square().mean(),
        ...     batches=lambda step: LabeledBatch(x, {"first": label}),
        ...     label="first",
        ...     steps=2,
        ... )
        >>> found = Finding("mean_difference", at="0").fit(nn.Sequential(nn.Identity()), task)
        >>> with found.removed() as model:
        ...     model(x)[:, 0]
        tensor([0.3333, 0.3333, 0.3333])
        >>> found.cost.steps, found.cost.passes
        (0, 6)
    """

    method: Finder
    at: At | Sequence[At]

    begins_with: ClassVar[Literal["fresh", "trained"]] = "trained"

    def __post_init__(self) -> None:
        check_name("method", self.method, get_args(Finder))
        object.__setattr__(self, "at", some_sites(self.at))

    def fit(self, model: nn.Module, task: Task) -> Placed:
        """Find the concept in the latents of as many batches as the task has steps.

        Args:
            model: A trained one; unchanged.
            task: Its loss is what runs the model.

        Returns:
            A copy of the model, and an edit for each site.

        Raises:
            ValueError: If no sample is labeled, or all are; or if nothing can be found.
            KeyError: If a batch lacks the label or the mask.
            TypeError: If a population is given.

        Examples:
            >>> from latent_anchors.data import LabeledBatch
            >>> batch = LabeledBatch(torch.eye(2), {"first": torch.tensor([1.0, 0.0])})
            >>> task = Task(
            ...     lambda model, batch: model(batch.inputs).sum(), lambda step: batch, "first", 1
            ... )
            >>> Finding("leace", at="0").fit(nn.Sequential(nn.Identity()), task).edits
            {'0': Erasure(dim=2, k=1, strength=1)}
        """
        meter, model = Meter(), copied(model)
        check_labels(task)
        find, sites = FINDERS[self.method], as_sites(self.at)
        with seeded(task.seed, "baselines/finding"):  # a model may draw in evaluation mode, too
            samples = [_samples(model, sites, task, step, meter) for step in range(task.steps)]
        edits: dict[At, EditModule] = {}
        for at in sites:
            z, labels = (torch.cat(rows) for rows in zip(*(s[at] for s in samples), strict=True))
            edits[at] = find(z, labels).edit
        return Placed(model, edits, meter.cost())


def _samples(
    model: nn.Module, sites: Sequence[At], task: Task, step: int, meter: Meter
) -> dict[At, tuple[Tensor, Tensor]]:
    """By site, the latents of a batch that count and their labels."""
    batch = task.batches(step)
    mask = mask_of(batch, task)
    label = label_of(batch, task.label, mask)
    with eval_mode(model), record(model, sites) as latents:
        mean_loss(model, task, batch, meter)
    return {at: flattened(latents[at], label, mask) for at in sites}
