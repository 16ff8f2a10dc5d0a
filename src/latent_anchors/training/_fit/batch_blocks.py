"""The batches of a training, a block of steps at a time."""

from collections.abc import Mapping, Sequence
from typing import cast

import torch
from torch import Tensor
from typing_extensions import Protocol, runtime_checkable

from latent_anchors._checks import check_name
from latent_anchors._streams import BLOCK
from latent_anchors.curriculum import Row
from latent_anchors.data import LabeledBatch
from latent_anchors.training._fit.schedule import Schedule
from latent_anchors.training._objective import Objective


@runtime_checkable
class Batches(Protocol):
    """Where batches come from: a pure function of the seed and the block of steps.

    Examples:
        >>> import torch
        >>> from latent_anchors.data import Sampler
        >>> isinstance(Sampler(torch.eye(3)), Batches)
        True
    """

    def block(self, seed: int, index: int) -> LabeledBatch:
        """The batches of a block of steps, with a leading axis of 100 steps.

        Args:
            seed: The run's.
            index: Of the block, which begins at step ``100 * index``.

        Examples:
            >>> import torch
            >>> from latent_anchors.data import Sampler
            >>> Sampler(torch.eye(3), batch_size=8).block(seed=0, index=2).inputs.shape
            torch.Size([100, 8, 3])
        """
        ...


@runtime_checkable
class Following(Protocol):
    """Batches whose sampling weights follow some tracks."""

    @property
    def follows(self) -> tuple[str, ...]:
        """Names of the tracks."""
        ...

    def block(self, seed: int, index: int, played: Sequence[Row] | None = None) -> LabeledBatch:
        """As :class:`Batches` has it, with the rows that a playhead played."""
        ...


class BatchBlocks:
    """The blocks of all runs; the latest is kept, and drawn again when a trigger has fired."""

    def __init__(
        self, batches: Batches, seeds: Sequence[int], schedule: Schedule, objective: Objective
    ) -> None:
        self.batches, self.seeds, self.objective = batches, seeds, objective
        self.followed: tuple[Following, Schedule] | None = None
        if schedule.leads and isinstance(batches, Following) and batches.follows:
            for name in batches.follows:
                check_name("track", name, schedule.names)
            self.followed = batches, schedule
        self._kept: tuple[object, list[LabeledBatch]] = (None, [])

    def at(self, step: int) -> list[LabeledBatch]:
        """The block in which a step is, for each run."""
        key = (step // BLOCK, self.followed[1].version if self.followed else 0)
        if self._kept[0] != key:
            drawn = self._drawn(step // BLOCK)
            for seed, batch in zip(self.seeds, drawn, strict=True):
                self._check_labels(batch, seed, BLOCK * (step // BLOCK))
            self._kept = key, drawn
        return self._kept[1]

    def _check_labels(self, batch: LabeledBatch, seed: int, first: int) -> None:
        """Check labels here, since steps do not."""
        try:
            self.objective.check_labels(batch.labels, batch.extras)
        except (ValueError, TypeError) as error:
            last = first + BLOCK - 1
            raise type(error)(
                f"In the batches of steps {first} to {last} of seed {seed}: {error}"
            ) from error

    def _drawn(self, index: int) -> list[LabeledBatch]:
        if self.followed is None:
            return [self.batches.block(seed, index) for seed in self.seeds]
        batches, schedule = self.followed
        rows = schedule.rows(index * BLOCK, (index + 1) * BLOCK).movedim(-1, 0)
        played = cast("list[list[list[float]]]", rows.tolist())
        return [
            batches.block(seed, index, [dict(zip(schedule.names, row, strict=True)) for row in own])
            for seed, own in zip(self.seeds, played, strict=True)
        ]


def step_batches(
    drawn: Sequence[LabeledBatch],
    per_run: Mapping[str, Tensor],
    within: slice,
    device: torch.device,
    stacked: bool,
) -> list[LabeledBatch]:
    """The batches of some steps of a block, one by one; ``(runs, ...)`` where they are stacked.

    Args:
        drawn: The block of each run, with a leading axis of steps.
        per_run: Further extras ``(runs, ...)``, the same at every step.
        within: Which steps of the block.
        device: Where to put them.
        stacked: Whether there is an axis of runs; else there is only one run.
    """

    def joined(each: Sequence[Tensor]) -> Tensor:
        cut = [tensor[within] for tensor in each]
        return (torch.stack(cut, 1) if stacked else cut[0]).to(device)

    inputs, first = joined([batch.inputs for batch in drawn]), drawn[0]
    labels = {name: joined([batch.labels[name] for batch in drawn]) for name in first.labels}
    extras = {name: joined([batch.extras[name] for batch in drawn]) for name in first.extras}
    own = {name: each if stacked else each[0] for name, each in per_run.items()}
    return [
        LabeledBatch(
            inputs[step],
            {name: label[step] for name, label in labels.items()},
            {name: extra[step] for name, extra in extras.items()} | own,
        )
        for step in range(len(inputs))
    ]
