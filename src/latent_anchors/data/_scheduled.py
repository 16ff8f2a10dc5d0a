"""Sampling weights that follow a timeline, and the cumulative shares that draws are made by."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from torch import Tensor

from latent_anchors._checks import check_name, unknown
from latent_anchors.curriculum import Row, Timeline

WeightFunction: TypeAlias = Callable[[Mapping[str, Any]], Tensor]
"""A row of a timeline to a weight for each sample."""

Values = tuple[float, ...]


class Named(dict[str, Any]):
    """The values of some tracks; asked for another, it says which there are."""

    def __missing__(self, name: str) -> Any:
        raise KeyError(unknown("track", name, self))


@dataclass(frozen=True, eq=False)
class ScheduledWeights:
    """How often each sample is drawn, as a function of a row of a timeline.

    A function of a user's own, of any numbers per sample: degrees, difficulty, length, source. It
    is called for the steps of a block together, and only where a value of its tracks has changed.

    Args:
        function: From a row to weights ``(n,)``, which depend on nothing else. The row holds the
            values of ``tracks`` by name.
        timeline: Where the rows come from; beyond its end the last one holds.
        tracks: Names of those that the function reads; every track if None. Named, they spare it
            the calls where only others change, such as a learning rate.
        vectorized: Whether the function takes many steps at once: then the values of its row are
            float64 tensors ``(steps, 1)``, and its weights are ``(steps, n)``.

    Raises:
        ValueError: If the timeline has no such track.

    Examples:
        >>> from latent_anchors.curriculum import Keyframe, Track
        >>> timeline = Timeline({"dark": Track([Keyframe(0, 0.0), Keyframe(100, 1.0)])})
        >>> value = torch.tensor([1.0, 0.5])
        >>> weights = ScheduledWeights(lambda row: value ** (2 - 2 * row["dark"]), timeline)
        >>> weights.table([0, 50, 100]).tolist()
        [[1.0, 0.25], [1.0, 0.5], [1.0, 1.0]]
    """

    function: WeightFunction
    timeline: Timeline
    tracks: Sequence[str] | None = None
    vectorized: bool = False

    def __post_init__(self) -> None:
        for name in self.tracks or ():
            check_name("track", name, self.timeline.names)

    @property
    def names(self) -> tuple[str, ...]:
        """The tracks that the function reads: an objective's ``other_tracks``.

        Examples:
            >>> ScheduledWeights(lambda row: torch.ones(3), Timeline({})).names
            ()
        """
        return self.timeline.names if self.tracks is None else tuple(self.tracks)

    def __call__(self, row: Row) -> Tensor:
        """The weights at one row, such as that of a playhead.

        Returns:
            ``(n,)``, as the function made them.

        Raises:
            KeyError: If the row lacks one of the tracks.

        Examples:
            >>> ScheduledWeights(lambda row: torch.ones(3), Timeline({}))({})
            tensor([1., 1., 1.])
        """
        return weights_of(self, [values_read(self, row)])[0]

    def table(self, steps: Sequence[int]) -> Tensor:
        """The weights at many steps.

        Args:
            steps: Such as ``range(100)``.

        Returns:
            ``(steps, n)``, as the function made them.

        Raises:
            ValueError: If a vectorized function gives another shape.

        Examples:
            >>> ScheduledWeights(lambda row: torch.ones(3), Timeline({})).table(range(2)).shape
            torch.Size([2, 3])
        """
        rows, which = distinct(values_planned(self, steps))
        return weights_of(self, rows)[which]


def values_read(weights: ScheduledWeights, row: Row) -> Values:
    """What the function reads in a row."""
    given = Named(row)
    return tuple(given[name] for name in weights.names)


def values_planned(weights: ScheduledWeights, steps: Sequence[int]) -> tuple[Values, ...]:
    """What the function reads in its timeline, step by step."""
    columns = [weights.timeline.names.index(name) for name in weights.names]
    return tuple(tuple(row) for row in weights.timeline.table(steps)[:, columns].tolist())


def distinct(values: Sequence[Values]) -> tuple[list[Values], Tensor]:
    """The values that differ, and for each step which of them holds ``(steps,)``."""
    place = {row: k for k, row in enumerate(dict.fromkeys(values))}
    return [*place], torch.tensor([place[row] for row in values])


def weights_of(weights: ScheduledWeights, rows: Sequence[Values]) -> Tensor:
    """Weights ``(rows, n)``."""
    if not weights.vectorized:
        named = [Named(zip(weights.names, row, strict=True)) for row in rows]
        return torch.stack([weights.function(row) for row in named])
    columns = torch.tensor(rows, dtype=torch.float64).unbind(-1)
    named = Named(zip(weights.names, (column[:, None] for column in columns), strict=True))
    made = weights.function(named)
    if made.ndim != 2 or len(made) != len(rows):
        raise ValueError(
            f"The vectorized function gave weights of shape {tuple(made.shape)} for {len(rows)} "
            f"rows; expected ({len(rows)}, n). Each number that it reads has shape "
            f"({len(rows)}, 1)."
        )
    return made


MOST = 2**24
"""Cumulative shares made at a time, 128 MiB: a block of a larger data set comes in pieces."""


def shares(weights: Tensor, where: str = "") -> Tensor:
    """Cumulative shares ``(n,)``, in float64 on the CPU."""
    exact = weights.detach().cpu().double()
    total = float(exact.sum())
    if not (bool((exact >= 0).all()) and 0 < total < float("inf")):
        raise ValueError(
            f"The weights{where} run from {exact.min():g} to {exact.max():g}; expected finite "
            "numbers of at least 0, not all of them 0. Give each sample its share of the draws."
        )
    sums = exact.cumsum(0)
    return sums / sums[-1]


def shares_at(weights: ScheduledWeights, values: Sequence[Values], begin: int, n: int) -> Tensor:
    """Cumulative shares ``(steps, n)`` from a step on; ``(n,)`` where all steps are alike."""
    rows, which = distinct(values)
    made = weights_of(weights, rows)
    check_shape(made, (len(rows), n), f"from step {begin} on")
    first = [begin + which.tolist().index(k) for k in range(len(rows))]
    each = [shares(row, f" at step {step}") for row, step in zip(made, first, strict=True)]
    return each[0] if len(each) == 1 else torch.stack(each)[which]


def check_shape(weights: Tensor, expected: tuple[int, ...], when: str) -> None:
    """Refuse what a function made, unless it is a weight for each sample."""
    if tuple(weights.shape) != expected:
        raise ValueError(
            f"The weights {when} have shape {tuple(weights.shape)}; expected {expected}, the last "
            "axis for the samples. A function of many steps at once says so by vectorized=True."
        )


def pieces(steps: int, n: int) -> list[slice]:
    """So many steps, few enough at a time for the number of samples."""
    size = max(1, MOST // n)
    return [slice(k, min(k + size, steps)) for k in range(0, steps, size)]
