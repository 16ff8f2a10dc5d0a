"""How many labels were really used."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from latent_anchors._checks import check_count, check_name
from latent_anchors._streams import BLOCK
from latent_anchors.data._rare_labels import RareLabels
from latent_anchors.data._samplers import Sampler


@dataclass(frozen=True, eq=False)
class LabelCount:
    """Supervision in numbers, run by run.

    Attributes:
        used: Sum of the labels seen ``(runs,)``.
        samples: Samples seen in each run, with and without a label; places, if labels are by
            place.

    Examples:
        >>> LabelCount(torch.tensor([82.0]), samples=91_200).share
        tensor([0.0009])
    """

    used: Float[Tensor, " runs"]
    samples: int

    @property
    def share(self) -> Float[Tensor, " runs"]:
        """The share of samples, or of places, with a label.

        Examples:
            >>> LabelCount(torch.tensor([1.0]), samples=4).share
            tensor([0.2500])
        """
        return self.used / max(self.samples, 1)


def count_labels(
    sampler: Sampler | RareLabels,
    name: str,
    seeds: Iterable[int],
    steps: Sequence[int],
    active: Sequence[bool] | Bool[Tensor, " steps"] | None = None,
) -> LabelCount:
    """Count the labels that some runs see, by drawing them once more.

    A draw is a function of the seed and the step, so that counting needs no part in the training.

    Args:
        sampler: Where the batches come from.
        name: Of the label.
        seeds: One for each run.
        steps: Those of the training.
        active: For each step ``(steps,)``, whether its labels count, as where a term has weight.

    Returns:
        Labels used in each run, and samples or places seen.

    Raises:
        ValueError: If the sampler has no such label, there is no seed, or ``active`` is not as long
            as the steps.

    Examples:
        >>> from latent_anchors.data import SoftLabels
        >>> sampler = Sampler(torch.eye(2), {"all": SoftLabels(torch.ones(2))}, batch_size=8)
        >>> count_labels(sampler, "all", seeds=[0, 1], steps=range(10)).used
        tensor([80., 80.])
    """
    counted = [step for step, on in zip(steps, _flags(active, len(steps)), strict=True) if on]
    runs = [*seeds]
    check_count("The number of seeds", len(runs))
    labels = sampler.batch(runs[0], 0).labels
    check_name("label", name, tuple(labels))
    used = torch.stack([_sum(sampler, name, seed, counted) for seed in runs])
    return LabelCount(used, len(counted) * labels[name].numel())


def _flags(active: Sequence[bool] | Tensor | None, n: int) -> Sequence[bool]:
    flags = [True] * n if active is None else [bool(on) for on in active]
    if len(flags) != n:
        raise ValueError(
            f"active has {len(flags)} entries for {n} steps; expected one for each, such as "
            "history.rows['anchor'][:, 0] > 0."
        )
    return flags


def _sum(sampler: Sampler | RareLabels, name: str, seed: int, steps: Sequence[int]) -> Tensor:
    total = torch.zeros((), dtype=torch.float64)  # in half precision 300 labels are no number
    for index, block in groupby(sorted(steps), key=lambda step: step // BLOCK):
        within = [step - index * BLOCK for step in block]
        total = total + sampler.block(seed, index).labels[name][within].double().sum()
    return total.float()
