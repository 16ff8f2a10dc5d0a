"""Three channels in, three channels out; and divisions and roots whose gradients stay finite."""

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from latent_anchors._typing import Colors, PerSample

Plane = Float[Tensor, "..."]
"""One channel, or one number per color."""

Rows = list[list[float]]
"""A 3 x 3 matrix."""


def check_colors(colors: Colors) -> None:
    """Refuse integers, and channels that are not last."""
    if colors.shape[-1:] != (3,):
        raise ValueError(
            f"Colors have shape {tuple(colors.shape)}; expected three channels last, such as "
            "(512, 3). Move the channels of an image with movedim(-3, -1)."
        )
    if not colors.is_floating_point():
        raise TypeError(
            f"Colors are {colors.dtype}; expected floats from 0 to 1. Divide 8-bit channels by 255."
        )


def planes(colors: Colors) -> tuple[PerSample, PerSample, PerSample]:
    """The three channels apart: arithmetic on planes needs no small inner axis."""
    check_colors(colors)
    first, second, third = colors.unbind(-1)
    return first, second, third


def stack(first: Plane, second: Plane, third: Plane) -> Colors:
    """Three planes as one tensor of colors, channels last."""
    return torch.stack((first, second, third), dim=-1)


def ratio(a: Plane, b: Plane) -> Plane:
    """``a / b``, and 0 with zero gradient where b is as small as a rounding error.

    Dividing by infinity gives both zeros, so that no branch ever holds a NaN.
    """
    return a / torch.where(b.abs() > torch.finfo(b.dtype).eps, b, math.inf)


def root(x: Plane) -> Plane:
    """Square root, and 0 with zero gradient where x is 0 or below; NaN stays NaN."""
    nothing = x <= 0
    return torch.where(nothing, 0.0, torch.where(nothing, 1.0, x).sqrt())


def turns(x: Plane) -> Plane:
    """X on the circle, in [0, 1): whole turns taken off."""
    within = x - x.floor()
    # A tiny negative number rounds up to a whole turn.
    return torch.where(within < 1, within, within - 1)


def angle(y: Plane, x: Plane, missing: Bool[Tensor, "..."]) -> Plane:
    """Direction of (x, y) in turns, in [0, 1); 0 with zero gradient where there is none."""
    around = torch.atan2(torch.where(missing, 0.0, y), torch.where(missing, 1.0, x))
    return turns(around / math.tau)


def mix(rows: Rows, colors: Colors) -> Colors:
    """A 3 x 3 matrix times each color, without a matrix product.

    A product would silently lose digits under autocast and under TF32.
    """
    x, y, z = planes(colors)
    first, second, third = (torch.add(torch.add(a * x, y, alpha=b), z, alpha=c) for a, b, c in rows)
    return stack(first, second, third)


def rows_of(matrix: Float[Tensor, "3 3"]) -> Rows:
    """A matrix as plain numbers, which belong to no device and no precision."""
    return [[float(entry) for entry in row] for row in matrix]
