"""Names of lines, written at the lines themselves, where they cannot be mistaken."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from latent_anchors.viz._arrays import Array
from latent_anchors.viz._themes import SMALL, Theme

INNER = 0.42
"""Turns from the center within which lines are named, so that the names stay inside."""

NEAR = 0.12
"""Turns, and share of the height, within which two names would touch."""


def name_lines(axes: Axes, inks: Theme, x: Array, errors: Mapping[str, Array]) -> None:
    """Each line's name, just above it; on top of all lines, above the band too."""
    middle = float(np.mean(axes.get_xlim()))
    lines = np.stack([np.median(runs, 0) for runs in errors.values()])
    places = label_places(x, lines, np.abs(x - middle) < INNER)
    style: dict[str, Any] = {"textcoords": "offset points", "fontsize": SMALL, "color": inks.ink}
    for (name, runs), line, k in zip(errors.items(), lines, places, strict=True):
        side = ("left", "center", "right")[int(np.sign(round(4 * (x[k] - middle))) + 1)]
        height = runs[:, k].max() if line[k] == lines[:, k].max() else line[k]
        axes.annotate(name, (x[k], height), (0, 6), ha=side, va="bottom", **style)


def label_places(x: Array, lines: Array, inner: NDArray[np.bool_]) -> list[int]:
    """Where each line is farthest from the others, and no other is named close by."""
    places: list[int] = []
    for k, line in enumerate(lines):
        others = np.delete(lines, k, axis=0)
        apart = np.abs(others - line).min(0) if len(others) else line
        free = inner.copy()
        for other, place in zip(lines, places, strict=False):
            close = np.abs(line - other[place]) < NEAR * lines.max()
            free &= ~close | (np.abs(x - x[place]) > NEAR)
        places.append(int(np.where(free, apart, -1.0).argmax()))
    return places
