"""Removal against collateral: what each method does to a concept, and what it costs elsewhere."""

from collections.abc import Collection, Mapping, Sequence
from textwrap import fill
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from latent_anchors._checks import check_finite, check_name
from latent_anchors.viz._arrays import Array, as_array_with_gaps, counted, joined, least_to_most
from latent_anchors.viz._end_names import name_curves
from latent_anchors.viz._log_axes import linear_up_to, scale_upward
from latent_anchors.viz._redrawing import redrawable
from latent_anchors.viz._themes import SMALL, Theme, ThemeName, dress, new_figure

MARKERS = ("o", "s", "^", "D", "v", "p", "<", "h")
"""A shape for each method, for eyes and printers that do not see the inks."""

WIDE, TALL = 8.0, 4.6
"""Inches."""

ROOM = 0.08
"""Share of the panel between its edges and what is outermost."""

OURS: dict[str, Any] = {"linewidth": 2.6, "markersize": 7.0, "zorder": 3.0}
RIVAL: dict[str, Any] = {"linewidth": 1.2, "markersize": 6.0, "zorder": 2.2}
"""What stands out, and what steps back, in points."""

RUN, LINE = 3.2, 120
"""Points across the dot of a run, and letters of a line below the panel, at most."""


@redrawable
def plot_frontier(
    curves: Mapping[str, tuple[ArrayLike, ArrayLike]],
    removal: str = "removal",
    collateral: str = "collateral",
    ours: Collection[str] = (),
    reference: float | None = None,
    reference_name: str = "",
    threshold: float | None = None,
    theme: ThemeName = "light",
    title: str | None = None,
) -> Figure:
    """Removal of a concept against damage elsewhere, a line for each method.

    A method is tried at several strengths, in several runs. Each mark on a line is a strength, at
    the mean over its runs in both directions; faint dots are the runs. What lies farther right at
    the same height is better. The axis of the collateral is linear near 0 and logarithmic beyond,
    so that none, little and much can all be read.

    Args:
        curves: By the method, its removal and its collateral: of one run ``(strengths,)`` each, or
            of several ``(strengths, runs)``, in the order of the strengths. Where either is None or
            NaN the run failed; it is left out at that strength, and counted below the panel.
        removal: What the axis across is, with its unit.
        collateral: What the axis upward is, with its unit.
        ours: Methods drawn most strongly: with thick lines and filled marks.
        reference: A removal to compare with, such as that of a model which never saw the concept:
            a dashed vertical line.
        reference_name: What the reference is; without it, its number stands there.
        threshold: The collateral up to which its axis is linear, on either side of 0; without it, a
            power of ten that follows from the means, two decades below the greatest or less.
        theme: Inks for a light or a dark page.
        title: Above the panel.

    Returns:
        The figure, known to pyplot.

    Raises:
        ValueError: There are no methods or more than eight, one is no pair of equal shapes, a value
            is infinite, a method has no value at all, there is no such method or theme, the
            reference is not finite or only its name is given, or the threshold is not positive.

    Examples:
        >>> import matplotlib.pyplot as plt
        >>> curves = {"anchored": ([0.5, 1], [0, 0.001]), "steered": ([0.4, 0.9], [0.01, 0.1])}
        >>> figure = plot_frontier(curves, ours=["anchored"], reference=1, reference_name="oracle")
        >>> figure.get_label().split(". ")[1]
        'anchored: from 0.5 at 0 to 1 at 0.001'
        >>> plt.close(figure)
    """
    points = as_points(curves)
    for name in ours:
        check_name("method in ours", name, [*curves])
    check_lines(reference, reference_name, threshold)
    means = {name: means_of(runs) for name, runs in points.items()}
    lines = {} if reference is None else {reference_name or f"{reference:g}": reference}
    words = f"{removal} against {collateral} of {counted(len(curves), 'method')}."
    said = [f"{each}." for each in failures(points)]
    words = " ".join([words, *descriptions(means, lines), *said])
    figure, inks = new_figure(theme, WIDE, TALL + (0.0 if title is None else 0.4), title, words)
    axes = figure.add_subplot()
    dress(axes, inks)
    axes.set_xlabel(fill(removal, 100), color=inks.ink, fontsize=SMALL)
    axes.set_ylabel(fill(collateral, 60), color=inks.ink, fontsize=SMALL)
    every = np.concatenate([runs.reshape(2, -1) for runs in points.values()], axis=1)
    scale_across(axes, np.array([*every[0], *lines.values()]))
    upward = np.concatenate([mean[1] for mean in means.values()])
    scale_upward(axes, every[1], threshold or linear_up_to(upward))
    draw_frame(axes, inks, lines)
    styles = styles_of(inks, [*curves], ours)
    for name, style in styles.items():
        draw_method(axes, points[name], means[name], style)
    name_curves(axes, inks, means, styles, ours, every, [*lines.values()])
    figure.supxlabel(note_of(points), color=inks.faint, fontsize=SMALL)
    return figure


def as_points(curves: Mapping[str, tuple[ArrayLike, ArrayLike]]) -> dict[str, Array]:
    """Removal and collateral of each method ``(2, strengths, runs)``; NaN in both or in neither."""
    if not 1 <= len(curves) <= len(MARKERS):
        raise ValueError(
            f"{len(curves)} methods were given; expected 1 to {len(MARKERS)}, which can be "
            "apart. Make several figures."
        )
    for name, pair in curves.items():
        if len(pair) != 2:
            raise ValueError(
                f"{name!r} has {counted(len(pair), 'part')}; expected 2: its removal and its "
                "collateral."
            )
    points = {name: as_pair(name, *pair) for name, pair in curves.items()}
    for name, runs in points.items():
        if np.isnan(runs).all():
            raise ValueError(
                f"No run of {name!r} has a value; expected one at least. See its failures first, "
                "or leave it out."
            )
    return points


def as_pair(name: str, removal: ArrayLike, collateral: ArrayLike) -> Array:
    """Both of a method, of one run or of several ``(2, strengths, runs)``."""
    axes = ("strengths", "runs")[: max(1, np.ndim(removal))]
    across = as_array_with_gaps(f"removal of {name!r}", removal, *axes)
    upward = as_array_with_gaps(f"collateral of {name!r}", collateral, *across.shape)
    both = np.stack([across, upward]).reshape(2, len(across), -1)
    return np.where(np.isnan(both).any(0), np.nan, both)


def check_lines(reference: float | None, reference_name: str, threshold: float | None) -> None:
    """Refuse a reference without a place, and a threshold that is none."""
    if reference is not None:
        check_finite("reference", reference)
    elif reference_name:
        raise ValueError(
            f"reference_name is {reference_name!r}, and there is no reference; expected both. Say "
            "at which removal it is."
        )
    if threshold is not None and not 0 < threshold < np.inf:
        raise ValueError(f"threshold is {threshold:g}; expected a positive number, or None.")


def means_of(runs: Array) -> Array:
    """Over the runs that have a value ``(2, strengths)``; NaN at a strength where none has."""
    return np.ma.masked_invalid(runs).mean(-1).filled(np.nan)


def descriptions(means: Mapping[str, Array], lines: Mapping[str, float]) -> list[str]:
    """What each method reaches, from its first strength to its greatest removal."""
    texts: list[str] = []
    for name, (across, upward) in means.items():
        first, most = int(np.isfinite(across).argmax()), int(np.nanargmax(across))
        ends = [f"{across[k]:.3g} at {upward[k]:.3g}" for k in dict.fromkeys((first, most))]
        texts.append(f"{name}: from {' to '.join(ends)}.")
    return texts + [f"Reference of {name}: {at:.3g}." for name, at in lines.items()]


def scale_across(axes: Axes, values: Array) -> None:
    """An axis that holds all values, and no removal at all."""
    low, high = min(0.0, np.nanmin(values)), max(0.0, np.nanmax(values))
    room = ROOM * (high - low) or 1.0
    axes.set_xlim(low - room, high + room)
    axes.xaxis.set_major_locator(MaxNLocator(8, steps=[1, 2, 5, 10]))


def draw_frame(axes: Axes, inks: Theme, lines: Mapping[str, float]) -> None:
    """Faint lines, one at no collateral, and the reference with its name above the panel."""
    axes.grid(color=inks.calm, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.axhline(0.0, color=inks.faint, linewidth=0.8, zorder=1.5)
    style: dict[str, Any] = {"textcoords": "offset points", "ha": "center", "va": "bottom"}
    style |= {"xycoords": axes.get_xaxis_transform(), "fontsize": SMALL, "color": inks.ink}
    for name, at in lines.items():
        axes.axvline(at, color=inks.faint, linewidth=1.2, linestyle="--", zorder=1.6)
        axes.annotate(name, (at, 1), (0, 3), **style)


def styles_of(
    inks: Theme, names: Sequence[str], ours: Collection[str]
) -> dict[str, dict[str, Any]]:
    """How each method's line looks; ours come first, and so have the first of inks and shapes."""
    order = sorted(names, key=lambda name: name not in ours)
    looks = zip(order, MARKERS, (*inks.lines, inks.faint, inks.ink), strict=False)
    styles: dict[str, dict[str, Any]] = {}
    for name, marker, color in looks:
        styles[name] = {"color": color, "marker": marker, "markeredgecolor": color}
        styles[name] |= OURS if name in ours else RIVAL | {"markerfacecolor": inks.page}
    return styles


def draw_method(axes: Axes, runs: Array, mean: Array, style: dict[str, Any]) -> None:
    """Faint runs, if there are several, behind the line of their means."""
    if runs.shape[-1] > 1:
        faint: dict[str, Any] = {"alpha": 0.3, "linewidths": 0, "zorder": 1.8}
        axes.scatter(*runs.reshape(2, -1), s=RUN**2, color=style["color"], **faint)
    there = np.isfinite(mean).all(0)  # where all runs failed, the line joins the neighbors
    axes.plot(*mean[:, there], clip_on=False, **style)


def note_of(points: Mapping[str, Array]) -> str:
    """What marks and dots are, and how many runs failed."""
    n = {runs.shape[-1] for runs in points.values()}
    every = f"{least_to_most(n)} run{'' if n == {1} else 's'}"
    several = f"Every mark is a strength, at the mean of {every}; every faint dot is a run"
    words = "Every mark is a strength, in a single run" if n == {1} else several
    return fill(". ".join([words, *failures(points)]), LINE)


def failures(points: Mapping[str, Array]) -> list[str]:
    """How many values do not exist, by method, if any."""
    missing = {name: int(np.isnan(runs[0]).sum()) for name, runs in points.items()}
    each = [f"{k} of {points[name][0].size} values of {name}" for name, k in missing.items() if k]
    return [f"Failed and left out: {joined(each)}"] if each else []
