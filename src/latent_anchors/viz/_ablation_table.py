"""What each combination of parts does: a matrix of combinations and measures."""

import math
from collections.abc import Collection, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from latent_anchors._checks import check_count
from latent_anchors.evaluation import Metric
from latent_anchors.viz._arrays import counted, joined
from latent_anchors.viz._means import (
    BAR,
    MEAN,
    as_metrics,
    ends_of,
    intervals_of,
    means_of,
    seeds_of,
    words_of_runs,
)
from latent_anchors.viz._redrawing import redrawable
from latent_anchors.viz._themes import SMALL, Theme, ThemeName, dress, new_figure

ROW, PART, CELL = 0.3, 0.58, 1.45
"""Inches: of a row, of the column of a part, and of that of a measure."""

TICK = 0.28
"""Half the height of a seed's hairline, where rows are 1 apart."""

NUMBER, GAP = 0.5, 0.08
"""How much room the numbers have left of an axis, and between them and it, if it is 1 long."""


@redrawable
def plot_ablation_table(
    combinations: Sequence[Collection[str]],
    values: Mapping[str, ArrayLike],
    shares: Collection[str] = (),
    theme: ThemeName = "light",
    title: str | None = None,
) -> Figure:
    """Measures of every combination of some parts, a row for each combination.

    Parts that are present are full circles. In the cell of a measure stand the mean, and on an
    axis that all rows of the measure share: every seed as a hairline, the 95 % interval of the mean
    as a bar, Student's, or Wilson's for shares, and the mean as a dot. A star tells that runs
    failed.

    Args:
        combinations: The names of the parts of each; columns stand in the order of their names'
            first appearance.
        values: By measure, one row for each combination and one column for each seed
            ``(combinations, runs)``; None or NaN where a run failed.
        shares: Names of the measures that are 0 or 1 in each run.
        theme: Inks for a light or a dark page.
        title: Above everything.

    Returns:
        The figure, known to pyplot.

    Raises:
        TypeError: A combination is a name instead of a list of names.
        ValueError: There is no combination, no part in any of them, or no measure; a shape does not
            fit, a value is infinite, a share is neither 0 nor 1 on average, no seed has a value, or
            there is no such measure or theme.

    Examples:
        >>> import matplotlib.pyplot as plt
        >>> values = {"alignment of red": [[0.1, -0.3], [0.9, 0.7]]}
        >>> figure = plot_ablation_table([[], ["anchor"]], values)
        >>> [text.get_text() for text in figure.axes[1].texts]
        ['-0.10', '0.80']
        >>> plt.close(figure)
    """
    check_combinations(combinations)
    metrics = as_metrics(values, len(combinations), shares)
    parts = [*dict.fromkeys(chain.from_iterable(combinations))]
    check_count("number of parts", len(parts))
    widths = [PART * len(parts), *[CELL] * len(metrics)]
    height = ROW * len(combinations) + (0.8 if title is None else 1.2)
    words = f"{joined([*metrics])} of {counted(len(combinations), 'combination')} of "
    words += f"{joined(parts)}. {extremes(combinations, metrics)}"
    figure, inks = new_figure(theme, sum(widths) + 0.4, height, title, words)
    panels = figure.subplots(1, len(widths), width_ratios=widths, sharey=True)
    draw_parts(panels[0], inks, combinations, parts)
    for axes, (name, rows) in zip(panels[1:], metrics.items(), strict=True):
        draw_measure(axes, inks, name, rows)
    starred = any(star(metric) for rows in metrics.values() for metric in rows)
    fewer = "; * of those that did not fail" if starred else ""
    note = f"every hairline a seed; {words_of_runs(metrics)}{fewer}"
    figure.supxlabel(note, color=inks.ink, fontsize=SMALL)
    return figure


def check_combinations(combinations: Sequence[Collection[str]]) -> None:
    """Refuse names by themselves, whose letters would be the parts."""
    for names in combinations:
        if isinstance(names, str):
            raise TypeError(
                f"A combination is {names!r}; expected the names of its parts. Write [{names!r}]."
            )


def extremes(
    combinations: Sequence[Collection[str]], metrics: Mapping[str, Sequence[Metric]]
) -> str:
    """The least and the greatest mean of each measure, and whose they are."""
    names = [joined([*each]) if each else "none" for each in combinations]
    parts: list[str] = []
    for name, rows in metrics.items():
        means = sorted(
            (row.mean, who) for row, who in zip(rows, names, strict=True) if row.mean is not None
        )
        if means:
            (least, lowest), (most, highest) = means[0], means[-1]
            parts.append(f"{name}: from {least:.3g} with {lowest} to {most:.3g} with {highest}.")
    return " ".join(parts)


def draw_parts(
    axes: Axes, inks: Theme, combinations: Sequence[Collection[str]], parts: Sequence[str]
) -> None:
    """A circle for each part of each combination, full where it is present."""
    dress(axes, inks)
    last = len(combinations) - 0.5
    axes.set(xlim=(-0.5, len(parts) - 0.5), ylim=(last, -0.5), yticks=[])
    axes.set_xticks(range(len(parts)), parts)
    axes.tick_params(axis="x", labeltop=True, labelbottom=False)
    draw_bands(axes, inks, len(combinations))
    there = np.array([[part in each for part in parts] for each in combinations])
    for present, color in ((True, inks.ink), (False, "none")):
        rows, columns = np.nonzero(there == present)
        axes.scatter(columns, rows, s=MEAN**2, c=color, edgecolors=inks.faint, linewidths=0.8)


def draw_measure(axes: Axes, inks: Theme, name: str, rows: Sequence[Metric]) -> None:
    """Numbers, and beside them seeds, intervals and means, all rows on one axis."""
    dress(axes, inks, name)
    axes.tick_params(axis="y", labelleft=False)
    draw_bands(axes, inks, len(rows))
    low, high = ends_of(rows)
    axes.set_xlim(low - NUMBER * (high - low), high)
    ticks = MaxNLocator(3, steps=[1, 2, 5, 10]).tick_values(low, high)
    axes.set_xticks([tick for tick in ticks if low <= tick <= high])
    axes.grid(axis="x", color=inks.faint, linewidth=0.5, alpha=0.5)
    axes.set_axisbelow(True)
    for row, metric in enumerate(rows):
        style: dict[str, Any] = {"colors": inks.faint, "linewidths": 0.7, "alpha": 0.45}
        axes.vlines(seeds_of(metric), row - TICK, row + TICK, **style)
    at, means = np.arange(len(rows)), means_of(rows)
    axes.hlines(at, *intervals_of(rows).T, colors=inks.lines[0], linewidths=BAR, zorder=3)
    dot: dict[str, Any] = {"edgecolors": inks.page, "linewidths": 0.6, "zorder": 3.1}
    axes.scatter(means, at, s=MEAN**2, c=inks.lines[0], clip_on=False, **dot)
    style = {"color": inks.ink, "fontsize": SMALL, "ha": "right", "va": "center"}
    for row, number in enumerate(numbers(rows)):
        axes.text(low - GAP * (high - low), row, number, **style)


def numbers(rows: Sequence[Metric]) -> list[str]:
    """Means, with as many decimals as the greatest needs, and a star where a run failed."""
    greatest = float(np.nanmax(np.abs(means_of(rows))))
    decimals = max(0, 2 - math.ceil(math.log10(float(f"{greatest:.1g}") or 1.0)))
    means = ["none" if row.mean is None else f"{row.mean:z.{decimals}f}" for row in rows]
    return [mean + star(row) for mean, row in zip(means, rows, strict=True)]


def star(metric: Metric) -> str:
    """What tells that a run failed."""
    return "*" if metric.n < len(metric.per_seed) else ""


def draw_bands(axes: Axes, inks: Theme, rows: int) -> None:
    """Every other row shaded, for the eye to follow."""
    for row in range(1, rows, 2):
        axes.axhspan(row - 0.5, row + 0.5, facecolor=inks.calm, linewidth=0, zorder=0)
