"""Levels and focus: weights by which a few samples come first, and the others by and by."""

from typing import TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor

from latent_anchors._checks import check_between
from latent_anchors._vectors import check_floating

Weights = Float[Tensor, "*#batch"]

Number: TypeAlias = float | Float[Tensor, "*#batch"]
"""One for all samples, or ``(steps, 1)`` as in the row of a vectorized function."""

FEW = 0.99
"""What a weight has to exceed at a fraction of 0."""


def as_like(x: Tensor, number: Number) -> Tensor:
    """A number as a tensor of the same type and place."""
    return number.to(x) if isinstance(number, Tensor) else x.new_tensor(number)


def levels(
    x: Weights,
    low: Number = 0.0,
    high: Number = 1.0,
    out_low: Number = 0.0,
    out_high: Number = 1.0,
    *,
    clamp: bool = True,
) -> Weights:
    r"""A range stretched onto another, as the levels of an image editor do.

    .. math::
        y_0 + \frac{x - x_0}{x_1 - x_0} (y_1 - y_0)

    where :math:`x_0, x_1` are ``low`` and ``high``, and :math:`y_0, y_1` are ``out_low`` and
    ``out_high``. Either range may run backwards. Where the first is but a point, the result is the
    middle of the second.

    Args:
        x: Any numbers, ``(...)``.
        low: What becomes ``out_low``, one number or ``(...)``.
        high: What becomes ``out_high``, one number or ``(...)``.
        out_low: One end of the result, one number or ``(...)``.
        out_high: The other end, one number or ``(...)``.
        clamp: Whether what lies outside of the first range becomes an end of the second.

    Returns:
        In the shape that all broadcast to; between the ends if clamped.

    Raises:
        TypeError: If they are whole numbers.

    References:
        The levels filter of the color experiments of ``ex-preppy`` (2025).

    Examples:
        >>> levels(torch.tensor([0.0, 0.5, 0.75, 1.0]), low=0.5).tolist()
        [0.0, 0.0, 0.5, 1.0]
    """
    check_floating("levels", x, "numbers")
    x0, x1, y0, y1 = (as_like(x, end) for end in (low, high, out_low, out_high))
    point = x0 == x1
    alpha = torch.where(point, 0.5, (x - x0) / torch.where(point, 1.0, x1 - x0))
    return y0 + (alpha.clamp(0, 1) if clamp else alpha) * (y1 - y0)


def focus(weights: Weights, fraction: Number) -> Weights:
    """Weights from sharp to flat: first only the greatest, halfway as they are, in the end all 1.

    `levels`, whose lower end falls from 0.99 to 0 until the fraction is 1/2, and whose result's
    lower end rises from 0 to 1 from then on. Such weights grow with the fraction, smoothly where
    the fraction does.

    Args:
        weights: Of the samples, ``(...)``, from 0 to 1; at least one of them is 1, or none is left
            at a fraction of 0.
        fraction: From 0 to 1: one number, or ``(...)`` such as ``(steps, 1)``.

    Returns:
        From 0 to 1, in the shape that both broadcast to.

    Raises:
        ValueError: If a fraction lies outside of 0 to 1.
        TypeError: If weights are whole numbers.

    Examples:
        >>> weights = torch.tensor([1.0, 0.5, 0.0])
        >>> [focus(weights, fraction).tolist() for fraction in (0.0, 0.5, 1.0)]
        [[1.0, 0.0, 0.0], [1.0, 0.5, 0.0], [1.0, 1.0, 1.0]]
    """
    check_floating("focus", weights, "weights")
    f = as_like(weights, fraction)
    for end in (f.min(), f.max()):
        check_between("The fraction", float(end), 0.0, 1.0)
    return levels(weights, low=(FEW * (1 - 2 * f)).clamp(min=0), out_low=(2 * f - 1).clamp(min=0))
