"""Evenly spaced colors, to train on and to look at."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from latent_anchors._checks import check_between, check_count, check_finite
from latent_anchors.colorspace._hsv_hsl import hsv_to_rgb
from latent_anchors.colorspace._hues import hue_between
from latent_anchors.colorspace._precision import HALF, check_floating_type, turns


def rgb_grid(n: int, dtype: torch.dtype | None = None) -> Float[Tensor, "colors 3"]:
    """Every mixture of n evenly spaced values per channel, red changing slowest.

    Args:
        n: Values per channel, from 0 to 1, both included; at least 2.
        dtype: Of the result; torch's default if left out.

    Returns:
        ``(n**3, 3)``, from 0 to 1.

    Raises:
        TypeError: The number of values is not a whole number, or the type is not floating.
        ValueError: There are fewer than two values.

    Examples:
        >>> rgb_grid(2)[:3].tolist()
        [[0.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 1.0, 0.0]]
    """
    check_count("n", n, least=2)
    values = _channel(n, dtype).to(dtype)
    return torch.cartesian_prod(values, values, values)


def rgb_midpoints(n: int, dtype: torch.dtype | None = None) -> Float[Tensor, "colors 3"]:
    """The points halfway between those of `rgb_grid`: colors that it never shows.

    Args:
        n: Values per channel of the grid, at least 2.
        dtype: Of the result; torch's default if left out.

    Returns:
        ``((n - 1)**3, 3)``, inside of 0 to 1, red changing slowest.

    Raises:
        TypeError: The number of values is not a whole number, or the type is not floating.
        ValueError: There are fewer than two values.

    Examples:
        >>> rgb_midpoints(3)[0].tolist()
        [0.25, 0.25, 0.25]
    """
    check_count("n", n, least=2)
    values = _channel(n, dtype)
    between = ((values[1:] + values[:-1]) / 2).to(dtype)
    return torch.cartesian_prod(between, between, between)


def _channel(n: int, dtype: torch.dtype | None) -> Float[Tensor, " n"]:
    """Evenly spaced from 0 to 1, not rounded to half precision yet."""
    wide = torch.float32 if check_floating_type(dtype) in HALF else dtype
    return torch.linspace(0, 1, n, dtype=wide)


@dataclass(frozen=True, eq=False)
class HsvGrid:
    """Cells of an HSV cube, hue changing slowest and value fastest.

    The cube shows black once per hue and saturation, and white once per hue. Drawing cells in
    proportion to ``weight`` makes up for that.

    Args:
        shape: How many hues, saturations and values; ``rgb.unflatten(0, shape)`` is the cube.
        hsv: The cells, ``(n, 3)``, hue in turns.
        rgb: The same colors in RGB, ``(n, 3)``.
        weight: What each counts, ``(n,)``, from 0 to 1; all blacks together count 1.

    Examples:
        >>> grid = hsv_grid(36, 10, 10)
        >>> grid.shape, tuple(grid.rgb.shape), round(float(grid.weight.sum()), 3)
        ((36, 10, 10), (3600, 3), 930.0)
    """

    shape: tuple[int, int, int]
    hsv: Float[Tensor, "n 3"]
    rgb: Float[Tensor, "n 3"]
    weight: Float[Tensor, " n"]


def hsv_grid(
    hues: int | Sequence[float],
    saturations: int | Sequence[float],
    values: int | Sequence[float],
    *,
    without: tuple[float, float] | None = None,
    dtype: torch.dtype | None = None,
) -> HsvGrid:
    r"""Every mixture of some hues, saturations and values, except for a band of hues.

    Each cell is weighted for its share of the colors that the cube shows more than once:

    .. math::
        w = \frac{1 - v}{n_s n_h} + \frac{v (1 - s)}{n_h} + s v

    where s and v are the cell's saturation and value, and n_h and n_s are the numbers of
    ``hues`` that are left and of ``saturations``.

    Args:
        hues: How many, evenly spaced from red round the circle; or which, in turns.
        saturations: How many, evenly spaced from 0 to 1; or which.
        values: How many, evenly spaced from 0 to 1; or which.
        without: Hues to hold out, the way up from the first to the second in turns, both
            included; where the first exceeds the second the way leads through red.
        dtype: Of the tensors; torch's default if left out.

    Returns:
        The cells, their colors and their weights.

    Raises:
        TypeError: A number of hues, saturations or values is not a whole number.
        ValueError: There are too few of them, one lies out of range, or no hue is left.

    References:
        The sampling bias of the color experiments of ``ex-preppy`` (2025).

    Examples:
        >>> hsv_grid(12, 2, 2, without=(11 / 12, 1 / 12)).shape
        (9, 2, 2)
    """
    hue = _hue_axis(hues)
    if without is not None:
        hue = hue[~hue_between(hue, *without)]
    if not len(hue):
        raise ValueError(f"No hue is left of {hues!r} without {without!r}; hold out fewer.")
    saturation, value = _axis("saturations", saturations), _axis("values", values)
    hsv = torch.cartesian_prod(hue, saturation, value)
    _, s, v = hsv.unbind(-1)
    weight = (1 - v) / (len(saturation) * len(hue)) + v * (1 - s) / len(hue) + s * v
    dtype = check_floating_type(dtype) or torch.get_default_dtype()
    shape = (len(hue), len(saturation), len(value))
    return HsvGrid(shape, hsv.to(dtype), hsv_to_rgb(hsv).to(dtype), weight.to(dtype))


def _hue_axis(hues: int | Sequence[float]) -> Float[Tensor, " n"]:
    """Evenly spaced without the end, which is the beginning again."""
    if not isinstance(hues, Sequence):
        check_count("hues", hues)
        hues = [i / hues for i in range(hues)]
    for hue in hues:
        check_finite("hues", hue)
    return turns(torch.tensor(hues, dtype=torch.float64))


def _axis(name: str, values: int | Sequence[float]) -> Float[Tensor, " n"]:
    """Evenly spaced from end to end."""
    if not isinstance(values, Sequence):
        check_count(name, values, least=2)
        return torch.linspace(0, 1, values, dtype=torch.float64)
    check_count(f"number of {name}", len(values))
    for value in values:
        check_between(name, value, 0.0, 1.0)
    return torch.tensor(values, dtype=torch.float64)
