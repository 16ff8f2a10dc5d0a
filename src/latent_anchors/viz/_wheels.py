"""Color wheels: latents of two dimensions, or two of them."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from numpy.typing import ArrayLike

from latent_anchors._checks import check_count
from latent_anchors.viz._arrays import Array, as_array, as_colors, counted, edges, joined
from latent_anchors.viz._plot_latents import PANEL, ROOM, point_width
from latent_anchors.viz._redrawing import redrawable
from latent_anchors.viz._themes import Theme, ThemeName, dress, new_figure

HELD_OUT = 0.3
"""How wide the point of a color that is held out is, as a share of another's."""


@redrawable
def plot_wheels(
    wheels: Mapping[str, ArrayLike],
    colors: ArrayLike,
    kept: ArrayLike | None = None,
    theme: ThemeName = "light",
    title: str | None = None,
) -> Figure:
    """The same colors on several wheels, a panel each; those that are held out are small.

    The first dimension points up and the second right, as in the first view of `plot_latents`. The
    disc has the radius 1.

    Args:
        wheels: By what to call each: where the colors lie, ``(n, 2)``.
        colors: RGB ``(n, 3)`` from 0 to 1; they fill the points.
        kept: Which are not held out, ``(n,)``, true or false; all if None.
        theme: Inks for a light or a dark page.
        title: Above all panels.

    Returns:
        The figure, known to pyplot.

    Raises:
        ValueError: A shape does not fit, a number is not finite or no color, there is no wheel, or
            no such theme.

    Examples:
        >>> import matplotlib.pyplot as plt
        >>> figure = plot_wheels({"seed 0": [[1, 0], [0, 1]]}, [[1, 0, 0], [0, 1, 1]])
        >>> [axes.get_title() for axes in figure.axes]
        ['seed 0']
        >>> plt.close(figure)
    """
    check_count("number of wheels", len(wheels))
    fill = as_colors("colors", colors, "n")
    places = {name: as_array(f"wheels[{name!r}]", z, len(fill), 2) for name, z in wheels.items()}
    shown = np.ones(len(fill)) if kept is None else as_array("kept", kept, len(fill))
    height = PANEL + (0.25 if title is None else 0.5)
    words = f"{counted(int(np.count_nonzero(shown)), 'color')} on a wheel, "
    words += f"for {joined([*places])}; in the first "
    drawn = shown > 0 if shown.any() else np.ones(len(fill), dtype=bool)
    words += f"{edges(next(iter(places.values()))[drawn], fill[drawn], (1, 0))}."
    held_out = int(np.count_nonzero(shown == 0))
    words += f" Held out: {held_out:,}." if held_out else ""
    figure, inks = new_figure(theme, PANEL * len(places), height, title, words)
    panels = figure.subplots(1, len(places), squeeze=False).flat
    for axes, (name, z) in zip(panels, places.items(), strict=True):
        dress(axes, inks, name)
        draw_wheel(axes, inks, z, fill, shown)
    return figure


def draw_wheel(axes: Axes, inks: Theme, z: Array, fill: Array, shown: Array) -> None:
    """The disc behind, the points in front; an outline would hide those that lie on it."""
    width = point_width(len(z))
    axes.add_patch(Circle((0, 0), 1, facecolor=inks.calm, edgecolor="none", zorder=0))
    axes.scatter(
        z[:, 1],
        z[:, 0],
        s=(width * np.where(shown, 1.0, HELD_OUT)) ** 2,
        c=fill,
        linewidths=0,
        clip_on=False,
        zorder=1,
    )
    reach = ROOM * max(1.0, float(np.abs(z).max()))
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", xticks=[], yticks=[])
