"""CIE XYZ, and the matrix that leads there from the primaries and the white of sRGB."""

import torch
from jaxtyping import Float
from torch import Tensor

from latent_anchors._typing import Colors
from latent_anchors.colorspace._linear import linear_to_rgb, rgb_to_linear
from latent_anchors.colorspace._planes import mix, rows_of
from latent_anchors.colorspace._precision import in_single

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
