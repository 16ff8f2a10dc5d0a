"""Errors round the color wheel, and the rainbows that they are drawn on."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from latent_anchors._checks import check_finite
from latent_anchors.colorspace import HUES, hsv_to_rgb
from latent_anchors.viz._arrays import Array, as_array, as_runs, hue_name, spread_of_runs
from latent_anchors.viz._line_names import name_lines
from latent_anchors.viz._redrawing import redrawable
from latent_anchors.viz._themes import SMALL, Theme, ThemeName, dress, new_figure

LINES = ((1.8, ""), (3.6, "o"), (2.7, "s"), (2.7, "^"), (2.7, "D"), (2.7, "v"))
"""Width in points, and marker at the named hues, of the first condition and those after it: shown
apart without their color, which is the data's."""


@redrawable
def plot_error_by_hue(
    hues: ArrayLike,
    errors: Mapping[str, ArrayLike],
    reference: tuple[str, float] | None = None,
    center: float = 0.5,
    theme: ThemeName = "light",
    title: str | None = None,
) -> Figure:
    """Error against hue, under one or several conditions.

    Each piece of a line has the color of its hue. Of several runs the line is the median, and the
    band reaches from the least to the greatest. Conditions differ in width and markers, and are
    named where they lie farthest apart.

    Args:
        hues: Where the errors were measured, in turns, ``(n,)``.
        errors: By the name of the condition: of one run ``(n,)``, or of several ``(runs, n)``.
        reference: A name and an error, drawn as a dotted line across.
        center: The hue in the middle, in turns; half a turn is shown on either side.
        theme: Inks for a light or a dark page.
        title: Above the panel.

    Returns:
        The figure, known to pyplot.

    Raises:
        ValueError: A shape does not fit, a number is not finite or an error below 0, there are no
            conditions or more than six, or no such theme.

    Examples:
        >>> import matplotlib.pyplot as plt
        >>> figure = plot_error_by_hue([0, 1 / 3, 2 / 3], {"muted": [0.25, 0.0, 0.0]})
        >>> figure.axes[0].get_ylabel()
        'mean squared error'
        >>> plt.close(figure)
    """
    turns, runs = as_errors(hues, errors)
    check_finite("center", center)
    if reference is not None:
        check_finite("reference", reference[1])
        check_not_negative("reference", reference[1])
    figure, inks = new_figure(theme, 9.0, 3.4, title, f"Errors by hue. {peaks(turns, runs)}")
    draw_errors(figure.add_subplot(), inks, turns, runs, reference, center, every=1)
    return figure


def as_errors(hues: ArrayLike, errors: Mapping[str, ArrayLike]) -> tuple[Array, dict[str, Array]]:
    """Hues ``(n,)`` and errors ``(runs, n)``."""
    if not 1 <= len(errors) <= len(LINES):
        raise ValueError(
            f"{len(errors)} conditions were given; expected 1 to {len(LINES)}, which can be "
            "apart. Make several figures."
        )
    turns = as_array("hues", hues, "n")
    runs = {name: as_runs(f"errors[{name!r}]", given, len(turns)) for name, given in errors.items()}
    for name, given in runs.items():
        check_not_negative(f"errors[{name!r}]", float(given.min()))
    return turns, runs


def check_not_negative(name: str, least: float) -> None:
    """Refuse what is no squared error, and would lie below the panel."""
    if least < 0:
        raise ValueError(
            f"The least of {name} is {least:g}; expected errors, 0 or greater. Draw differences "
            "with plot_response."
        )


def peaks(hues: Array, errors: Mapping[str, Array]) -> str:
    """Each condition's greatest error, and at which hue that is."""
    lines = {name: np.median(runs, 0) for name, runs in errors.items()}
    greatest = [
        f"{name}: {line.max():.2g} at most, at {hue_name(hues[line.argmax()])}."
        for name, line in lines.items()
    ]
    return " ".join(greatest)


def draw_errors(
    axes: Axes,
    inks: Theme,
    hues: Array,
    errors: Mapping[str, Array],
    reference: tuple[str, float] | None,
    center: float,
    every: int,
) -> None:
    """All lines and what belongs to them; one in ``every`` so many named hues is listed below."""
    x = around(center, hues)
    order = np.argsort(x, kind="stable")
    x, runs = x[order], [given[:, order] for given in errors.values()]
    top = max(reference[1] if reference else 0.0, *(float(given.max()) for given in runs))
    axes.set(xlim=(center - 0.5, center + 0.5), ylim=(-0.03 * top, 1.2 * top or 1.0))
    ticks = named_around(center)[::every]
    draw_frame(axes, inks, ticks, spread_of_runs(runs))
    if reference is not None:
        draw_reference(axes, inks, *reference)
    ring, rounds = closed(x, runs)
    # The first is thin, and would vanish behind the others where they agree.
    for given, (width, marker) in reversed([*zip(rounds, LINES, strict=False)]):
        if len(given) > 1:
            draw_band(axes, ring, given.min(0), given.max(0))
        draw_line(axes, inks, ring, np.median(given, 0), width)
        if marker:
            at = np.array([hue for hue, _ in ticks])
            draw_markers(axes, inks, ring, np.median(given, 0), at, marker)
    level = None if reference is None else reference[1]
    name_lines(axes, inks, x, dict(zip(errors, runs, strict=True)), level)


def named_around(center: float) -> list[tuple[float, str]]:
    """Named hues in turns, at most half a turn from the center; the farthest may come twice."""
    turns = np.floor(center) + np.arange(-1, 2)
    named = [(float(hue + turn), name) for turn in turns for name, hue in HUES.items()]
    return [(hue, name) for hue, name in named if abs(hue - center) < 0.5 + 1e-9]


def draw_frame(axes: Axes, inks: Theme, ticks: list[tuple[float, str]], spread: str) -> None:
    """Names below, faint lines across."""
    dress(axes, inks)
    axes.set_xticks([hue for hue, _ in ticks], [name for _, name in ticks])
    axes.set_ylabel(f"mean squared error{spread}", color=inks.ink, fontsize=SMALL)
    axes.grid(axis="y", color=inks.calm, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.locator_params(axis="y", nbins=6)
    axes.tick_params(axis="x", pad=7)


def draw_reference(axes: Axes, inks: Theme, name: str, error: float) -> None:
    """A dotted line across, named at its left end."""
    axes.axhline(error, color=inks.faint, linewidth=1, linestyle=":")
    style: dict[str, Any] = {"textcoords": "offset points", "fontsize": SMALL, "color": inks.faint}
    axes.annotate(name, (axes.get_xlim()[0], error), (2, 3), **style)


OUTLINE = 1.2
"""Points by which a line's outline is wider: yellow is hard to see on white, blue on black."""


GAP = 1.5
"""How many times as wide as any other the way past the panel's edge may be, to be drawn."""

FINE = 720
"""Hues in the picture of a band."""


def hue_colors(hues: Array) -> Array:
    """RGB ``(n, 3)`` of hues in turns ``(n,)`` at full saturation and value."""
    hue = torch.from_numpy(hues)
    return hsv_to_rgb(torch.stack([hue, *torch.ones(2, *hue.shape).to(hue)], dim=-1)).numpy()


def around(center: float, hues: Array) -> Array:
    """The same hues in turns, at most half a turn from the center."""
    away = np.abs(hues - center) > 0.5
    return np.where(away, hues - np.floor(hues - center + 0.5), hues)


def closed(x: Array, runs: Sequence[Array]) -> tuple[Array, Sequence[Array]]:
    """The outermost hues once more, a turn away, where nothing on the way is left out."""
    if len(x) < 2 or x[0] + 1 - x[-1] > GAP * np.diff(x).max():
        return x, runs
    again = [-1, *range(len(x)), 0]
    return np.array([x[-1] - 1, *x, x[0] + 1]), [given[:, again] for given in runs]


def between(x: Array) -> Array:
    """Colors of the pieces between neighboring hues ``(n - 1, 3)``."""
    return hue_colors((x[1:] + x[:-1]) / 2)


def draw_line(axes: Axes, inks: Theme, x: Array, y: Array, width: float) -> None:
    """A line whose pieces have their hue's color, with an outline."""
    axes.plot(x, y, color=inks.ink, linewidth=width + OUTLINE, solid_capstyle="round")
    if len(x) == 1:
        draw_markers(axes, inks, x, y, x, "o")
    points = np.stack([x, y], axis=-1)
    pieces = np.stack([points[:-1], points[1:]], axis=1)
    axes.add_collection(
        LineCollection([*pieces], colors=between(x), linewidths=width, capstyle="round", zorder=2.1)
    )


def draw_markers(axes: Axes, inks: Theme, x: Array, y: Array, at: Array, marker: str) -> None:
    """Markers on a line, at those of the hues that it reaches."""
    at = at[(at >= x[0]) & (at <= x[-1])]
    axes.scatter(
        at,
        np.interp(at, x, y),
        s=36,
        c=hue_colors(at),
        marker=marker,
        edgecolors=inks.ink,
        linewidths=OUTLINE / 2,
        clip_on=False,
        zorder=2.2,
    )


def draw_band(axes: Axes, x: Array, low: Array, high: Array) -> None:
    """The range between two lines, in a paler version of each hue's color."""
    shape = axes.fill_between(x, low, high, facecolor="none", linewidth=0)
    ends = axes.get_xlim()
    # One picture cut to shape: pieces side by side would show seams.
    picture = axes.imshow(
        hue_colors(np.linspace(*ends, FINE))[None],
        extent=(*ends, *axes.get_ylim()),
        aspect="auto",
        origin="upper",
        alpha=0.3,
        zorder=1,
    )
    picture.set_clip_path(shape.get_paths()[0], axes.transData)
