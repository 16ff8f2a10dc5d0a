"""How measures respond to a dose: of labels, of weight, of anything that can be more or less."""

from collections.abc import Collection, Mapping, Sequence
from textwrap import fill
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from latent_anchors._checks import check_count
from latent_anchors.evaluation import Metric
from latent_anchors.viz._arrays import joined
from latent_anchors.viz._means import (
    BAR,
    MEAN,
    as_metrics,
    ends_of,
    intervals_of,
    mean_in_words,
    means_of,
    seeds_of,
    words_of_failures,
    words_of_runs,
)
from latent_anchors.viz._redrawing import redrawable
from latent_anchors.viz._seeds import DOT, swarm
from latent_anchors.viz._texts import text_width
from latent_anchors.viz._themes import SMALL, Theme, ThemeName, dress, new_figure

COLUMN, EDGE, TALL = 0.5, 0.55, 2.9
"""Inches: from one dose to the next, beside the doses of a panel, and of a panel's height."""

APART = 10
"""Points between the names of neighboring doses."""

LINE, SPARE = 130, 10
"""Letters of a line below all panels, about: as wide as a page; and for a word that would wrap."""

PAGE = 12.0
"""Inches beyond which panels go on in another row."""


@redrawable
def plot_response(
    label: str,
    doses: Sequence[str],
    values: Mapping[str, ArrayLike],
    shares: Collection[str] = (),
    alike: bool = False,
    theme: ThemeName = "light",
    title: str | None = None,
) -> Figure:
    """Measures against a dose, a panel for each.

    Every seed is a dot. The line joins the means; their bars are 95 % intervals, Student's, or
    Wilson's for shares. Doses stand side by side in the order given, evenly spaced.

    Args:
        label: What the doses are, below all panels.
        doses: What to call each.
        values: By measure, one row for each dose and one column for each seed ``(doses, runs)``;
            None or NaN where a run failed.
        shares: Names of the measures that are 0 or 1 in each run.
        alike: Whether all panels have one scale, as measures of one kind should.
        theme: Inks for a light or a dark page.
        title: Above all panels.

    Returns:
        The figure, known to pyplot.

    Raises:
        ValueError: There is no dose or no measure, a shape does not fit, a value is infinite, a
            share is neither 0 nor 1 on average, no seed has a value, or there is no such measure or
            theme.

    Examples:
        >>> import matplotlib.pyplot as plt
        >>> values = {"alignment of red": [[0.1, -0.3], [0.9, 0.7]]}
        >>> figure = plot_response("labels", ["none", "14"], values)
        >>> figure.axes[0].lines[0].get_ydata().round(2).tolist()
        [-0.1, 0.8]
        >>> plt.close(figure)
    """
    check_count("number of doses", len(doses))
    metrics = as_metrics(values, len(doses), shares)
    note = evenly_filled(f"{label}; every dot a seed, {words_of_runs(metrics)}")
    # names of neighboring doses must not touch
    column = max(COLUMN, *((text_width(dose, SMALL) + APART) / 72 for dose in doses))
    rows, across = grid_of(len(metrics), column * len(doses) + EDGE)
    wide = max(across * (column * len(doses) + EDGE), text_width(note, SMALL) / 72 + EDGE)
    tall = TALL * rows + (0.0 if title is None else 0.4)
    words = f"{joined([*metrics])} against {label}. {courses(doses, metrics)}"
    words += words_of_failures(metrics)
    figure, inks = new_figure(theme, wide, tall, title, words)
    panels = [*figure.subplots(rows, across, squeeze=False).flat]
    for spare in panels[len(metrics) :]:
        spare.remove()
    ends = {name: ends_of(measure) for name, measure in metrics.items()}
    if alike:
        every = [dose for measure in metrics.values() for dose in measure]
        ends = dict.fromkeys(ends, ends_of(every))
    for axes, (name, measure) in zip(panels, metrics.items(), strict=False):
        dress(axes, inks, name)
        draw_response(axes, inks, measure, ends[name])
        axes.set_xticks(range(len(doses)), [*doses])
    figure.supxlabel(note, color=inks.ink, fontsize=SMALL)
    return figure


def evenly_filled(words: str) -> str:
    """As many lines as are needed, about as long as each other, so that no word stands alone."""
    lines = -(-len(words) // LINE)
    return fill(words, len(words) // lines + SPARE)


def grid_of(panels: int, wide: float) -> tuple[int, int]:
    """Rows, and panels in each: as few rows as a page allows, and about as many in each."""
    rows = -(-panels // max(1, int(PAGE // wide)))
    return rows, -(-panels // rows)


def courses(doses: Sequence[str], metrics: Mapping[str, Sequence[Metric]]) -> str:
    """From where to where the mean of each measure goes."""
    means = {name: means_of(rows) for name, rows in metrics.items()}
    each = [
        f"{name}: {mean_in_words(mean[0])} at {doses[0]}, {mean_in_words(mean[-1])} at {doses[-1]}."
        for name, mean in means.items()
    ]
    return " ".join(each)


def draw_response(
    axes: Axes, inks: Theme, rows: Sequence[Metric], ends: tuple[float, float]
) -> None:
    """Seeds, intervals and the line of means, from the back to the front."""
    low, high = ends
    axes.set(xlim=(-0.6, len(rows) - 0.4), ylim=(low, high))
    axes.locator_params(axis="y", nbins=5)
    axes.grid(axis="y", color=inks.calm, linewidth=0.8)
    axes.set_axisbelow(True)
    seeds = [seeds_of(row) for row in rows]
    x = [dose + swarm((y - low) / (high - low) * 72 * TALL, COLUMN) for dose, y in enumerate(seeds)]
    style: dict[str, Any] = {"color": inks.faint, "alpha": 0.5, "linewidths": 0, "clip_on": False}
    axes.scatter(np.concatenate(x), np.concatenate(seeds), s=DOT**2, **style)
    at, means, intervals = np.arange(len(rows)), means_of(rows), intervals_of(rows)
    color = inks.lines[0]
    axes.vlines(at, *intervals.T, colors=color, linewidths=BAR, zorder=3)
    dot: dict[str, Any] = {"markeredgecolor": inks.page, "markeredgewidth": 0.8}
    axes.plot(at, means, "o-", color=color, markersize=MEAN + 2, zorder=3.1, **dot)
