"""Colors that have a name: twelve hues and five grays."""

from collections.abc import Mapping
from types import MappingProxyType

import torch
from jaxtyping import Float
from torch import Tensor

from latent_anchors._checks import check_name
from latent_anchors.colorspace._hsv import hsv_to_rgb

_AROUND = (
    *("red", "orange", "yellow", "lime", "green", "teal"),
    *("cyan", "azure", "blue", "violet", "magenta", "rose"),
)

HUES: Mapping[str, float] = MappingProxyType({name: i / 12 for i, name in enumerate(_AROUND)})
"""The twelve named hues in turns from red, in order; ``[*HUES][::2]`` are six, ``[::4]`` three."""

GRAYS: Mapping[str, float] = MappingProxyType(
    {"black": 0.0, "dark_gray": 0.25, "gray": 0.5, "light_gray": 0.75, "white": 1.0}
)
"""The five named grays, from 0 to 1."""

COLOR_NAMES = (*HUES, *GRAYS)
"""All seventeen names, hues first: the rows of ``named_colors(*COLOR_NAMES)``."""


def hue_of(name: str) -> float:
    """The hue that has this name, in turns from red.

    Args:
        name: One of `HUES`.

    Returns:
        Turns, a multiple of 1/12.

    Raises:
        ValueError: No hue has this name; the message tells those that exist.

    Examples:
        >>> hue_of("cyan")
        0.5
    """
    check_name("hue", name, [*HUES])
    return HUES[name]


def named_colors(*names: str, dtype: torch.dtype | None = None) -> Float[Tensor, "n 3"]:
    """RGB of the colors that have these names, a row each; hues at full saturation and value.

    Args:
        names: Some of `COLOR_NAMES`.
        dtype: Of the result; torch's default if left out.

    Returns:
        ``(n, 3)``, from 0 to 1.

    Raises:
        ValueError: No color has one of these names; the message tells those that exist.

    Examples:
        >>> named_colors("orange", "gray").tolist()
        [[1.0, 0.5, 0.0], [0.5, 0.5, 0.5]]
    """
    for name in names:
        check_name("color", name, COLOR_NAMES)
    hsv = [(HUES[name], 1.0, 1.0) if name in HUES else (0.0, 0.0, GRAYS[name]) for name in names]
    exact = torch.tensor(hsv, dtype=torch.float64).reshape(-1, 3)
    return hsv_to_rgb(exact).to(dtype or torch.get_default_dtype())
