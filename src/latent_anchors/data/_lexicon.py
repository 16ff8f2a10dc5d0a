"""Words of the mixing language: classic names where halves meet, digits everywhere else."""

from typing import cast

from latent_anchors.colorspace import GRAYS, HUES, named_colors

MOST = 16
"""Levels that one hexadecimal digit can tell apart."""

_DARK_AND_LIGHT: dict[str, tuple[float, float, float]] = {
    "maroon": (0.5, 0.0, 0.0),
    "olive": (0.5, 0.5, 0.0),
    "dark_green": (0.0, 0.5, 0.0),
    "dark_cyan": (0.0, 0.5, 0.5),
    "navy": (0.0, 0.0, 0.5),
    "purple": (0.5, 0.0, 0.5),
    "pink": (1.0, 0.5, 0.5),
    "light_yellow": (1.0, 1.0, 0.5),
    "light_green": (0.5, 1.0, 0.5),
    "light_cyan": (0.5, 1.0, 1.0),
    "light_blue": (0.5, 0.5, 1.0),
    "light_magenta": (1.0, 0.5, 1.0),
}


def color_words(levels: int) -> list[str]:
    """A name for each point of the grid, red slowest: ``purple``, or digits such as ``#623``."""
    steps = [(r, g, b) for r in range(levels) for g in range(levels) for b in range(levels)]
    classic = _classic(levels - 1)
    return [classic.get(point) or f"#{point[0]:x}{point[1]:x}{point[2]:x}" for point in steps]


def _classic(top: int) -> dict[tuple[int, ...], str]:
    """Names of the points of {0, 1/2, 1} cubed that lie on a grid from 0 to ``top``."""
    names = [*HUES, *(gray for gray, value in GRAYS.items() if (2 * value).is_integer())]
    known = cast("list[tuple[float, ...]]", named_colors(*names).tolist())
    points = {**dict(zip(names, known, strict=True)), **_DARK_AND_LIGHT}
    return {
        tuple(int(x * top) for x in point): name
        for name, point in points.items()
        if all((x * top).is_integer() for x in point)
    }
