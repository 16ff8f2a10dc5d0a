"""Reconstructions as patches with the true color inset, and swatches."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from latent_anchors.viz._arrays import Array, as_array, as_colors, counted
from latent_anchors.viz._redrawing import redrawable
from latent_anchors.viz._themes import Theme, ThemeName, dress, new_figure

WIDTH = 9.0
"""Inches across a figure."""

CELL = 0.5
"""Inches across the largest cell."""

ACROSS = 6
"""Panels side by side, at most."""

NAMES = 0.4
"""Inches for a line of names."""

NAMED = ("titles", "rows", "columns")

FINE, INSET = 10, slice(3, 7)
"""A cell's width in pixels, and those of its central square."""


@redrawable
def plot_reconstructions(
    colors: ArrayLike,
    reconstructions: ArrayLike,
    titles: Sequence[str] = (),
    rows: Sequence[str] = (),
    columns: Sequence[str] = (),
    theme: ThemeName = "light",
    title: str | None = None,
) -> Figure:
    """Patches in the reconstructed colors, each with the true color as a square in its middle.

    Where a color is reconstructed well, the square cannot be seen.

    Args:
        colors: True colors, RGB from 0 to 1: one panel ``(rows, columns, 3)``, or several
            ``(panels, rows, columns, 3)``.
        reconstructions: What came out, RGB from 0 to 1, in the same shape ``(..., rows, columns,
            3)``.
        titles: Of the panels; none if left out.
        rows: Names of the rows; none if left out.
        columns: Names of the columns; none if left out. Underscores break the line.
        theme: Inks for a light or a dark page.
        title: Above all panels.

    Returns:
        The figure, known to pyplot.

    Raises:
        ValueError: The shapes differ or are no grids, a number is no color, there are not as many
            names as panels, rows or columns, or no such theme.

    Examples:
        >>> import matplotlib.pyplot as plt
        >>> from latent_anchors.colorspace import named_colors
        >>> names = ["red", "gray"]
        >>> colors = named_colors(*names).unsqueeze(0)
        >>> figure = plot_reconstructions(colors, 1 - colors, rows=["inverted"], columns=names)
        >>> [label.get_text() for label in figure.axes[0].get_xticklabels()]
        ['red', 'gray']
        >>> plt.close(figure)
    """
    axes = ("rows", "columns") if np.ndim(colors) == 3 else ("panels", "rows", "columns")
    true = as_colors("colors", colors, *axes)
    said = as_colors("reconstructions", reconstructions, *true.shape[:-1])
    true, said = (grid.reshape(-1, *grid.shape[-3:]) for grid in (true, said))
    for kind, names, n in zip(NAMED, (titles, rows, columns), true.shape, strict=False):
        check_names(kind, names, n)
    errors = np.square(said - true).mean(-1)
    words = (
        f"{counted(errors.size, 'color')} as they come out, the true color in the middle of each; "
    )
    words += f"mean squared error {errors.mean():.2g}, at most {errors.max():.2g}."
    figure, inks = panels_for(true.shape, theme, title, words)
    for k, panel in enumerate(figure.axes):
        dress(panel, inks, titles[k] if titles else None)
        draw_cells(panel, inks, true[k], said[k])
        leftmost, lowest = k % ACROSS == 0, k + ACROSS >= len(true)
        panel.set_yticks(*name_ticks(rows if leftmost else ()))
        panel.set_xticks(*name_ticks(columns if lowest else ()))
    return figure


def check_names(kind: str, names: Sequence[str], n: int) -> None:
    """Refuse names that are not one for each."""
    if names and len(names) != n:
        raise ValueError(
            f"{len(names)} {kind} are named where there are {n}; expected a name for each, or none."
        )


def panels_for(
    shape: tuple[int, ...], theme: ThemeName, title: str | None, words: str
) -> tuple[Figure, Theme]:
    """A figure with a panel for each grid, up to six side by side, with room for names."""
    panels, height, width, _ = shape
    across = min(panels, ACROSS)
    down = -(-panels // across)
    cell = min(CELL, WIDTH / (across * width + across))
    size = across * (width + 1) * cell, down * (height * cell + NAMES) + NAMES * (title is not None)
    figure, inks = new_figure(theme, *size, title, words)
    for k in range(panels):
        figure.add_subplot(down, across, k + 1)
    return figure, inks


def draw_cells(axes: Axes, inks: Theme, true: Array, said: Array) -> None:
    """Cells side by side, each a patch with a square in it."""
    rows, columns, _ = true.shape
    fine = np.empty((rows, FINE, columns, FINE, 3))
    fine[:] = said[:, None, :, None]
    fine[:, INSET, :, INSET] = true[:, None, :, None]
    axes.imshow(
        fine.reshape(rows * FINE, columns * FINE, 3),
        extent=(-0.5, columns - 0.5, rows - 0.5, -0.5),
        interpolation="nearest",
        origin="upper",
    )
    # White on white has an end all the same.
    axes.spines[:].set(visible=True, color=inks.faint, linewidth=0.5)


def name_ticks(names: Sequence[str]) -> tuple[range, list[str]]:
    """Where names go, and how they are written."""
    return range(len(names)), [name.replace("_", "\n") for name in names]


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
    cells = counted(int(np.count_nonzero(shown)), "color")
    words = f"{cells} of {shown.size} in {counted(len(given), 'grid')}."
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
