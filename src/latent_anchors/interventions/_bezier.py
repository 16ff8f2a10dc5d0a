"""One cubic Bezier curve from corner to corner of the unit square, as a function of x."""

import torch
from torch import Tensor

PULL = 0.5**0.5
"""How far the inner control points lie on the way to where the tangents meet."""

HALVINGS = 30
"""They leave an error of 1e-9, which one step of Newton's squares."""


def ease(x: Tensor, start_slope: float, end_slope: float) -> Tensor:
    """The curve's height over x: 0 below 0 and 1 above 1, with finite gradients.

    The slopes must enclose 1, that of the diagonal; see :func:`slope_range_error`.
    """
    within = (x > 0) & (x < 1)
    corner_x, corner_y = _corner(start_slope, end_slope)
    t = _parameter(torch.where(within, x, 0.5), corner_x)
    return torch.where(within, _coordinate(t, corner_y), (x > 0).to(x))


def slope_range_error(start_slope: float, end_slope: float, chord: float) -> str:
    """What is wrong with slopes that would let the curve pass an x twice, or nothing."""
    low, high = min(start_slope, end_slope), max(start_slope, end_slope)
    if 0.0 <= low <= chord <= high < float("inf") and (low < high or low == chord):
        return ""
    return (
        f"start_slope is {start_slope:g} and end_slope is {end_slope:g}, and the straight line "
        f"between the ends has slope {chord:g}; expected finite slopes of at least 0, one of them "
        f"at most {chord:g} and the other at least that, or the curve would turn back. "
        "Change a slope, or the threshold."
    )


def _corner(start_slope: float, end_slope: float) -> tuple[float, float]:
    """Where the tangents at both ends meet."""
    if 1.0 in (start_slope, end_slope):
        return 0.5, 0.5  # a straight line, wherever on it they meet
    x = (1.0 - end_slope) / (start_slope - end_slope)
    return x, start_slope * x


def _parameter(x: Tensor, corner: float) -> Tensor:
    """The t at which the curve stands over x, as a differentiable function of x."""
    target = x.detach()
    t = torch.full_like(target, 0.5)
    for n in range(2, HALVINGS + 2):
        t = t + torch.where(_coordinate(t, corner) < target, 0.5**n, -(0.5**n))
    # this step brings the last digits and, by the implicit function theorem, the gradient
    return t + (x - _coordinate(t, corner)) / _velocity(t, corner)


def _coordinate(t: Tensor, corner: float) -> Tensor:
    first, second = PULL * corner, 1.0 - PULL * (1.0 - corner)
    return t * (3.0 * (1.0 - t) * ((1.0 - t) * first + t * second) + t * t)


def _velocity(t: Tensor, corner: float) -> Tensor:
    first, last = PULL * corner, PULL * (1.0 - corner)
    rest = 1.0 - t
    return 3.0 * (rest * rest * first + 2.0 * rest * t * (1.0 - PULL) + t * t * last)
