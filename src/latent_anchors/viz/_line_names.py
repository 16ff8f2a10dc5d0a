"""Names of lines, written at the lines themselves, where they cannot be mistaken."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from latent_anchors.viz._arrays import Array
from latent_anchors.viz._texts import text_width
from latent_anchors.viz._themes import SMALL, Theme, halo

INNER = 0.42
"""Turns from the center within which lines are named, so that the names stay inside."""

NEAR = 0.12
"""Turns, and share of the height, within which two names would touch."""

ABOVE, BOX = 6, (2.0, 8.0 + SMALL)
"""Points from a line to its name, and from where to where above a line the name is."""

SIDES = ((0, "center"), (1, "left"), (-1, "right"))
"""By how many half widths a name's middle lies right of its place, and what that is called."""

CROSSED = 0.25
"""What a place counts where a line runs through the name."""


def name_lines(
    axes: Axes, inks: Theme, x: Array, errors: Mapping[str, Array], reference: float | None
) -> None:
    """Each line's name, just above it; on top of all lines, above the band too."""
    lines = np.stack([np.median(runs, 0) for runs in errors.values()])
    tops = np.stack([runs.max(0) for runs in errors.values()])
    tops = np.where(lines == lines.max(0), tops, lines)
    turn, unit = points_of(axes)
    halves = [text_width(name, SMALL) / turn / 2 for name in errors]
    hindrances = lines if reference is None else np.stack([*lines, np.full(len(x), reference)])
    free = np.stack(
        [clear(x, tops, hindrances, halves, side, np.array(BOX) / unit) for side, _ in SIDES]
    )
    inner = (np.abs(x - np.mean(axes.get_xlim())) < INNER).astype(np.float64)
    places = label_places(x, lines, inner * np.where(free.any(0), 1.0, CROSSED))
    style: dict[str, Any] = {"textcoords": "offset points", "fontsize": SMALL, "color": inks.ink}
    style |= {"va": "bottom", "path_effects": halo(inks)}
    for row, (name, k) in enumerate(zip(errors, places, strict=True)):
        _, side = SIDES[int(free[:, row, k].argmax())]
        axes.annotate(name, (x[k], tops[row, k]), (0, ABOVE), ha=side, **style)


def points_of(axes: Axes) -> tuple[float, float]:
    """How many points, about, a unit of either axis takes; the layout may still change it."""
    extent, figure = axes.get_window_extent(), axes.get_figure()
    scale = 72 / (72 if figure is None else figure.dpi)
    wide, tall = np.ptp([axes.get_xlim(), axes.get_ylim()], axis=1)
    return float(scale * extent.width / wide), float(scale * extent.height / tall)


def clear(
    x: Array, tops: Array, lines: Array, halves: Sequence[float], side: int, box: Array
) -> NDArray[np.bool_]:
    """Where a name so wide could stand above each top without any line through it."""
    free = np.full(tops.shape, True)
    for mine, top, half in zip(free, tops, halves, strict=True):
        near = np.abs(x - x[:, None] - side * half) <= half
        for line in lines:
            most, least = (np.where(near, line, end) for end in (-np.inf, np.inf))
            mine &= (most.max(1) <= top + box[0]) | (least.min(1) >= top + box[1])
    return free


def label_places(x: Array, lines: Array, weights: Array) -> list[int]:
    """Where each line is farthest from the others, by weight, and no other is named close by."""
    places: list[int] = []
    for line, weight in zip(lines, np.broadcast_to(weights, lines.shape), strict=True):
        others = np.delete(lines, len(places), axis=0)
        apart = np.abs(others - line).min(0) if len(others) else line
        free = weight > 0
        for other, place in zip(lines, places, strict=False):
            close = np.abs(line - other[place]) < NEAR * lines.max()
            free &= ~close | (np.abs(x - x[place]) > NEAR)
        places.append(int(np.where(free, weight * apart, -1.0).argmax()))
    return places
