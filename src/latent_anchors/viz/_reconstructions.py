"""Reconstructions as patches, with the true color inset."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ._arrays import Array, Numbers, as_colors
from ._themes import SMALL, Theme, ThemeName, dress, new_figure

WIDTH = 9.0
"""Inches across a figure."""

CELL = 0.5
"""Inches across the largest cell."""

FINE, INSET = 10, slice(3, 7)
"""A cell's width in pixels, and those of its central square."""


def plot_reconstructions(
    colors: Numbers,
    reconstructions: Numbers,
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
    axes_of = ("panels", "rows", "columns")[3 - max(np.ndim(colors) - 1, 2) :]
    true = as_colors("colors", colors, *axes_of)
    said = as_colors("reconstructions", reconstructions, *true.shape[:-1])
    true, said = (grid.reshape(-1, *grid.shape[-3:]) for grid in (true, said))
    panels, height, width, _ = true.shape
    for kind, names, n in (
        ("titles", titles, panels), ("rows", rows, height), ("columns", columns, width)
    ):
        check_names(kind, names, n)
    return figure
