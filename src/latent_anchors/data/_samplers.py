"""Samplers: the batch at a step, as a pure function of the seed and the step."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

import torch
from jaxtyping import Float, Int
from torch import Tensor

from latent_anchors._checks import check_count, listed
from latent_anchors._streams import BLOCK, stream
from latent_anchors._supervision import as_tensor
from latent_anchors.curriculum import Row, Timeline
from latent_anchors.data._batches import LabeledBatch
from latent_anchors.data._labels import LabelDraw
from latent_anchors.data._scheduled import (
    ScheduledWeights,
    Values,
    check_shape,
    pieces,
    shares,
    shares_at,
    values_planned,
    values_read,
)

RECENT = ("_recent", "_shares")


class Sampler:
    """Batches with replacement from a data set in memory, uniform or weighted, with drawn labels.

    Everything is a pure function of the seed and the step: nothing to save in order to resume, and
    a run sees the same numbers alone, among sixty and on any device. Which rows are drawn does not
    depend on the labels. Steps are drawn 100 at a time.

    Weights that follow a timeline change while batches are drawn, and the data set stays. The
    chance behind a draw does not depend on them, so that steps at which they are alike draw alike.

    Args:
        inputs: The data set ``(n, ...)``.
        labels: By name, how each is drawn.
        batch_size: Samples in a batch.
        weights: How often each sample is drawn, in proportion: always ``(n,)``, or scheduled; all
            alike if None.
        extras: By name ``(n, ...)``: what else travels with a sample.

    Raises:
        ValueError: If there are no samples; if weights are negative, not finite, all zero or too
            few, at once or at the step whose batch is drawn; or if labels or extras do not have one
            row for each sample.
        TypeError: If the batch size is not a whole number, inputs or extras are no tensors, or
            labels are not label draws; extras may be arrays of numpy's.

    Examples:
        >>> from latent_anchors.data import BernoulliLabels
        >>> labels = {"first": BernoulliLabels(torch.eye(3)[0])}
        >>> sampler = Sampler(torch.eye(3), labels, batch_size=2)
        >>> batch = sampler.batch(seed=0, step=1000)
        >>> bool((batch.labels["first"] == batch.inputs[:, 0]).all())
        True
    """

    def __init__(
        self,
        inputs: Tensor,
        labels: Mapping[str, LabelDraw] | None = None,
        batch_size: int = 64,
        weights: Float[Tensor, " n"] | ScheduledWeights | None = None,
        extras: Mapping[str, Tensor] | None = None,
    ) -> None:
        check_count("batch_size", batch_size)
        self.inputs: Tensor = inputs
        self.batch_size: int = batch_size
        self.labels: dict[str, LabelDraw] = dict(labels or {})
        self.extras: dict[str, Tensor] = {
            name: as_tensor(f"Extra {name!r}", extra) for name, extra in (extras or {}).items()
        }
        if not isinstance(inputs, Tensor):  # pyright: ignore[reportUnnecessaryIsInstance] -- users pass arrays all the same
            raise TypeError(
                f"The inputs are of type {type(inputs).__name__}; expected a tensor (n, ...). "
                "Write torch.as_tensor(inputs)."
            )
        check_count("The number of samples", len(inputs))
        for name, draw in self.labels.items():
            _check_draw(name, draw)
        for name, given in [*self.labels.items(), *self.extras.items()]:
            _check_rows(name, len(given), len(inputs))
        self.weights: Tensor | ScheduledWeights = (
            torch.ones(len(inputs)) if weights is None else weights
        )
        self._always: Tensor | None = self._shares_of_all_steps()
        self._alike: bool = _all_alike(self.weights)
        self._remember()

    @property
    def follows(self) -> tuple[str, ...]:
        """Names of the tracks that its weights follow.

        Examples:
            >>> Sampler(torch.eye(3)).follows
            ()
        """
        return self.weights.names if isinstance(self.weights, ScheduledWeights) else ()

    def block(self, seed: int, index: int, played: Sequence[Row] | None = None) -> LabeledBatch:
        """All the batches of a block of steps, with a leading axis of steps.

        Args:
            seed: The run's.
            index: Steps ``100 * index`` up to the next block.
            played: What scheduled weights follow in their timeline's place, a row for each of the
                100 steps, such as a playhead's.

        Returns:
            Tensors ``(100, batch, ...)``.

        Raises:
            ValueError: If rows are given to weights that follow none, or another number of them.

        Examples:
            >>> Sampler(torch.eye(3), batch_size=2).block(seed=0, index=0).inputs.shape
            torch.Size([100, 2, 3])
        """
        rows = self.rows(seed, index, played)
        return self._gathered(rows, self._labels(rows, seed, index))

    def rows(
        self, seed: int, index: int, played: Sequence[Row] | None = None
    ) -> Int[Tensor, "steps batch"]:
        """Which samples are drawn in a block of steps, by inverting the cumulative weights.

        Args:
            seed: The run's.
            index: Of the block.
            played: As :meth:`block` has it.

        Returns:
            ``(100, batch)``, from 0 to n - 1.

        Raises:
            ValueError: If rows are given to weights that follow none, or another number of them.

        Examples:
            >>> bool((Sampler(torch.eye(3)).rows(0, 0) < 3).all())
            True
        """
        chance = self._chance(seed, index)
        if played is None and self._alike:
            return (chance * len(self.inputs)).long()  # as by inverting them, ten times as fast
        if played is None and self._always is not None:
            return torch.searchsorted(self._always, chance, right=True)
        values = self._values(index, played)
        drawn = [
            torch.searchsorted(
                self._shares(values[few], index * BLOCK + few.start), chance[few], right=True
            )
            for few in pieces(BLOCK, len(self.inputs))
        ]
        return torch.cat(drawn)

    def batch(self, seed: int, step: int, row: Row | None = None) -> LabeledBatch:
        """One batch, at any step in any order.

        Args:
            seed: The run's.
            step: From 0.
            row: What scheduled weights follow in their timeline's place, such as a playhead's row;
                with ``timeline(step)`` the batch is the same as without.

        Returns:
            Tensors ``(batch, ...)``.

        Raises:
            ValueError: If the step is negative, or a row is given to weights that follow none.
            TypeError: If the step is not a whole number.

        Examples:
            >>> Sampler(torch.eye(3), batch_size=2).batch(seed=0, step=7).inputs.shape
            torch.Size([2, 3])
        """
        check_count("step", step, least=0)
        index, offset = divmod(step, BLOCK)
        if row is None:
            return self._recent(seed, index).map(lambda tensor: tensor[offset].clone())
        cumulative = self._shares_under(row, step)
        rows = torch.searchsorted(cumulative, self._chance(seed, index)[offset], right=True)
        # Labels are drawn for a block, so that each step has the chance that it always has.
        labels = self._labels(rows.expand(BLOCK, -1), seed, index)
        return self._gathered(rows, {name: label[offset] for name, label in labels.items()})

    def following(self, timeline: Timeline) -> "Sampler":
        """The same sampler, but for its scheduled weights, which follow another timeline.

        With :meth:`Playhead.as_timeline <latent_anchors.curriculum.Playhead.as_timeline>`, it draws
        again what was drawn in a training with triggers.

        Args:
            timeline: With the tracks that the weights read.

        Raises:
            ValueError: If the weights follow none, or the timeline lacks one of their tracks.

        Examples:
            >>> from latent_anchors.curriculum import Keyframe, Track
            >>> one, other = (Timeline({"a": Track([Keyframe(0, value)])}) for value in (0, 1))
            >>> weights = ScheduledWeights(lambda row: torch.tensor([row["a"], 1 - row["a"]]), one)
            >>> sampler = Sampler(torch.eye(2), weights=weights, batch_size=3)
            >>> sampler.rows(seed=0, index=0)[7], sampler.following(other).rows(seed=0, index=0)[7]
            (tensor([1, 1, 1]), tensor([0, 0, 0]))
        """
        weights = replace(self._scheduled("timeline"), timeline=timeline)
        return Sampler(self.inputs, self.labels, self.batch_size, weights, self.extras)

    def batches(self, seed: int, steps: Iterable[int]) -> Iterator[LabeledBatch]:
        """The batches of some steps, in order, for your own loop.

        Args:
            seed: The run's.
            steps: Such as ``range(1501)``, or ``range(500, 1501)`` to resume.

        Examples:
            >>> sampler = Sampler(torch.eye(3))
            >>> sum(1 for _ in sampler.batches(seed=0, steps=range(5)))
            5
        """
        return (self.batch(seed, step) for step in steps)

    def _shares_of_all_steps(self) -> Tensor | None:
        n = len(self.inputs)
        if isinstance(self.weights, ScheduledWeights):
            # refuses weights of another shape at once
            shares_at(self.weights, values_planned(self.weights, range(1)), 0, n)
            return None
        _check_rows("weights", len(self.weights), n)
        if self.weights.ndim != 1:
            raise ValueError(
                f"'weights' has shape {tuple(self.weights.shape)}; expected ({n},), a number for "
                "each sample."
            )
        return shares(self.weights)

    def _values(self, index: int, played: Sequence[Row] | None) -> tuple[Values, ...]:
        weights = self._scheduled("row")
        if played is None:
            return values_planned(weights, range(index * BLOCK, (index + 1) * BLOCK))
        if len(played) != BLOCK:
            raise ValueError(
                f"{len(played)} rows were given for a block of {BLOCK} steps; expected one for "
                "each. Beyond the end the last row holds."
            )
        return tuple(values_read(weights, row) for row in played)

    def _shares_from(self, values: tuple[Values, ...], begin: int) -> Tensor:
        return shares_at(self._scheduled("row"), values, begin, len(self.inputs))

    def _shares_under(self, row: Row, step: int) -> Tensor:
        made = self._scheduled("row")(row)
        check_shape(made, (len(self.inputs),), f"at step {step}")
        return shares(made, f" at step {step}")

    def _scheduled(self, given: str) -> ScheduledWeights:
        if not isinstance(self.weights, ScheduledWeights):
            raise ValueError(
                f"A {given} was given, but the weights follow none; expected a sampler with "
                "weights=ScheduledWeights(...)."
            )
        return self.weights

    def _chance(self, seed: int, index: int) -> Tensor:
        size = (BLOCK, self.batch_size)
        return torch.rand(size, generator=stream(seed, "rows", index), dtype=torch.float64)

    def _labels(self, rows: Tensor, seed: int, index: int) -> dict[str, Tensor]:
        return {
            name: draw.draw(rows, stream(seed, f"label/{name}", index))
            for name, draw in self.labels.items()
        }

    def _gathered(self, rows: Tensor, labels: Mapping[str, Tensor]) -> LabeledBatch:
        extras = {name: extra[rows] for name, extra in self.extras.items()}
        return LabeledBatch(self.inputs[rows], labels, extras)

    def _remember(self) -> None:
        self._recent = lru_cache(maxsize=8)(self.block)
        # One run after another asks for the same block.
        self._shares = lru_cache(maxsize=1)(self._shares_from)

    def __getstate__(self) -> dict[str, object]:
        # what was drawn recently stays behind when the sampler goes to a worker
        return {name: value for name, value in self.__dict__.items() if name not in RECENT}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update(state)
        self._remember()

    def __repr__(self) -> str:
        return (
            f"Sampler({len(self.inputs)} samples, batch_size={self.batch_size}, "
            f"labels={listed(self.labels)})"
        )


def _all_alike(weights: Tensor | ScheduledWeights) -> bool:
    return isinstance(weights, Tensor) and bool((weights == weights[0]).all())


def _check_draw(name: str, draw: object) -> None:
    if not isinstance(draw, LabelDraw):
        raise TypeError(
            f"Label {name!r} is of type {type(draw).__name__}; expected how it is drawn, such as "
            f"SoftLabels(values), which is always the same, or BernoulliLabels(chances)."
        )


def _check_rows(name: str, given: int, n: int) -> None:
    if given != n:
        raise ValueError(
            f"{name!r} has {given} rows and the inputs have {n}; expected one for each sample."
        )
