"""Color emoji as small pictures, from a font of this computer, and disks where there is none."""

import unicodedata
from collections.abc import Generator, Sequence

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

BLOCKS = (0x2600, 0x27C0), (0x1F300, 0x1F650), (0x1F680, 0x1F700), (0x1F900, 0x1FB00)
"""Ranges of code points that hold emoji."""

FONT, POINTS = "NotoColorEmoji.ttf", 109
"""A font that holds bitmaps, and the one size in which it does."""

SIDE, DISKS = 32, 48


def read_emoji(file: str = "") -> dict[str, Tensor]:
    """Every emoji that has a color: 32 by 32 pixels on white, by its name in Unicode.

    Args:
        file: A font with color emoji; Noto Color Emoji, where this computer keeps fonts, if empty.

    Returns:
        Some 1,267 pictures ``(3, 32, 32)``, RGB from 0 to 1; how many depends on the font.

    Raises:
        FileNotFoundError: If there is no such font.
        ValueError: If it has no colors.

    Examples:
        >>> try:
        ...     read_emoji("nowhere.ttf")
        ... except FileNotFoundError as error:
        ...     print(str(error)[:47])
        There is no font nowhere.ttf; expected Noto Col
    """
    try:
        font = ImageFont.truetype(file or FONT, POINTS)
    except OSError as error:
        raise FileNotFoundError(
            f"There is no font {file or FONT}; expected Noto Color Emoji. Install it (Debian's "
            "package is fonts-noto-color-emoji), or name a file: --font FILE."
        ) from error
    pictures = {name: _pixels(picture) for name, picture in _drawn(font)}
    if not any(bool((each.amax(0) > each.amin(0)).any()) for each in pictures.values()):
        raise ValueError(
            f"The font {file} draws {len(pictures)} emoji, none with a color; expected color emoji "
            "that are kept as bitmaps, such as Noto Color Emoji's. Name another file: --font FILE."
        )
    return pictures


def made_up_emoji(names: Sequence[str] = ()) -> dict[str, Tensor]:
    """Forty-eight disks in twenty-four hues on white, where a font is more than a test needs.

    Args:
        names: What to call the first of them.

    Returns:
        Pictures ``(3, 32, 32)``, RGB from 0 to 1.

    Raises:
        ValueError: If there are more names than disks.

    Examples:
        >>> disks = made_up_emoji(["strawberry"])
        >>> [*disks][:2], disks["strawberry"][:, 16, 16]
        (['strawberry', 'disk 1'], tensor([1., 0., 0.]))
    """
    if len(names) > DISKS:
        raise ValueError(f"There are {len(names)} names; expected at most {DISKS}, one for a disk.")
    called = [*names, *(f"disk {k}" for k in range(len(names), DISKS))]
    return {name: _pixels(_disk(15 * k % 360)) for k, name in enumerate(called)}


def _drawn(font: ImageFont.FreeTypeFont) -> Generator[tuple[str, Image.Image]]:
    """What has a name, some ink, and more of it if it has hardly any color."""
    for code in (code for block in BLOCKS for code in range(*block)):
        picture = Image.new("RGB", (136, 128), "white")
        ImageDraw.Draw(picture).text((0, 0), chr(code), font=font, embedded_color=True)
        pixels, name = np.asarray(picture), unicodedata.name(chr(code), "")
        inked, colored = (pixels < 250).mean(), (pixels.std(2) > 8).mean()
        if name and inked > (0.02 if colored > 0.01 else 0.05):
            yield name, picture.crop((4, 0, 132, 128))


def _disk(degrees: int) -> Image.Image:
    picture = Image.new("RGB", (SIDE, SIDE), "white")
    ImageDraw.Draw(picture).ellipse((2, 2, 30, 30), fill=f"hsv({degrees}, 100%, 100%)")
    return picture


def _pixels(picture: Image.Image) -> Tensor:
    small = picture.resize((SIDE, SIDE), Image.Resampling.BOX)
    return torch.tensor(np.asarray(small)).movedim(-1, 0) / 255
