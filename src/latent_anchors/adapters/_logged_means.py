"""What a training logs: means over micro-batches, processes and steps, and scores of concepts."""

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from latent_anchors.concepts import Watch
from latent_anchors.training import ObjectiveOutput, mean_over_processes

PREFIX = "objective/"
"""Before each name in a log."""


class LoggedMeans:
    """Means of an objective's parts since they were last read.

    The mean of a part is over the steps at which somebody counted in it: where labels are rare,
    zeros of all other steps would hide it. Its weighted share in the total is over all steps.

    Args:
        parts: Names of terms and losses.
    """

    def __init__(self, parts: Sequence[str]) -> None:
        self.parts: tuple[str, ...] = tuple(parts)
        self._clear()
        self._step: dict[str, Tensor] = {}
        self._there = torch.ones(len(parts))

    def _clear(self) -> None:
        self._sums: dict[str, Tensor] = {}
        self._steps = 0
        self._counts = torch.zeros(len(self.parts))

    def begin(self, divisors: Tensor) -> None:
        """A step begins.

        Args:
            divisors: The whole batch's ``(parts,)``: 0 where nobody counts.
        """
        self._step = {}
        self._there = (divisors > 0).float()

    def add(self, output: ObjectiveOutput, averaged: int) -> None:
        """Add one of the micro-batches over whose number the means are taken."""
        if not self._step:
            self._counts = self._counts.to(self._there) + self._there
            self._steps += 1
        for name, mean in output.means().items():
            for sums in (self._step, self._sums):
                sums[name] = sums.get(name, 0.0) + mean / averaged

    def of_step(self) -> dict[str, float | None]:
        """The means of the step that is done; None for a part without anybody."""
        means = _over_processes(self._step)
        there = _by_name(self.parts, self._there)
        return {name: mean if there.get(name, 1.0) else None for name, mean in means.items()}

    def read(self, keep: bool = False) -> dict[str, float]:
        """The means since they were last read, for a log, without parts that had nobody.

        Args:
            keep: Whether the next log is to be about these steps, too.
        """
        counts = _by_name(self.parts, self._counts)
        sums, steps = _over_processes(self._sums), self._steps
        if not keep:
            self._clear()
        return {
            f"{PREFIX}{name}": sums[name] / counts.get(name, steps)
            for name in sums
            if counts.get(name, steps)
        }


def _over_processes(values: dict[str, Tensor]) -> dict[str, float]:
    if not values:
        return {}
    return _by_name([*values], mean_over_processes(torch.stack([*values.values()])))


def _by_name(names: Sequence[str], values: Tensor) -> dict[str, float]:
    return dict(zip(names, cast("list[float]", values.tolist()), strict=True))


def watched_scores(watch: Watch, step: int, model: nn.Module) -> dict[str, float]:
    """Scores of a concept at a step, by name; in its history if no later step is there already."""
    if any(step <= before for before in watch.history.steps[-1:]):
        # measured again: under an edit, or by a training that was resumed or begun anew
        score = watch.concept.score(model, watch.inputs, watch.has_it, watch.mask)
    else:
        score = watch.measure(step, model)
    names = ("auc", "margin", "alignment")
    return {f"{watch.concept.name}_{name}": getattr(score, name).mean for name in names}
