"""Pictures side by side, a row for each condition."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from latent_anchors._checks import check_count
from latent_anchors.viz._arrays import Array, as_colors, counted, joined
from latent_anchors.viz._reconstructions import check_names
from latent_anchors.viz._redrawing import redrawable
from latent_anchors.viz._themes import NORMAL, SMALL, ThemeName, dress, new_figure

WIDTH = 9.0
"""Inches across a figure."""

LARGEST = 1.0
"""Inches along a picture, at most."""

NAMES = 1.0
"""Inches for the names of rows."""

LINE = 0.3
"""Inches for a line of names above the pictures, and for a title."""


@redrawable
def plot_pictures(
    rows: Mapping[str, ArrayLike],
    columns: Sequence[str] = (),
    theme: ThemeName = "light",
    title: str | None = None,
) -> Figure:
    """The same pictures under several conditions, a row each, pixel by pixel.

    Args:
        rows: By what to call each: pictures ``(n, height, width, 3)``, RGB from 0 to 1, channels
            last.
        columns: Names of the pictures; none if left out. Underscores break the line.
        theme: Inks for a light or a dark page.
        title: Above all of them.

    Returns:
        The figure, known to pyplot.

    Raises:
        ValueError: There is no row, the rows differ in shape, a number is no color, there are not
            as many names as pictures, or no such theme.

    Examples:
        >>> import matplotlib.pyplot as plt
        >>> import torch
        >>> pictures = torch.rand(3, 8, 8, 3)
        >>> figure = plot_pictures({"original": pictures, "inverted": 1 - pictures}, "abc")
        >>> [axes.get_ylabel() for axes in figure.axes if axes.get_ylabel()]
        ['original', 'inverted']
        >>> plt.close(figure)
    """
    check_count("number of rows", len(rows))
    shown = _alike(rows)
    n = len(next(iter(shown.values())))
    check_names("columns", columns, n)
    size = min((WIDTH - NAMES) / n, LARGEST)
    above = LINE * (bool(columns) + (title is not None))
    words = f"{counted(n, 'picture')}{f' of {joined([*columns])}' if columns else ''}: "
    words = f"{words}{joined([*shown])}.".replace("_", " ")
    figure, inks = new_figure(theme, NAMES + n * size, len(shown) * size + above, title, words)
    panels = figure.subplots(len(shown), n, squeeze=False)
    for k, (name, pictures) in enumerate(shown.items()):
        for axes, picture in zip(panels[k], pictures, strict=True):
            dress(axes, inks)
            axes.imshow(picture, interpolation="nearest", origin="upper")
            axes.set(xticks=[], yticks=[])
        said = {"color": inks.ink, "fontsize": NORMAL, "rotation": 0, "ha": "right", "va": "center"}
        panels[k, 0].set_ylabel(name.replace("_", "\n"), **said)
    for axes, column in zip(panels[0], columns, strict=False):
        axes.set_title(column.replace("_", "\n"), color=inks.ink, fontsize=SMALL)
    return figure


def _alike(rows: Mapping[str, ArrayLike]) -> dict[str, Array]:
    """The pictures of each row, as many and as large as those of the first."""
    shape: tuple[int | str, ...] = ("n", "height", "width")
    shown: dict[str, Array] = {}
    for name, given in rows.items():
        shown[name] = as_colors(f"rows[{name!r}]", given, *shape)
        shape = shown[name].shape[:-1]
    return shown
