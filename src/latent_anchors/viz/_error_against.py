"""Errors against what should explain them, color by color."""

from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from latent_anchors.evaluation import squared_correlation
from latent_anchors.viz._arrays import Array, as_array, as_colors, as_runs, counted
from latent_anchors.viz._redrawing import redrawable
from latent_anchors.viz._themes import SMALL, Theme, ThemeName, dress, new_figure


@redrawable
def plot_error_against(
    label: str,
    predictor: ArrayLike,
    errors: ArrayLike,
    colors: ArrayLike,
    theme: ThemeName = "light",
    title: str | None = None,
) -> Figure:
    """Error of each color against what should explain it, such as similarity to a concept.

    Each dot has its color. Of several runs a dot is at the mean, with a hairline from the least to
    the greatest. The dashed line is the regression of the means; beside it stands how much of the
    errors' variance it explains, as `evaluation.squared_correlation` has it, over runs: nothing
    where errors fall as the predictor rises, and there is no line then.

    Args:
        label: What the predictor is, below it.
        predictor: Of each color ``(n,)``.
        errors: Of one run ``(n,)``, or of several ``(runs, n)``.
        colors: RGB ``(n, 3)`` from 0 to 1.
        theme: Inks for a light or a dark page.
        title: Above the panel.

    Returns:
        The figure, known to pyplot.

    Raises:
        ValueError: A shape does not fit, a number is not finite or no color, the predictor is the
            same everywhere, or there is no such theme.

    Examples:
        >>> import matplotlib.pyplot as plt
        >>> grays = [[0, 0, 0], [0.5, 0.5, 0.5], [1, 1, 1]]
        >>> figure = plot_error_against("lightness", [0, 0.5, 1], [0, 0.1, 0.2], grays)
        >>> figure.axes[0].get_legend().texts[0].get_text()
        'R² 1.000'
        >>> plt.close(figure)
    """
    x = as_array("predictor", predictor, "n")
    runs = as_runs("errors", errors, len(x))
    fill = as_colors("colors", colors, len(x))
    if x.min() == x.max():
        raise ValueError(
            f"predictor is {x[0]:g} for every color; expected at least two values, for a line to "
            "be drawn. Choose colors that differ in it."
        )
    r2 = squared_correlation(torch.from_numpy(runs), torch.from_numpy(x).expand(runs.shape)).numpy()
    words = f"Errors of {counted(len(x), 'color')} against {label}, "
    words += f"which explains {r2.mean():.0%} of their variance."
    figure, inks = new_figure(theme, 6.0, 4.4, title, words)
    axes = figure.add_subplot()
    dress(axes, inks)
    axes.grid(color=inks.calm, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.set_xlabel(label, color=inks.ink, fontsize=SMALL)
    each = f"\nmean and range of {len(runs)} runs" if len(runs) > 1 else ""
    axes.set_ylabel(f"mean squared error{each}", color=inks.ink, fontsize=SMALL)
    draw_dots(axes, inks, x, runs, fill)
    draw_regression(axes, inks, x, runs, r2)
    return figure


def draw_dots(axes: Axes, inks: Theme, x: Array, runs: Array, fill: Array) -> None:
    """A dot for each color at the mean, the range a hairline; no color hides under those alike."""
    if len(runs) > 1:
        axes.vlines(x, runs.min(0), runs.max(0), colors=inks.faint, linewidths=0.5, alpha=0.5)
    edge: dict[str, Any] = {"edgecolors": inks.faint, "linewidths": 0.5, "zorder": 2.1}
    axes.scatter(x, runs.mean(0), s=26, c=fill, clip_on=False, **edge)


def draw_regression(axes: Axes, inks: Theme, x: Array, runs: Array, r2: Array) -> None:
    """The line of least squares, and how much it explains of each run."""
    mean = runs.mean(0)
    slope = float((x - x.mean()) @ mean / np.square(x - x.mean()).sum())
    ends = np.array([x.min(), x.max()])
    spread = f" ({r2.min():.3f} to {r2.max():.3f} over {len(runs)} runs)"
    label = f"R² {r2.mean():.3f}{spread if len(runs) > 1 else ''}"
    style: dict[str, Any] = {"color": inks.ink, "linewidth": 1.2, "label": label, "zorder": 2.2}
    line = mean.mean() + slope * (ends - x.mean())
    shown = slice(None if slope >= 0 else 0)
    axes.plot(ends[shown], line[shown], "--", **style)
    axes.legend(loc="upper left", frameon=False, labelcolor=inks.ink, fontsize=SMALL)
