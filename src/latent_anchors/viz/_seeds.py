"""Measures over seeds: every seed a dot, boxes behind, bounds as lines."""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from latent_anchors._checks import check_between, check_count, check_name, listed
from latent_anchors.viz._arrays import SINGLE, Array, Values, as_array_with_gaps
from latent_anchors.viz._log_axes import number_plainly
from latent_anchors.viz._redrawing import redrawable
from latent_anchors.viz._scales import levels
from latent_anchors.viz._themes import SMALL, Theme, ThemeName, dress, new_figure

Scale = Literal["linear", "log"]

ROW = 0.62
"""Inches of a row."""

DOT = 4.6
"""Points across a dot, with the gap to the next."""

WIDE = 6.0
"""Inches of the panel, about."""

FAILED, COUNTS = 1.015, 1.035
"""Where crosses and counts stand, right of a panel whose width is 1."""

BOX, SWARM = 0.3, 0.42
"""Half of the height of a box, and of a row's dots at most, where rows are 1 apart."""


@redrawable
def plot_seeds(
    label: str,
    values: Mapping[str, Values],
    at_least: float = -np.inf,
    at_most: float = np.inf,
    scale: Scale = "linear",
    theme: ThemeName = "light",
    title: str | None = None,
    references: Mapping[str, float] | None = None,
) -> Figure:
    """One measure over seeds, a row for each network or condition.

    Every seed is a dot; the box reaches from the first to the third quartile, with a bar at the
    median, and the line behind from the least to the greatest. Beyond a bound the page is shaded,
    and dots are squares of another color. Seeds without a value are crosses at the right; they
    count as missing the bound. At the right stands how many seeds keep the bound, or have a value.

    Args:
        label: What was measured, below the axis.
        values: By the name of the row, one for each seed ``(runs,)``; None or NaN where a run
            failed.
        at_least: A bound from below.
        at_most: A bound from above.
        scale: Of the axis; ``log`` for positive values only.
        theme: Inks for a light or a dark page.
        title: Above the panel.
        references: By the name of the row, what to compare it with: a diamond. Say in the label
            what it is.

    Returns:
        The figure, known to pyplot.

    Raises:
        ValueError: There is no row, a row has no seed, a value is infinite, not positive on a
            logarithmic axis, none exists at all, a reference is of no row or not finite, the bounds
            exclude everything, or there is no such scale or theme.

    Examples:
        >>> import matplotlib.pyplot as plt
        >>> figure = plot_seeds("R²", {"muted": [0.97, 0.9]}, at_least=0.95)
        >>> figure.axes[0].texts[0].get_text()
        '1 of 2 hold'
        >>> plt.close(figure)
    """
    check_name("scale", scale, ["linear", "log"])
    check_count("number of rows", len(values))
    rows = {name: as_seeds(name, given) for name, given in values.items()}
    bounds = at_least, at_most
    check_between("at_least", at_least, -np.inf, np.inf)
    check_between("at_most", at_most, -np.inf, np.inf)
    compared = as_references(references or {}, rows)
    numbers = [*rows.values(), np.array([*bounds, *compared.values()])]
    if at_least > at_most:
        raise ValueError(
            f"at_least is {at_least:g} and at_most {at_most:g}; expected the lower first."
        )
    if not any(np.isfinite(seeds).any() for seeds in rows.values()):
        raise ValueError("No seed has a value; expected one at least. See the failures first.")
    ends = reach(np.concatenate(numbers), scale)
    said = [f"Reference of {name}: {number:.3g}." for name, number in compared.items()]
    texts = (described(*row, bounds) for row in rows.items())
    words = " ".join([f"{label} over seeds.", *texts, *said])
    height = ROW * len(rows) + (0.6 if title is None else 1.0)
    figure, inks = new_figure(theme, 9.0, height, title, words)
    axes = figure.add_subplot()
    dress(axes, inks)
    axes.set(xscale=scale, xlim=ends, ylim=(len(rows) - 0.5, -0.5))
    if scale == "log":
        number_plainly(axes.xaxis)
    axes.set_xlabel(label, color=inks.ink, fontsize=SMALL)
    axes.set_yticks(range(len(rows)), [*rows])
    axes.grid(axis="x", color=inks.calm, linewidth=0.8)
    axes.set_axisbelow(True)
    draw_bounds(axes, inks, bounds)
    for row, seeds in enumerate(rows.values()):
        draw_row(axes, inks, row, seeds, bounds)
    draw_references(axes, inks, {[*rows].index(name): x for name, x in compared.items()})
    return figure


def as_references(given: Mapping[str, float], rows: Mapping[str, Array]) -> dict[str, float]:
    """A finite number for some of the rows."""
    for name, number in given.items():
        if name not in rows or not np.isfinite(float(number)):
            raise ValueError(
                f"The reference of {name!r} is {float(number):g}; expected a finite number for one "
                f"of the rows {listed(rows)}."
            )
    return {name: float(number) for name, number in given.items()}


def as_seeds(name: str, values: Values, *rows: int) -> Array:
    """One number for each seed, of so many rows if there are any; NaN where there is none."""
    return as_array_with_gaps(f"values[{name!r}]", values, *rows, "runs")


def described(name: str, seeds: Array, bounds: tuple[float, float]) -> str:
    """A row in a sentence."""
    there = seeds[~np.isnan(seeds)]
    parts = counts(seeds, bounds).split("\n")
    if len(there):
        parts = [
            f"median {np.median(there):.3g}",
            f"{there.min():.3g} to {there.max():.3g}",
            *parts,
        ]
    return f"{name}: {', '.join(parts)}."


def counts(seeds: Array, bounds: tuple[float, float]) -> str:
    """How many seeds keep the bounds, or have a value, and how many failed."""
    kept, missing = keeps(seeds, bounds), np.isnan(seeds).sum()
    hold = " hold" if np.isfinite(bounds).any() else ""
    return f"{kept.sum()} of {len(seeds)}{hold}" + (f"\n{missing} failed" if missing else "")


def keeps(seeds: Array, bounds: tuple[float, float]) -> NDArray[np.bool_]:
    """Which are within the bounds, up to the rounding of what was measured in single precision."""
    room = SINGLE * np.abs(seeds)
    return (seeds + room >= bounds[0]) & (seeds - room <= bounds[1])


def reach(numbers: Array, scale: Scale) -> tuple[float, float]:
    """The ends of an axis that holds all numbers that exist."""
    there = numbers[np.isfinite(numbers)]
    if not len(there):
        raise ValueError("No seed has a value; expected one at least. See the failures first.")
    if scale == "log" and there.min() <= 0:
        raise ValueError(
            f"The least value or bound is {there.min():g}, which no logarithmic axis has; expected "
            "positive values. Choose the linear scale."
        )
    low, high = np.log([there.min(), there.max()]) if scale == "log" else (there.min(), there.max())
    room = 0.04 * (high - low) or 1.0
    ends = float(low - room), float(high + room)
    return (float(np.exp(ends[0])), float(np.exp(ends[1]))) if scale == "log" else ends


def swarm(places: Array, row: float = ROW) -> Array:
    """How far dots move off the middle of a row, so that none hides another; places in points.

    In rows, which are so many inches apart.
    """
    order = np.argsort(places, kind="stable")
    level = np.empty(len(places))
    level[order] = levels([*places[order]], [DOT] * len(places))
    offset = np.ceil(level / 2) * np.where(level % 2, 1, -1)
    step = min(DOT / (72 * row), SWARM / max(1.0, float(np.abs(offset).max(initial=0))))
    return step * offset


def draw_references(axes: Axes, inks: Theme, references: Mapping[int, float]) -> None:
    """A diamond in each row that is compared with something."""
    style: dict[str, Any] = {"marker": "D", "c": inks.page, "edgecolors": inks.ink, "zorder": 4}
    if references:
        axes.scatter([*references.values()], [*references], s=DOT**2, clip_on=False, **style)


def draw_bounds(axes: Axes, inks: Theme, bounds: tuple[float, float]) -> None:
    """A line at each bound, and the page beyond it shaded."""
    for bound, beyond in zip(bounds, axes.get_xlim(), strict=True):
        if np.isfinite(bound):
            axes.axvspan(bound, beyond, facecolor=inks.calm, linewidth=0, zorder=0)
            axes.axvline(bound, color=inks.faint, linewidth=1, linestyle=":", zorder=1.5)


def draw_row(axes: Axes, inks: Theme, row: int, seeds: Array, bounds: tuple[float, float]) -> None:
    """Box, dots, crosses, and how many keep the bounds."""
    there = seeds[~np.isnan(seeds)]
    kept = keeps(there, bounds)
    if len(there):
        draw_box(axes, inks, row, there)
        left, right = axes.transScale.transform([(x, 1) for x in axes.get_xlim()])[:, 0]
        at = axes.transScale.transform(np.stack([there, np.ones(len(there))], -1))[:, 0]
        y = row + swarm((at - left) / (right - left) * 72 * WIDE)
        style: dict[str, Any] = {"edgecolors": inks.page, "linewidths": 0.5, "zorder": 3}
        style |= {"clip_on": False}
        axes.scatter(there[kept], y[kept], s=DOT**2, c=inks.lines[0], **style)
        axes.scatter(there[~kept], y[~kept], s=DOT**2, c=inks.lines[1], marker="s", **style)
    missing = len(seeds) - len(there)
    crosses = row + swarm(np.zeros(missing))
    across: dict[str, Any] = {"transform": axes.get_yaxis_transform(), "clip_on": False}
    axes.scatter([FAILED] * missing, crosses, s=DOT**2, c=inks.ink, marker="x", **across)
    style = {"color": inks.ink, "fontsize": SMALL, "va": "center"} | across
    axes.text(COUNTS, row, counts(seeds, bounds), **style)


def draw_box(axes: Axes, inks: Theme, row: int, there: Array) -> None:
    """Quartiles and range behind the dots, the median in front of them."""
    first, median, third = np.percentile(there, [25, 50, 75])
    axes.hlines(row, there.min(), there.max(), colors=inks.faint, linewidths=1, zorder=1.6)
    corner = (float(first), row - BOX)
    box = Rectangle(corner, float(third - first), 2 * BOX, facecolor=inks.calm, zorder=1.7)
    box.set(edgecolor=inks.faint, linewidth=0.8)
    axes.add_patch(box)
    axes.vlines(median, row - BOX, row + BOX, colors=inks.ink, linewidths=1.6, zorder=3.5)
