"""The transfer function of sRGB: from numbers in a file to amounts of light and back."""

import torch

from latent_anchors._typing import Colors
from latent_anchors.colorspace._planes import check_colors
from latent_anchors.colorspace._precision import in_single

TOE = 0.04045
"""Encoded value under which the transfer function is a straight line."""


@in_single()
def rgb_to_linear(rgb: Colors) -> Colors:
    r"""Decode sRGB to amounts of light.

    .. math::
        f(x) = x / 12.92 \ \text{if}\ x \le 0.04045, \quad
        \left(\frac{x + 0.055}{1.055}\right)^{2.4} \ \text{otherwise}

    where x is a channel of ``rgb``. Out of gamut f(-x) = -f(x), so that it can always be undone.

    Args:
        rgb: Colors, ``(..., 3)``, usually from 0 to 1.

    Returns:
        ``(..., 3)``: linear RGB, from 0 to 1 where the colors are.

    Raises:
        TypeError: The colors are not floats.
        ValueError: The last axis does not hold three channels.

    References:
        IEC 61966-2-1, 1999, eqs. 5 and 6.

    Examples:
        >>> import torch
        >>> [round(x, 3) for x in rgb_to_linear(torch.tensor([0.0, 0.5, 1.0])).tolist()]
        [0.0, 0.214, 1.0]
    """
    check_colors(rgb)
    size = rgb.abs()
    curve = ((size.clamp_min(TOE) + 0.055) / 1.055) ** 2.4
    return torch.where(size <= TOE, rgb / 12.92, rgb.sign() * curve)


@in_single()
def linear_to_rgb(linear: Colors) -> Colors:
    r"""Encode amounts of light as sRGB.

    .. math::
        f(x) = 12.92 \, x \ \text{if}\ x \le 0.04045 / 12.92, \quad
        1.055 \, x^{1 / 2.4} - 0.055 \ \text{otherwise}

    where x is a channel of ``linear``. The standard rounds the border to 0.0031308; this one
    lies where `rgb_to_linear` has it. Out of gamut f(-x) = -f(x).

    Args:
        linear: Linear RGB, ``(..., 3)``, usually from 0 to 1.

    Returns:
        ``(..., 3)``: RGB, from 0 to 1 where the amounts are.

    Raises:
        TypeError: The colors are not floats.
        ValueError: The last axis does not hold three channels.

    References:
        IEC 61966-2-1, 1999, eqs. 8 and 9.

    Examples:
        >>> import torch
        >>> [round(x, 3) for x in linear_to_rgb(torch.tensor([0.0, 0.2140, 1.0])).tolist()]
        [0.0, 0.5, 1.0]
    """
    check_colors(linear)
    size = linear.abs()
    curve = 1.055 * size.clamp_min(TOE / 12.92) ** (1 / 2.4) - 0.055
    return torch.where(size <= TOE / 12.92, 12.92 * linear, linear.sign() * curve)
