"""Linear RGB and XYZ, the spaces of light."""

import torch
from jaxtyping import Float
from torch import Tensor

from latent_anchors._typing import Colors
from latent_anchors.colorspace._precision import check_colors, in_single, mix, rows_of

PRIMARIES = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
"""Chromaticities x, y of sRGB's red, green and blue."""

D65 = (0.3127, 0.3290)
"""Chromaticity x, y of sRGB's white."""


def brightest(x: float, y: float) -> Float[Tensor, "3"]:
    """XYZ of a chromaticity, at Y = 1."""
    return torch.tensor([x / y, 1, (1 - x - y) / y], dtype=torch.float64)


def matrix_to_xyz() -> Float[Tensor, "3 3"]:
    """Linear RGB to XYZ: the primaries, in the amounts that make equal channels white."""
    primaries = torch.stack([brightest(*xy) for xy in PRIMARIES], dim=-1)
    return primaries * (torch.inverse(primaries) @ brightest(*D65))


TO_XYZ = rows_of(matrix_to_xyz())
FROM_XYZ = rows_of(torch.inverse(matrix_to_xyz()))


@in_single()
def rgb_to_xyz(rgb: Colors) -> Colors:
    r"""Convert RGB to CIE XYZ.

    .. math::
        (X, Y, Z)^T = M f(r, g, b)^T

    where r, g, b are the channels of ``rgb``, f is `rgb_to_linear`, and M is derived from the
    chromaticities of sRGB's primaries and white, not rounded. White has Y = 1.

    Args:
        rgb: Colors, ``(..., 3)``, usually from 0 to 1.

    Returns:
        ``(..., 3)``: X, Y and Z; Y from 0 to 1 where the colors are.

    Raises:
        TypeError: The colors are not floats.
        ValueError: The last axis does not hold three channels.

    References:
        IEC 61966-2-1, 1999, for the chromaticities; SMPTE RP 177, 1993, for the derivation.

    Examples:
        >>> import torch
        >>> [round(x, 4) for x in rgb_to_xyz(torch.ones(3)).tolist()]
        [0.9505, 1.0, 1.0891]
    """
    return mix(TO_XYZ, rgb_to_linear(rgb))


@in_single()
def xyz_to_rgb(xyz: Colors) -> Colors:
    r"""Convert CIE XYZ to RGB.

    .. math::
        (r, g, b)^T = f^{-1}(M^{-1} (X, Y, Z)^T)

    where X, Y, Z are the channels of ``xyz``, and f and M are those of `rgb_to_xyz`.

    Args:
        xyz: X, Y and Z, ``(..., 3)``; Y is 1 for white.

    Returns:
        ``(..., 3)``: RGB, from 0 to 1 for colors that sRGB can show.

    Raises:
        TypeError: The colors are not floats.
        ValueError: The last axis does not hold three channels.

    References:
        IEC 61966-2-1, 1999, for the chromaticities; SMPTE RP 177, 1993, for the derivation.

    Examples:
        >>> import torch
        >>> [round(x, 3) for x in xyz_to_rgb(torch.tensor([0.950456, 1.0, 1.089058])).tolist()]
        [1.0, 1.0, 1.0]
    """
    return linear_to_rgb(mix(FROM_XYZ, xyz))


DELTA = 6 / 29
"""Cube root of the share of white under which CIELAB is a straight line."""

# In shares of white's X, Y, Z, so that grays have three equal shares.
_shares = matrix_to_xyz() / brightest(*D65)[:, None]
TO_SHARES = rows_of(_shares)
FROM_SHARES = rows_of(torch.inverse(_shares))


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
