"""Oklab: CIELAB's idea with even hues, in two matrices and a cube root."""

import torch

from latent_anchors._typing import Colors
from latent_anchors.colorspace._precision import check_colors, in_single, mix, rows_of
from latent_anchors.colorspace._xyz import linear_to_rgb, matrix_to_xyz, rgb_to_linear

M1 = (
    (0.8189330101, 0.3618667424, -0.1288597137),
    (0.0329845436, 0.9293118715, 0.0361456387),
    (0.0482003018, 0.2643662691, 0.6338517070),
)
"""XYZ to the responses of the eye's three cones, as published."""

M2 = (
    (0.2104542553, 0.7936177850, -0.0040720468),
    (1.9779984951, -2.4285922050, 0.4505937099),
    (0.0259040371, 0.7827717662, -0.8086757660),
)
"""Cube roots of the responses to L, a, b, as published."""

# M1 is meant for a white whose digits differ from sRGB's: white's responses would be 1 within
# 5e-4 only, and grays a little blue. Scaled to 1, they give the author's own matrix for sRGB.
_responses = torch.tensor(M1, dtype=torch.float64) @ matrix_to_xyz()
_responses /= _responses.sum(-1, keepdim=True)
TO_RESPONSES = rows_of(_responses)
FROM_RESPONSES = rows_of(torch.inverse(_responses))
TO_OKLAB = rows_of(torch.tensor(M2, dtype=torch.float64))
FROM_OKLAB = rows_of(torch.inverse(torch.tensor(M2, dtype=torch.float64)))

FLOOR = 1e-3
"""Cube root under which a straight line stands in for it, whose slope at black is finite.

Its cube is far below the darkest 16-bit color, so that in gamut only black itself lies there.
"""


@in_single()
def rgb_to_oklab(rgb: Colors) -> Colors:
    r"""Convert RGB to Oklab.

    .. math::
        (L, a, b)^T = M_2 \left(M_1 M (r, g, b)^T\right)^{1/3}

    where r, g, b are `rgb_to_linear` of ``rgb``, M is the matrix of `rgb_to_xyz`, and M1 and M2
    are the published ones, with the rows of M1 M scaled so that white is (1, 1, 1) in between.
    So white has L = 1 and a = b = 0 up to the 4e-8 by which M2 is rounded. Below responses of
    1e-9 a straight line stands in for the cube root, whose slope at 0 is infinite; negative
    responses have negative roots. Both can always be undone.

    Args:
        rgb: Colors, ``(..., 3)``, usually from 0 to 1.

    Returns:
        ``(..., 3)``: L from 0 to 1; a and b, within about 0.4 of 0 for colors in gamut.

    Raises:
        TypeError: The colors are not floats.
        ValueError: The last axis does not hold three channels.

    References:
        Ottosson, 2020, "A perceptual color space for image processing".

    Examples:
        >>> import torch
        >>> [round(x, 3) for x in rgb_to_oklab(torch.tensor([1.0, 0.0, 0.0])).tolist()]
        [0.628, 0.225, 0.126]
    """
    responses = mix(TO_RESPONSES, rgb_to_linear(rgb))
    size = responses.abs()
    roots = responses.sign() * size.clamp_min(FLOOR**3) ** (1 / 3)
    return mix(TO_OKLAB, torch.where(size > FLOOR**3, roots, responses / FLOOR**2))


@in_single()
def oklab_to_rgb(oklab: Colors) -> Colors:
    r"""Convert Oklab to RGB.

    .. math::
        (r, g, b)^T = (M_1 M)^{-1} \left(M_2^{-1} (L, a, b)^T\right)^3

    where L, a, b are the channels of ``oklab``, the matrices are those of `rgb_to_oklab`, and
    `linear_to_rgb` of r, g, b is returned.

    Args:
        oklab: L from 0 to 1, a and b, ``(..., 3)``.

    Returns:
        ``(..., 3)``: RGB, from 0 to 1 for colors that sRGB can show.

    Raises:
        TypeError: The colors are not floats.
        ValueError: The last axis does not hold three channels.

    References:
        Ottosson, 2020, "A perceptual color space for image processing".

    Examples:
        >>> import torch
        >>> [round(x, 3) for x in oklab_to_rgb(torch.tensor([1.0, 0.0, 0.0])).tolist()]
        [1.0, 1.0, 1.0]
    """
    check_colors(oklab)
    roots = mix(FROM_OKLAB, oklab)
    cubes = torch.where(roots.abs() > FLOOR, roots * roots * roots, roots * FLOOR**2)
    return linear_to_rgb(mix(FROM_RESPONSES, cubes))
