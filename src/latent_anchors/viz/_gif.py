"""Animations on files, small enough for a page."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from latent_anchors.viz._motion import Motion

DPI = 100

COLORS = 127
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
        duration=[round(1000 * motion.seconds / motion.frames)] * len(others) + [LAST],
        loop=0,
        comment=motion.figure.get_label(),
    )


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
    mixed = np.reshape(together.quantize(COLORS).getpalette() or [], (-1, 3))
    page = np.asarray(together)[0, 0]
    apart = np.abs(mixed - page.astype(int)).max(-1) > ALIKE
    palette = Image.new("P", (1, 1))
    palette.putpalette([*page.tolist(), *mixed[apart].ravel().tolist()])
    return palette
