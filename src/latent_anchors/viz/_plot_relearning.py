"""How soon fine-tuning brings a concept back."""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullFormatter
from numpy.typing import ArrayLike, NDArray

from latent_anchors._checks import check_finite, check_name
from latent_anchors.viz._arrays import (
    SINGLE,
    Array,
    as_runs,
    as_steps,
    counted,
    spread_of_runs,
)
from latent_anchors.viz._log_axes import number_plainly
from latent_anchors.viz._redrawing import redrawable
from latent_anchors.viz._themes import SMALL, Theme, ThemeName, dress, new_figure
from latent_anchors.viz._track_lines import draw_alone, name_ends

Logarithmic = Literal["neither", "steps", "errors", "both"]

KINDS = 6
"""Networks that can be distinguished, one for each ink."""

DASHES = ("-", (0, (5, 1.5)), (0, (1, 1)), (0, (5, 1.5, 1, 1.5)), (0, (8, 2)), (0, (3, 1, 1, 1)))
"""For eyes and printers that do not see the inks."""

HEIGHT = 4.2
"""Inches."""


@redrawable
def plot_relearning(
    steps: ArrayLike,
    errors: Mapping[str, ArrayLike],
    threshold: float | None = None,
    logarithmic: Logarithmic = "errors",
    label: str = "error of the concept",
    theme: ThemeName = "light",
    title: str | None = None,
) -> Figure:
    """Error against steps of fine-tuning, a line for each kind of network.

    Of several runs the line is the median, and the band reaches from the least to the greatest.
    Where a line first comes down to the threshold it has a dot, and its name tells the step.

    Args:
        steps: When errors were measured, increasing, ``(n,)``.
        errors: By the kind of network: of one run ``(n,)``, or of several ``(runs, n)``.
        threshold: An error, drawn as a dotted line across.
        logarithmic: Which axes are; they have positive numbers only.
        label: What the error is of.
        theme: Inks for a light or a dark page.
        title: Above the panel.

    Returns:
        The figure, known to pyplot.

    Raises:
        ValueError: A shape does not fit, a number is not finite or not positive on a logarithmic
            axis, steps are not whole or do not increase, there are no kinds or more than six, or
            there is no such choice of axes or theme.

    Examples:
        >>> import matplotlib.pyplot as plt
        >>> figure = plot_relearning([1, 2, 3], {"fresh": [0.2, 0.1, 0.01]}, threshold=0.05)
        >>> figure.axes[0].get_yscale()
        'log'
        >>> plt.close(figure)
    """
    check_name("logarithmic", logarithmic, ["neither", "steps", "errors", "both"])
    if not 1 <= len(errors) <= KINDS:
        raise ValueError(
            f"{len(errors)} kinds of networks were given; expected 1 to {KINDS}, which can be "
            "apart. Make several figures."
        )
    x = as_steps(steps, "n")
    runs = {name: as_runs(f"errors[{name!r}]", given, len(x)) for name, given in errors.items()}
    levels = [] if threshold is None else [threshold]
    for level in levels:
        check_finite("threshold", level)
    middles = {name: np.median(given, 0) for name, given in runs.items()}
    names = {name: described(name, x, middle, threshold) for name, middle in middles.items()}
    words = f"{label} over {x[-1]:,.0f} steps of fine-tuning"
    words += "" if threshold is None else f", and when it first comes down to {threshold:g}"
    figure, inks = new_figure(theme, 9.0, HEIGHT, title, f"{words}. {'; '.join(names.values())}.")
    axes = figure.add_subplot()
    dress(axes, inks)
    every = [given.ravel() for given in runs.values()]
    scale_axes(axes, x, np.concatenate([*every, levels]), logarithmic)
    draw_frame(axes, inks, f"{label}{spread_of_runs(runs.values())}")
    if threshold is not None:
        draw_threshold(axes, inks, threshold)
    for color, dash, given in zip(inks.lines, DASHES, runs.values(), strict=False):
        draw_kind(axes, inks, x, given, threshold, {"color": color, "linestyle": dash})
    ends = {names[name]: (float(x[-1]), float(middle[-1])) for name, middle in middles.items()}
    name_ends(axes, inks, ends, HEIGHT)
    return figure


def scale_axes(axes: Axes, steps: Array, errors: Array, logarithmic: Logarithmic) -> None:
    """Axes that hold everything, logarithmic as asked for."""
    if logarithmic in ("steps", "both"):
        check_positive("steps", steps)
        axes.set_xscale("log")
    else:
        axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    if logarithmic in ("errors", "both"):
        check_positive("errors and threshold", errors)
        axes.set(yscale="log", ylim=(errors.min() / 1.3, errors.max() * 1.3))
        number_plainly(axes.yaxis)
    else:
        low, high = min(0.0, errors.min()), max(0.0, errors.max())
        axes.set_ylim(1.05 * low, 1.05 * high if high or low else 1.0)
    axes.set_xlim(steps[0], steps[-1] + (len(steps) == 1))
    if axes.get_xscale() == "log":
        number_plainly(axes.xaxis)


def check_positive(name: str, numbers: Array) -> None:
    """Refuse what a logarithmic axis does not have."""
    if numbers.min() <= 0:
        raise ValueError(
            f"The least of {name} is {numbers.min():g}; expected positive numbers on a logarithmic "
            "axis. Leave them out, or choose another axis."
        )


def draw_frame(axes: Axes, inks: Theme, label: str) -> None:
    """What is measured, and faint lines across."""
    axes.set_ylabel(label, color=inks.ink, fontsize=SMALL)
    axes.set_xlabel("steps of fine-tuning", color=inks.ink, fontsize=SMALL)
    numbered = not isinstance(axes.yaxis.get_minor_formatter(), NullFormatter)
    axes.grid(which="both" if numbered else "major", color=inks.calm, linewidth=0.8)
    axes.set_axisbelow(True)


def draw_threshold(axes: Axes, inks: Theme, threshold: float) -> None:
    """A dotted line across, named at its right end, where lines have come down."""
    axes.axhline(threshold, color=inks.faint, linewidth=1, linestyle=":")
    style: dict[str, Any] = {"textcoords": "offset points", "fontsize": SMALL, "color": inks.faint}
    axes.annotate(f"{threshold:g}", (axes.get_xlim()[1], threshold), (-3, 3), ha="right", **style)


def draw_kind(
    axes: Axes, inks: Theme, x: Array, runs: Array, threshold: float | None, style: dict[str, Any]
) -> None:
    """Median and range, and a dot where the median first comes down to the threshold."""
    middle = np.median(runs, 0)
    if len(runs) > 1:
        axes.fill_between(
            x, runs.min(0), runs.max(0), facecolor=style["color"], alpha=0.16, linewidth=0
        )
    axes.plot(x, middle, linewidth=2.0, **style)
    draw_alone(axes, x, middle, style["color"])
    there = reached(middle, threshold)[:1]
    dot: dict[str, Any] = {"markeredgecolor": inks.page, "markeredgewidth": 0.8, "zorder": 3}
    axes.plot(
        x[there], middle[there], "o", color=style["color"], markersize=7, clip_on=False, **dot
    )


def reached(middle: Array, threshold: float | None) -> NDArray[np.int_]:
    """Where an error is no greater than the threshold, up to rounding, if there is one."""
    bound = -np.inf if threshold is None else threshold + SINGLE * abs(threshold)
    return np.flatnonzero(middle <= bound)


def described(name: str, x: Array, middle: Array, threshold: float | None) -> str:
    """A name, and when the threshold is reached."""
    if threshold is None:
        return name
    there = x[reached(middle, threshold)]
    return f"{name}: {counted(round(there[0]), 'step')}" if len(there) else f"{name}: not reached"
