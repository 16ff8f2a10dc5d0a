"""What a figure shows, in words: for those who cannot see it."""

from collections.abc import Sequence

import numpy as np

from latent_anchors.colorspace import COLOR_NAMES, HUES, named_colors
from latent_anchors.viz._arrays import Array


def counted(n: int, thing: str) -> str:
    """``1 run``, ``3 runs``."""
    return f"{n:,} {thing}{'' if n == 1 else 's'}"


def joined(parts: Sequence[str]) -> str:
    """``a, b and c``."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def color_name(color: Array) -> str:
    """The named color that is nearest to one ``(3,)``."""
    named = named_colors(*COLOR_NAMES).numpy()
    return COLOR_NAMES[int(np.square(named - color).sum(-1).argmin())].replace("_", " ")


def hue_name(hue: float) -> str:
    """The named hue that is nearest to one in turns."""
    return [*HUES][round(hue * len(HUES)) % len(HUES)]


def edges(z: Array, colors: Array, view: tuple[int, ...]) -> str:
    """Which colors' latents lie outermost, as they are seen from one side."""
    right, up = z[:, view[:2]].T
    outermost = {"top": up.argmax(), "right": right.argmax()}
    outermost |= {"bottom": up.argmin(), "left": right.argmin()}
    return joined([f"{color_name(colors[k])} at the {where}" for where, k in outermost.items()])
