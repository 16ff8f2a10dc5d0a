"""Grids of colors, slice by slice, and which of them are held out."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from latent_anchors.viz._arrays import Array, as_array, as_colors
from latent_anchors.viz._reconstructions import (
    ACROSS,
    NAMED,
    check_names,
    draw_cells,
    name_ticks,
    panels_for,
)
from latent_anchors.viz._redrawing import redrawable
from latent_anchors.viz._themes import Theme, ThemeName, dress
from latent_anchors.viz._words import counted


@redrawable
def plot_swatches(
    colors: ArrayLike,
    kept: ArrayLike | None = None,
    titles: Sequence[str] = (),
    rows: Sequence[str] = (),
    columns: Sequence[str] = (),
    theme: ThemeName = "light",
    title: str | None = None,
) -> Figure:
    """Colors side by side in grids; those that are held out leave their cells empty.

    Args:
        colors: RGB from 0 to 1: one panel ``(rows, columns, 3)``, or several
            ``(panels, rows, columns, 3)``.
        kept: Which are shown, ``(rows, columns)`` or ``(panels, rows, columns)``, true or false;
            all if None.
        titles: Of the panels; none if left out.
        rows: Names of the rows, the upmost first; none if left out.
        columns: Names of the columns; none if left out. Underscores break the line.
        theme: Inks for a light or a dark page.
        title: Above all panels.

    Returns:
        The figure, known to pyplot.

    Raises:
        ValueError: The colors are no grids or no colors, what is kept has another shape, there are
            not as many names as panels, rows or columns, or no such theme.

    Examples:
        >>> import matplotlib.pyplot as plt
        >>> from latent_anchors.colorspace import rgb_grid
        >>> figure = plot_swatches(rgb_grid(4).reshape(4, 4, 4, 3), title="Slices of red")
        >>> len(figure.axes)
        4
        >>> plt.close(figure)
    """
    axes = ("rows", "columns") if np.ndim(colors) == 3 else ("panels", "rows", "columns")
    given = as_colors("colors", colors, *axes)
    shape = given.shape[:-1]
    shown = np.ones(shape) if kept is None else as_array("kept", kept, *shape)
    given, shown = given.reshape(-1, *given.shape[-3:]), shown.reshape(-1, *shape[-2:])
    for kind, names, n in zip(NAMED, (titles, rows, columns), given.shape, strict=False):
        check_names(kind, names, n)
    words = (
        f"{counted(int(shown.sum()), 'color')} of {shown.size} in {counted(len(given), 'grid')}."
    )
    figure, inks = panels_for(given.shape, theme, title, words)
    for k, panel in enumerate(figure.axes):
        dress(panel, inks, titles[k] if titles else None)
        draw_swatches(panel, inks, given[k], shown[k])
        leftmost, lowest = k % ACROSS == 0, k + ACROSS >= len(given)
        panel.set_yticks(*name_ticks(rows if leftmost else ()))
        panel.set_xticks(*name_ticks(columns if lowest else ()))
    return figure


def draw_swatches(axes: Axes, inks: Theme, colors: Array, shown: Array) -> None:
    """Cells in their colors; a dot in the middle of each that is not shown."""
    cells = np.where(shown[..., None] != 0, colors, to_rgb(inks.page))
    draw_cells(axes, inks, cells, cells)
    down, across = np.nonzero(shown == 0)
    axes.scatter(across, down, s=3, c=inks.faint, linewidths=0)
