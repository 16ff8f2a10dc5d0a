"""Arithmetic on the circle of hues, in turns, and the names of twelve of them."""

import math
from collections.abc import Mapping
from types import MappingProxyType

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from latent_anchors._checks import check_between, check_name
from latent_anchors._typing import PerSample
from latent_anchors.colorspace._hsv_hsl import hsv_to_rgb
from latent_anchors.colorspace._precision import (
    angle,
    check_floating_type,
    in_single,
    root,
    turns,
)

Hues = Float[Tensor, "*#batch"]


def _shorter(difference: Hues) -> Hues:
    """A difference of half a turn, perhaps by rounding, as the way back."""
    return torch.where(difference < 0.5, difference, difference - 1)


@in_single(_shorter)
def hue_difference(hue: Hues, other: Hues | float) -> Hues:
    """The shortest way from the other hue to this one, with its sign; red to green is 1/3.

    Opposite hues are -1/2 apart, whichever comes first.

    Args:
        hue: Hues in turns, ``(...)``.
        other: Hues in turns, ``(...)``, or one for all.

    Returns:
        Turns in [-1/2, 1/2), in the shape that both broadcast to.

    Examples:
        >>> import torch
        >>> hue_difference(torch.tensor([0.25, 0.875]), 0.0).tolist()
        [0.25, -0.125]
    """
    difference = hue - other
    return difference - (difference + 0.5).floor()


@in_single()
def hue_distance(hue: Hues, other: Hues | float) -> Hues:
    """How far two hues lie apart, the shorter way round.

    Args:
        hue: Hues in turns, ``(...)``.
        other: Hues in turns, ``(...)``, or one for all.

    Returns:
        Turns from 0 to 1/2, in the shape that both broadcast to.

    Examples:
        >>> import torch
        >>> hue_distance(torch.tensor([0.25, 0.875]), 0.0).tolist()
        [0.25, 0.125]
    """
    return hue_difference(hue, other).abs()


def hue_between(hue: PerSample, low: float, high: float) -> Bool[Tensor, "*batch"]:
    """Whether a hue lies on the way up from ``low`` to ``high``, both included.

    Where ``low`` exceeds ``high`` the way leads through 0. The whole circle is 0 to 1.

    Args:
        hue: Hues in turns, ``(...)``, any number of them.
        low: Where the way begins, in turns from 0 to 1.
        high: Where it ends, in turns from 0 to 1.

    Returns:
        ``(...)``, true where the hue lies between.

    Raises:
        ValueError: An end lies outside of 0 to 1.

    Examples:
        >>> import torch
        >>> hue_between(torch.tensor([0.0, 0.5, 0.875]), 0.75, 0.25).tolist()
        [True, False, True]
    """
    check_between("low", low, 0.0, 1.0)
    check_between("high", high, 0.0, 1.0)
    within = turns(hue)
    if low > high:
        return (within >= low) | (within <= high)
    # A way that ends at 1 includes 0, which is the same hue.
    return ((within >= low) & (within <= high)) | (within <= high - 1)


@in_single(turns)
def hue_mean(
    hue: Float[Tensor, "*batch n"], weights: Float[Tensor, "*batch n"] | None = None
) -> PerSample:
    r"""Mean direction of the hues along the last axis.

    .. math::
        \bar h = \frac{1}{2 \pi} \mathrm{atan2}\Big(\sum_i w_i \sin 2 \pi h_i,
        \sum_i w_i \cos 2 \pi h_i\Big) \bmod 1

    where h is ``hue`` and w ``weights``. Where the directions cancel, as those of opposite hues
    do, or nothing has weight, there is no mean: the result is NaN, with zero gradient.

    Args:
        hue: Hues in turns, ``(..., n)``.
        weights: How much each counts, ``(..., n)``, not negative; all alike if left out.

    Returns:
        Turns in [0, 1), ``(...)``.

    References:
        Mardia and Jupp, 2000, "Directional Statistics", eq. 2.2.4.

    Examples:
        >>> import torch
        >>> round(float(hue_mean(torch.tensor([0.875, 0.25]))), 4)
        0.0625
    """
    shares = torch.ones_like(hue) if weights is None else weights
    x = (shares * (math.tau * hue).cos()).sum(-1)
    y = (shares * (math.tau * hue).sin()).sum(-1)
    rounding = 8 * torch.finfo(hue.dtype).eps * shares.sum(-1)
    defined = root(x.square() + y.square()) > rounding
    return torch.where(defined, angle(y, x, ~defined), math.nan)


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
    check_floating_type(dtype)
    exact = torch.tensor(hsv, dtype=torch.float64).reshape(-1, 3)
    return hsv_to_rgb(exact).to(dtype or torch.get_default_dtype())
