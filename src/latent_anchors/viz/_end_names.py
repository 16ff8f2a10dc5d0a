"""Names of curves at their ends if all find room there, and otherwise beside the panel."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike

from latent_anchors.viz._arrays import Array
from latent_anchors.viz._texts import text_width
from latent_anchors.viz._themes import SMALL, Theme, halo

SIDES = ((1, 0), (0, 1), (0, -1), (-1, 0), (1, 1), (-1, 1), (1, -1), (-1, -1))
"""Right of a curve's end or left of it, above or below: of those that are as good the first."""

Side = tuple[int, int]

ACROSS = {1: "left", 0: "center", -1: "right"}
UPWARD = {1: "bottom", 0: "center", -1: "top"}
"""By the side, which part of the name is nearest to the end."""

BESIDE, AROUND = 8.0, 3.0
"""Points from an end to its name, and round the name within which nothing else is drawn."""

FINE = 60
"""Places on a stretch of a curve where it may run through a name."""

WIDEST = 0.4
"""Of the panel's width, what may be given to a name right of it."""


def name_curves(
    axes: Axes,
    inks: Theme,
    curves: Mapping[str, Array],
    styles: Mapping[str, dict[str, Any]],
    heavy: Collection[str],
    others: Array,
    uprights: Sequence[float],
) -> None:
    """The name of each curve ``(2, n)``, through which no curve runs, and if it can be no other."""
    weights = {name: "bold" if name in heavy else "normal" for name in styles}
    widths = {name: text_width(name, SMALL, weight) for name, weight in weights.items()}
    before = axes.get_xlim()
    widen(axes, {name: (float(end_of(curves[name].T)[0]), widths[name]) for name in widths})
    drawn = {name: on_page(axes, curves[name].T) for name in styles}
    walls = [finely(on_page(axes, [(x, y) for y in axes.get_ylim()])) for x in uprights]
    hidden = np.concatenate([on_page(axes, others.T), *walls])
    sides = free_sides(
        drawn, widths, in_points(axes, axes.get_window_extent().get_points()), hidden
    )
    if len(sides) < len(curves):
        axes.set_xlim(before)
        order = sorted(styles, key=lambda name: -end_of(drawn[name])[1])
        name_beside(axes, inks, {name: styles[name] for name in order}, weights)
        return
    for name, (h, v) in sides.items():
        style: dict[str, Any] = {"ha": ACROSS[h], "va": UPWARD[v], "color": inks.ink, "zorder": 4}
        style |= {"textcoords": "offset points", "fontsize": SMALL, "path_effects": halo(inks)}
        x, y = end_of(curves[name].T)
        axes.annotate(name, (x, y), (h * BESIDE, v * BESIDE), fontweight=weights[name], **style)


def on_page(axes: Axes, values: ArrayLike) -> Array:
    """Where values ``(n, 2)`` are, in points."""
    return in_points(axes, axes.transData.transform(values))


def in_points(axes: Axes, pixels: Array) -> Array:
    """Points, about: the layout makes the panel larger, which brings nothing closer."""
    figure = axes.get_figure()
    return pixels * 72 / (72 if figure is None else figure.dpi)


def widen(axes: Axes, ends: Mapping[str, tuple[float, float]]) -> None:
    """Room at the right for each name that may begin at its curve's end and is so wide."""
    low, high = axes.get_xlim()
    wide = float(np.ptp(in_points(axes, axes.get_window_extent().get_points())[:, 0]))
    shares = {x: (width + 2 * BESIDE) / wide for x, width in ends.values()}
    needed = [low + (x - low) / (1 - share) for x, share in shares.items() if share < WIDEST]
    axes.set_xlim(low, max(high, *needed, high))


def end_of(points: Array) -> Array:
    """The last point ``(2,)`` that exists."""
    return points[np.isfinite(points).all(-1)][-1]


def free_sides(
    curves: Mapping[str, Array], widths: Mapping[str, float], panel: Array, others: Array
) -> dict[str, Side]:
    """A side of each curve's end where its name has room, in points; of some ends none may be.

    Among several it is that where the fewest of the other points ``(n, 2)`` are hidden.
    """
    taken = np.concatenate([finely(points) for points in curves.values()])
    sides: dict[str, Side] = {}
    for name, points in curves.items():
        half = np.array([widths[name], SMALL * (1 + name.count("\n"))]) / 2
        boxes = {side: box_at(end_of(points), side, half) for side in SIDES}
        free = {
            side: count_in(box, others)
            for side, box in boxes.items()
            if is_inside(box, panel) and not count_in(box, taken)
        }
        if free:
            sides[name] = min(free, key=lambda side: free[side])
            # the names after it keep off this one as they keep off curves
            taken = np.concatenate([taken, filled(boxes[sides[name]])])
    return sides


def box_at(end: Array, side: Side, half: Array) -> Array:
    """The corners ``(2, 2)`` of a name on one side of an end."""
    middle = end + np.array(side) * (half + BESIDE)
    return np.stack([middle - half, middle + half])


def is_inside(box: Array, panel: Array) -> bool:
    """Whether a name stays on its panel, both by their corners."""
    return bool((box[0] >= panel[0]).all() and (box[1] <= panel[1]).all())


def count_in(box: Array, points: Array) -> int:
    """How many points lie in a box, or so near that a name there would touch them."""
    return int(((points > box[0] - AROUND) & (points < box[1] + AROUND)).all(-1).sum())


def finely(points: Array) -> Array:
    """So many places along a curve that none is far from the next."""
    steps = np.linspace(0, 1, FINE)[:, None] * np.diff(points, axis=0)[:, None]
    return np.concatenate([points, (points[:-1, None] + steps).reshape(-1, 2)])


def filled(box: Array) -> Array:
    """Places all over a box, closer to each other than a name is high."""
    x, y = (box[0] + np.linspace(0, 1, FINE)[:, None] * (box[1] - box[0])).T
    return np.stack([np.repeat(x, FINE), np.tile(y, FINE)], -1)


def name_beside(
    axes: Axes, inks: Theme, styles: Mapping[str, dict[str, Any]], weights: Mapping[str, str]
) -> None:
    """A legend right of the panel, from the top down in the order of the curves' ends."""
    lines = [Line2D([], [], **style) for style in styles.values()]
    place: dict[str, Any] = {"loc": "center left", "bbox_to_anchor": (1.01, 0.5), "frameon": False}
    place |= {"labelcolor": inks.ink, "fontsize": SMALL, "handlelength": 3.0, "labelspacing": 0.9}
    legend = axes.legend(lines, [*map(str, range(len(lines)))], **place)
    # a legend may leave out names that begin with an underscore, so they are set afterwards
    for text, name in zip(legend.get_texts(), styles, strict=True):
        text.set(text=name, fontweight=weights[name])
