"""Figures on files, and on the screen where there is one."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from latent_anchors.viz._gif import write_gif
from latent_anchors.viz._motion import Motion
from latent_anchors.viz._redrawing import redraw
from latent_anchors.viz._unfinished import closed_unless_finished

WITHOUT_A_SCREEN = {"agg", "cairo", "pdf", "pgf", "ps", "svg", "template"}
"""Backends that only write files, whose ``show`` would warn."""


def save_figures(figures: Mapping[str, Figure | Motion], folder: Path, dark: bool = False) -> None:
    """Save figures as PNG and animations as GIF, and show them where there is a screen.

    The files say what they show, for those who cannot see it: a PNG as its ``Description``, a GIF
    as its comment.

    Args:
        figures: By the name of the file, without its ending.
        folder: Where to; made if need be.
        dark: Whether to save each for a dark page, too, its name ending in ``_dark``.

    Raises:
        ValueError: How a figure is drawn on a dark page is not known, as it was drawn elsewhere.

    Examples:
        >>> import tempfile
        >>> from latent_anchors.viz import plot_seeds
        >>> figure = plot_seeds("error", {"muted": [0.1, 0.2]})
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save_figures({"seeds": figure}, Path(folder), dark=True)
        ...     sorted(path.name for path in Path(folder).iterdir())
        ['seeds.png', 'seeds_dark.png']
        >>> plt.close(figure)
    """
    folder.mkdir(parents=True, exist_ok=True)
    on_screen = mpl.get_backend().lower() not in WITHOUT_A_SCREEN
    for name, drawing in figures.items():
        write(drawing, folder / name)
        if dark:
            closed_unless_finished(partial(write_dark, drawing, folder / f"{name}_dark"))
        if isinstance(drawing, Motion) and not on_screen:
            # it is on file; what galleries would collect is but its last frame
            plt.close(drawing.figure)
    if on_screen:
        plt.show()


def write_dark(drawing: Figure | Motion, path: Path) -> None:
    """A file for a dark page; what is drawn for it is closed."""
    night = redraw(drawing, "dark")
    write(night, path)
    plt.close(figure_of(night))


def write(drawing: Figure | Motion, path: Path) -> None:
    """A file, whose ending follows from what is drawn."""
    if isinstance(drawing, Motion):
        write_gif(drawing, path.with_name(f"{path.name}.gif"))
    else:
        words = {"Description": drawing.get_label()}
        path = path.with_name(f"{path.name}.png")
        drawing.savefig(path, dpi=130, facecolor=drawing.get_facecolor(), metadata=words)


def figure_of(drawing: Figure | Motion) -> Figure:
    """The figure, also of what moves."""
    return drawing.figure if isinstance(drawing, Motion) else drawing
