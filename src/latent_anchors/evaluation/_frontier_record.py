"""The record of removal against collateral, by method, strength and run."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TypeAlias

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from latent_anchors._checks import check_finite, check_name, listed, unknown
from latent_anchors._numerics import as_floats
from latent_anchors._records import plain

Curve: TypeAlias = tuple[Tensor, Tensor]
"""Removal and collateral of a method, ``(strengths, runs)`` each."""


class Frontier(Mapping[str, Curve]):
    """Removal and collateral by method, strength and run.

    A mapping from the method to both, as :func:`~latent_anchors.viz.plot_frontier` draws them. In
    between, strengths are joined by straight lines. Where either number is not finite, the run
    failed at that strength, and both are NaN; its neighbors are joined.

    Args:
        curves: By the method, removal and collateral, ``(strengths, runs)`` each, from weak to
            strong; run k of every method has the same seed.

    Raises:
        ValueError: If there is no method, or shapes do not fit.
        KeyError: If a method is asked for that is not there.

    Examples:
        >>> one = torch.tensor([[0.0], [1.0]]), torch.tensor([[0.0], [0.1]])
        >>> found = Frontier({"ours": one, "theirs": (one[0], 2 * one[1])})
        >>> found.collateral_at(0.5)
        {'ours': tensor([0.0500]), 'theirs': tensor([0.1000])}
    """

    def __init__(self, curves: Mapping[str, Curve]) -> None:
        _check_curves(curves)
        self._curves: dict[str, Curve] = {}
        for name, pair in curves.items():
            removal, collateral = (each.detach().float().cpu() for each in pair)
            lost = ~(removal.isfinite() & collateral.isfinite())
            self._curves[name] = (
                removal.masked_fill(lost, torch.nan),
                collateral.masked_fill(lost, torch.nan),
            )

    def __getitem__(self, method: str) -> Curve:
        if method not in self._curves:
            raise KeyError(unknown("method", method, [*self._curves]))
        removal, collateral = self._curves[method]
        return removal.clone(), collateral.clone()

    def __iter__(self) -> Iterator[str]:
        return iter(self._curves)

    def __len__(self) -> int:
        return len(self._curves)

    @property
    def runs(self) -> int:
        """How many runs each method has.

        Examples:
            >>> Frontier({"ours": (torch.ones(2, 3), torch.zeros(2, 3))}).runs
            3
        """
        return next(iter(self._curves.values()))[0].shape[1]

    @classmethod
    def joined(cls, frontiers: Sequence["Frontier"]) -> "Frontier":
        """The same methods in several runs, which were measured one after another.

        Args:
            frontiers: In the order of the runs; a method that is missing in one failed there.

        Raises:
            ValueError: If there are none, or a method has not always as many strengths.

        Examples:
            >>> one = Frontier({"ours": (torch.ones(2, 1), torch.zeros(2, 1))})
            >>> Frontier.joined([one, one])["ours"][0].shape
            torch.Size([2, 2])
        """
        every = [*frontiers]
        names = dict.fromkeys(name for each in every for name in each)
        return cls({name: _joined(name, every) for name in names})

    def collateral_at(self, removal: float) -> dict[str, Float[Tensor, " runs"]]:
        """What each method costs where it first removes so much, from its first strength on.

        Args:
            removal: How much.

        Returns:
            By the method; between two strengths, off the line that joins them; NaN where no
            strength removes so much. If the first one removes more already, its collateral.

        Raises:
            ValueError: If the removal is not finite.

        Examples:
            >>> one = Frontier({"ours": (torch.tensor([[0.0], [1.0]]), torch.tensor([[0], [0.5]]))})
            >>> one.collateral_at(0.5), one.collateral_at(2)
            ({'ours': tensor([0.2500])}, {'ours': tensor([nan])})
        """
        check_finite("removal", removal)
        return self._by_run(_cost, removal)

    def removal_at(self, collateral: float) -> dict[str, Float[Tensor, " runs"]]:
        """The most that each method removes at this collateral or less.

        Args:
            collateral: How much at most.

        Returns:
            By the method; between two strengths, off the line that joins them; NaN where every
            strength costs more.

        Raises:
            ValueError: If the collateral is not finite.

        Examples:
            >>> one = Frontier({"ours": (torch.tensor([[0.0], [1.0]]), torch.tensor([[0], [0.5]]))})
            >>> one.removal_at(0.125), one.removal_at(-1)
            ({'ours': tensor([0.2500])}, {'ours': tensor([nan])})
        """
        check_finite("collateral", collateral)
        return self._by_run(_most, collateral)

    def wins(self, ours: str, collateral: float) -> dict[str, Bool[Tensor, " runs"]]:
        """Whether a method removes at least as much as each other one at equal collateral.

        Args:
            ours: The method.
            collateral: What each may cost at most; see :meth:`removal_at`.

        Returns:
            By the other method, run by run. Where both cost more, nobody wins; over one that
            failed, or whose every strength costs more, ours does.

        Raises:
            ValueError: If there is no such method, or the collateral is not finite.

        Examples:
            >>> ours, theirs = torch.tensor([[1.0, 1.0]]), torch.tensor([[0.5, 2.0]])
            >>> cost = torch.zeros(1, 2)
            >>> Frontier({"ours": (ours, cost), "theirs": (theirs, cost)}).wins("ours", 0.0)
            {'theirs': tensor([ True, False])}
        """
        check_name("method", ours, [*self])
        found = self.removal_at(collateral)
        mine = found.pop(ours)
        return {name: mine >= each.nan_to_num(-torch.inf) for name, each in found.items()}

    def to_json(self) -> dict[str, dict[str, list[list[float | None]]]]:
        """All of it in numbers and lists, by strength and run; what failed is null.

        Examples:
            >>> Frontier({"ours": (torch.ones(1, 1), torch.zeros(1, 1))}).to_json()
            {'ours': {'removal': [[1.0]], 'collateral': [[0.0]]}}
        """
        kinds = ("removal", "collateral")
        return plain(
            {
                name: {
                    kind: [*map(as_floats, each)] for kind, each in zip(kinds, pair, strict=True)
                }
                for name, pair in self.items()
            }
        )

    def _by_run(
        self, of: Callable[[list[tuple[float, float]], float], float], at: float
    ) -> dict[str, Tensor]:
        found: dict[str, Tensor] = {}
        near = float(torch.tensor(at, dtype=torch.float32))  # rounded as the points are
        for name, pair in self.items():
            runs = zip(*(each.unbind(1) for each in pair), strict=True)
            found[name] = torch.tensor([of(_points(*run), near) for run in runs])
        return found


def _check_curves(curves: Mapping[str, Curve]) -> None:
    if not curves:
        raise ValueError("No method was given; expected one at least, with its strengths.")
    shapes = {name: [tuple(each.shape) for each in pair] for name, pair in curves.items()}
    runs = {shape[-1] for pair in shapes.values() for shape in pair if shape}
    for name, pair in shapes.items():
        if len(pair) != 2 or pair[0] != pair[1] or len(pair[0]) != 2 or 0 in pair[0]:
            raise ValueError(
                f"{name!r} has numbers of the shapes {listed(pair)}; expected removal and "
                "collateral, (strengths, runs) each."
            )
    if len(runs) != 1:
        raise ValueError(
            f"The methods have {listed(sorted(runs))} runs; expected as many of each, with the "
            "same seeds."
        )


def _joined(name: str, frontiers: Sequence[Frontier]) -> Curve:
    """Removal and collateral of a method over all runs; NaN where it is missing."""
    strengths = {len(each[name][0]) for each in frontiers if name in each}
    if len(strengths) != 1:
        raise ValueError(
            f"{name!r} has {listed(sorted(strengths))} strengths; expected always as many."
        )
    parts: list[Curve] = []
    for each in frontiers:
        lost = torch.full((*strengths, each.runs), torch.nan)
        parts.append(each.get(name, (lost, lost)))
    removal, collateral = (torch.cat(each, 1) for each in zip(*parts, strict=True))
    return removal, collateral


def _points(removal: Tensor, collateral: Tensor) -> list[tuple[float, float]]:
    """Those of a run that exist."""
    pairs = zip(as_floats(removal), as_floats(collateral), strict=True)
    return [(x, y) for x, y in pairs if x == x]


def _cost(points: Sequence[tuple[float, float]], removal: float) -> float:
    """The height at which the polyline first comes to a place; NaN if it does not."""
    if points and points[0][0] >= removal:
        return points[0][1]
    for (a, low), (b, high) in pairwise(points):
        if b >= removal:
            return low + (removal - a) / (b - a) * (high - low)
    return torch.nan


def _most(points: Sequence[tuple[float, float]], collateral: float) -> float:
    """The farthest place at which the polyline is no higher; NaN if it is higher everywhere."""
    found = [x for x, y in points if y <= collateral]
    for (a, low), (b, high) in pairwise(points):
        if min(low, high) < collateral < max(low, high):
            found.append(a + (collateral - low) / (high - low) * (b - a))
    return max(found, default=torch.nan)
