"""Dose and response: effect, collateral and realized displacement against an edit's strength."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from latent_anchors.evaluation import DoseResponse, Metric
from latent_anchors.viz._arrays import joined
from latent_anchors.viz._means import (
    ends_of,
    intervals_of,
    mean_in_words,
    means_of,
    words_of_failures,
    words_of_runs,
)
from latent_anchors.viz._redrawing import redrawable
from latent_anchors.viz._themes import NORMAL, SMALL, Theme, ThemeName, new_figure
from latent_anchors.viz._track_lines import draw_alone, dress_panel

WIDTH, TALL = 3.0, 2.6
"""Inches of a panel."""


@redrawable
def plot_dose_response(
    response: DoseResponse,
    effect: str = "effect",
    collateral: str = "collateral",
    alike: bool = False,
    theme: ThemeName = "light",
    title: str | None = None,
) -> Figure:
    """Effect and collateral of an edit against its strength, and how far latents really moved.

    The thick line is the mean over the runs, the area around it the 95 % interval; thin lines are
    the runs. In the last panel the dashed line is what was asked for: a displacement in proportion
    to the strength. Where the other line leaves it, the edit saturates.

    Args:
        response: What :func:`~latent_anchors.evaluation.dose_response` gave.
        effect: What to call what was measured of the concept.
        collateral: What to call what was measured elsewhere.
        alike: Whether effect and collateral have one scale, as measures of one kind should.
        theme: Inks for a light or a dark page.
        title: Above all panels.

    Returns:
        The figure, known to pyplot.

    Raises:
        ValueError: Both measures have one name, no run has a value, or there is no such theme.

    Examples:
        >>> import matplotlib.pyplot as plt
        >>> from latent_anchors.evaluation import summarize
        >>> rows = summarize([0.0]), summarize([0.3])
        >>> figure = plot_dose_response(DoseResponse((0.0, 1.0), rows, rows, rows, ((), ())))
        >>> [axes.get_title() for axes in figure.axes]
        ['effect', 'collateral', 'realized displacement']
        >>> plt.close(figure)
    """
    panels: dict[str, Sequence[Metric]] = {effect: response.effect}
    if response.collateral is not None:
        panels[collateral] = response.collateral
    panels["realized displacement"] = response.displacement
    if len(panels) < 2 + (response.collateral is not None):
        raise ValueError(
            f"The measures are called {effect!r} and {collateral!r}; expected different names, "
            "other than 'realized displacement'."
        )
    figure, inks = new_figure(
        theme,
        WIDTH * len(panels),
        TALL + (0.0 if title is None else 0.4),
        title,
        _words(response.strengths, panels),
    )
    measured = [metric for rows in [*panels.values()][:-1] for metric in rows]
    ends = {name: ends_of(measured if alike else rows) for name, rows in panels.items()}
    ends["realized displacement"] = ends_of(response.displacement)
    colors = [*inks.lines[: len(panels) - 1], inks.ink]
    axes_of = figure.subplots(1, len(panels), squeeze=False).flat
    for axes, color, (name, rows) in zip(axes_of, colors, panels.items(), strict=True):
        dress_panel(axes, inks, np.array(ends[name]), logarithmic=False)
        axes.set_title(name, color=inks.ink, fontsize=NORMAL)
        axes.set_xlabel("strength asked for", color=inks.ink, fontsize=SMALL)
        _draw(axes, color, response.strengths, rows)
    _draw_asked(figure.axes[-1], inks, response)
    figure.supxlabel(words_of_runs(panels), color=inks.faint, fontsize=SMALL)
    return figure


def _words(strengths: Sequence[float], panels: Mapping[str, Sequence[Metric]]) -> str:
    """From where to where each mean goes."""
    means = {name: means_of(rows) for name, rows in panels.items()}
    each = [
        f"{name} from {mean_in_words(mean[0])} to {mean_in_words(mean[-1])}"
        for name, mean in means.items()
    ]
    span = f"Strength from {strengths[0]:g} to {strengths[-1]:g}"
    return f"{span}: {joined(each)}.{words_of_failures(panels)}"


def _draw(axes: Axes, color: str, strengths: Sequence[float], rows: Sequence[Metric]) -> None:
    """Runs, intervals and means, from the back to the front."""
    runs = np.array([metric.per_seed for metric in rows], dtype=np.float64)
    axes.plot(strengths, runs, color=color, linewidth=0.5, alpha=0.35)
    axes.fill_between(strengths, *intervals_of(rows).T, color=color, alpha=0.25, linewidth=0)
    axes.plot(strengths, means_of(rows), "o-", color=color, linewidth=2, markersize=3.5)
    draw_alone(axes, strengths, runs, color)


def _draw_asked(axes: Axes, inks: Theme, response: DoseResponse) -> None:
    """A straight line through the first dose above 0, which a linear edit follows."""
    moved = means_of(response.displacement)
    there = [k for k, s in enumerate(response.strengths) if s > 0 and np.isfinite(moved[k])]
    if not there:
        return
    x = np.array([0.0, response.strengths[-1]])
    slope = moved[there[0]] / response.strengths[there[0]]
    low, high = axes.get_ylim()
    axes.plot(x, slope * x, "--", color=inks.faint, linewidth=1, zorder=1)
    axes.set_ylim(low, max(high, 1.08 * slope * x[1]))
