"""Latents at several moments of a training, side by side."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from latent_anchors._checks import check_count
from latent_anchors.viz._arrays import Array, as_array, as_colors, as_steps, counted, edges, joined
from latent_anchors.viz._plot_latents import (
    PANEL,
    View,
    check_view,
    draw_disc,
    draw_points,
    reach_of,
)
from latent_anchors.viz._redrawing import mathematics, redrawable
from latent_anchors.viz._themes import NORMAL, SMALL, ThemeName, new_figure

WIDTH = 9.0
"""Inches across a strip, at most."""


@redrawable
def plot_unfolding(
    moments: Mapping[str, ArrayLike],
    colors: ArrayLike,
    view: View = (1, 0, 2),
    theme: ThemeName = "light",
    title: str | None = None,
) -> Figure:
    """The same colors' latents at several moments, a panel each, all from one side.

    Args:
        moments: By what to call each: latents of one run, ``(n, dim)``.
        colors: What they are latents of, RGB ``(n, 3)`` from 0 to 1; they fill the points.
        view: The dimensions that point right, up and toward the viewer, as in `plot_latents`.
        theme: Inks for a light or a dark page.
        title: Above all panels.

    Returns:
        The figure, known to pyplot.

    Raises:
        ValueError: A shape does not fit, a number is not finite or no color, the view names a
            dimension twice or one that is not there, there is no moment, or no such theme.

    Examples:
        >>> import matplotlib.pyplot as plt
        >>> figure = plot_unfolding({"before": [[0, 0, 0]], "after": [[1, 0, 0]]}, [[1, 0, 0]])
        >>> [axes.get_title() for axes in figure.axes]
        ['before', 'after']
        >>> plt.close(figure)
    """
    check_count("number of moments", len(moments))
    fill = as_colors("colors", colors, "n")
    latents = {
        name: as_array(f"moments[{name!r}]", z, len(fill), "dim") for name, z in moments.items()
    }
    for z in latents.values():
        check_view(view, z.shape[1])
    return draw_strip(latents, fill, view, theme, title)


@redrawable
def plot_snapshots(
    frames: ArrayLike,
    colors: ArrayLike,
    steps: Sequence[int],
    count: int = 6,
    view: View = (1, 0, 2),
    theme: ThemeName = "light",
    title: str | None = None,
) -> Figure:
    """A few of the frames of `animate_latents` in a strip, for print.

    Args:
        frames: Latents of one run, moment by moment, ``(frames, n, dim)``.
        colors: What they are latents of, RGB ``(n, 3)`` from 0 to 1; they fill the points.
        steps: When each frame was taken, increasing.
        count: How many are shown, at most: the first, the last, and those that are nearest to even
            distances in between.
        view: The dimensions that point right, up and toward the viewer, as in `plot_latents`.
        theme: Inks for a light or a dark page.
        title: Above all panels.

    Returns:
        The figure, known to pyplot.

    Raises:
        TypeError: The count is not a whole number.
        ValueError: A shape does not fit, a number is not finite or no color, steps do not increase,
            the view names a dimension twice or one that is not there, fewer than two are to be
            shown, or there is no such theme.

    Examples:
        >>> import matplotlib.pyplot as plt
        >>> red = [[1, 0, 0]]
        >>> figure = plot_snapshots([[[0, 0, 0]], [[1, 0, 0]]], red, steps=[100, 2000])
        >>> [axes.get_title() for axes in figure.axes]
        ['step 100', 'step 2,000']
        >>> plt.close(figure)
    """
    check_count("count", count, least=2)
    z, fill, at = as_frames(frames, colors, steps)
    check_view(view, z.shape[2])
    shown = {f"step {at[k]:,.0f}": z[k] for k in evenly(at, count)}
    return draw_strip(shown, fill, view, theme, title)


def as_frames(
    frames: ArrayLike, colors: ArrayLike, steps: Sequence[int]
) -> tuple[Array, Array, Array]:
    """Latents ``(frames, n, dim)``, colors ``(n, 3)`` and steps ``(frames,)``."""
    fill = as_colors("colors", colors, "n")
    z = as_array("frames", frames, "frames", len(fill), "dim")
    return z, fill, as_steps(steps, len(z))


def evenly(at: Array, count: int) -> list[int]:
    """Which of these moments are nearest to so many at even distances."""
    wanted = np.linspace(float(at[0]), float(at[-1]), count)
    return sorted({*np.abs(at - wanted[:, None]).argmin(-1).tolist()})


def draw_strip(
    moments: Mapping[str, Array], fill: Array, view: View, theme: ThemeName, title: str | None
) -> Figure:
    """A panel for each moment, all of one scale, on a page's width."""
    last = [*moments.values()][-1]
    words = f"{counted(len(fill), 'color')} in latent space: {joined([*moments])}; at last "
    words += f"{edges(last, fill, view)}."
    wide = min(PANEL, WIDTH / len(moments))
    height = wide + (0.45 if title is None else 0.8)
    figure, inks = new_figure(theme, wide * len(moments), height, title, words)
    right, up, toward = (f"$z_{{{dim}}}$" for dim in view)
    seen = f"{right} to the right, {up} up, {toward} toward you"
    mathematics(figure.supxlabel(seen, color=inks.faint, fontsize=SMALL))
    panels = figure.subplots(1, len(moments), squeeze=False).flat
    reach = max(reach_of(z, view) for z in moments.values())
    for axes, (name, z) in zip(panels, moments.items(), strict=True):
        draw_disc(axes, inks, reach)
        draw_points(axes, inks, z, fill, None, view, wide / PANEL)
        axes.set_title(name, color=inks.ink, fontsize=NORMAL)
    return figure
