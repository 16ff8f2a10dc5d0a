"""Figures on files, and on the screen where there is one."""

from collections.abc import Mapping, Sequence
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from latent_anchors._checks import listed
from latent_anchors.viz._motion import Motion
from latent_anchors.viz._redrawing import closed_unless_finished, content, redraw

WITHOUT_A_SCREEN = {"agg", "cairo", "pdf", "pgf", "ps", "svg", "template"}
"""Backends that only write files, whose ``show`` would warn."""


def save_figures(
    figures: Mapping[str, Figure | Motion], folder: str | Path, dark: bool = False
) -> None:
    """Save figures as PNG and animations as GIF, and show them where there is a screen.

    The files say what they show, for those who cannot see it: a PNG as its ``Description``, a GIF
    as its comment. A GIF has 256 colors, of which a point gets the nearest.

    Args:
        figures: By the name of the file, without its ending.
        folder: Where to; made if need be.
        dark: Whether to save each for a dark page, too, its name ending in ``_dark``.

    Raises:
        ValueError: How a figure is drawn on a dark page is not known, as it was drawn elsewhere,
            or something was added to it since; or a figure has the name that another's dark file
            gets.

    Examples:
        >>> import tempfile
        >>> from latent_anchors.viz import plot_seeds
        >>> figure = plot_seeds("error", {"muted": [0.1, 0.2]})
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save_figures({"seeds": figure}, folder, dark=True)
        ...     sorted(path.name for path in Path(folder).iterdir())
        ['seeds.png', 'seeds_dark.png']
        >>> plt.close(figure)
    """
    taken = [name for name in figures if dark and f"{name}_dark" in figures]
    if taken:
        raise ValueError(
            f"The names {listed([taken[0], f'{taken[0]}_dark'])} are both given, and the dark file "
            "of the first would have the name of the second; expected other names. Rename one."
        )
    folder = Path(folder)
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
    day = figure_of(drawing)
    if isinstance(drawing, Figure) and content(drawing) != content(figure_of(night)):
        raise ValueError(
            f"The figure for {path.name!r} was changed after it was drawn, which the one for a "
            "dark page would lack; expected it as it was drawn. Draw one with theme='dark', change "
            "it alike, and save both."
        )
    figure_of(night).set_label(day.get_label())
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


DPI = 100

COLORS = 255
"""Of all frames together, besides the page's. No dithering: what stands still costs nothing."""

ALIKE = 8
"""Pillow takes colors that differ by no more, of 255, for one another."""

SAMPLE = 6
"""Frames from which the colors are chosen."""

LAST = 2000
"""Milliseconds for which the last frame stays."""


def write_gif(motion: Motion, path: Path) -> None:
    """An animation that begins anew when it ends, with its figure's label as a comment."""
    # as on a screen, once: matplotlib warns of animations that never were drawn
    motion.figure.canvas.draw()
    pictures = [picture_of(motion, k) for k in range(motion.frames)]
    palette = palette_of([pictures[int(k)] for k in np.linspace(0, motion.frames - 1, SAMPLE)])
    first, *others = (each.quantize(palette=palette, dither=Image.Dither.NONE) for each in pictures)
    first.save(
        path,
        save_all=True,
        append_images=others,
        duration=[*durations(motion.seconds, motion.frames)[:-1], LAST],
        loop=0,
        comment=motion.figure.get_label(),
    )


def durations(seconds: float, frames: int) -> list[int]:
    """Milliseconds for each frame: whole hundredths, as GIFs have, that sum to the length."""
    ends = (100 * seconds * np.arange(frames + 1) / frames).round().astype(int)
    return (10 * np.diff(ends)).tolist()


def picture_of(motion: Motion, frame: int) -> Image.Image:
    """A frame's pixels."""
    motion.show(frame)
    drawn, figure = BytesIO(), motion.figure
    # the whole page: a tight box, which a global style may ask for, differs from frame to frame
    whole: dict[str, Any] = {"facecolor": figure.get_facecolor(), "bbox_inches": figure.bbox_inches}
    figure.savefig(drawn, format="png", dpi=DPI, pil_kwargs={"compress_level": 0}, **whole)
    return Image.open(drawn).convert("RGB")


def palette_of(pictures: Sequence[Image.Image]) -> Image.Image:
    """A picture that has the colors of all, and that of the page, in the corner, as it is."""
    together = Image.fromarray(np.concatenate([np.asarray(picture) for picture in pictures]))
    # the usual method leaves rare colors out, such as that of a single point
    mixed = together.quantize(COLORS, method=Image.Quantize.MAXCOVERAGE, kmeans=1)
    mixed = np.reshape(mixed.getpalette() or [], (-1, 3))
    page = np.asarray(together)[0, 0]
    apart = np.abs(mixed - page.astype(int)).max(-1) > ALIKE
    palette = Image.new("P", (1, 1))
    palette.putpalette([*page.tolist(), *mixed[apart].ravel().tolist()])
    return palette
