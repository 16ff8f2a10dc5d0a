"""CIELAB: lightness and two opponent axes, made so that distances look alike."""

import torch

from latent_anchors._typing import Colors
from latent_anchors.colorspace._fused import convert
from latent_anchors.colorspace._lab_fused import LAB_TO_RGB, RGB_TO_LAB
from latent_anchors.colorspace._linear import linear_to_rgb, rgb_to_linear
from latent_anchors.colorspace._planes import Plane, mix, planes, stack
from latent_anchors.colorspace._precision import in_single
from latent_anchors.colorspace._whitepoint import DELTA, FROM_SHARES, TO_SHARES


@in_single()
def rgb_to_lab(rgb: Colors) -> Colors:
    r"""Convert RGB to CIELAB under sRGB's own white, D65.

    .. math::
        L = 116 f(Y / Y_n) - 16, \quad a = 500 (f(X / X_n) - f(Y / Y_n)), \quad
        b = 200 (f(Y / Y_n) - f(Z / Z_n)), \quad
        f(t) = \sqrt[3]{t} \ \text{if}\ t > \delta^3, \quad
        \frac{t}{3 \delta^2} + \frac{4}{29} \ \text{otherwise}

    where X, Y, Z are those of ``rgb``, the index n means white, and delta is 6/29. The straight
    line goes on out of gamut, so that the conversion can always be undone.

    Args:
        rgb: Colors, ``(..., 3)``, usually from 0 to 1.

    Returns:
        ``(..., 3)``: L from 0 to 100; a and b, within about 110 of 0 for colors in gamut.

    Raises:
        TypeError: The colors are not floats.
        ValueError: The last axis does not hold three channels.

    References:
        CIE 15, 2004, "Colorimetry", eqs. 8.3 to 8.8.

    Examples:
        >>> import torch
        >>> [round(x) for x in rgb_to_lab(torch.tensor([1.0, 0.0, 0.0])).tolist()]
        [53, 80, 67]
    """
    return convert(rgb, _to_lab, RGB_TO_LAB)


def _to_lab(rgb: Colors) -> Colors:
    shares = mix(TO_SHARES, rgb_to_linear(rgb))
    bent = torch.where(
        shares > DELTA**3,
        shares.clamp_min(DELTA**3) ** (1 / 3),
        shares / (3 * DELTA**2) + 4 / 29,
    )
    x, y, z = planes(bent)
    return stack(116 * y - 16, 500 * (x - y), 200 * (y - z))


@in_single()
def lab_to_rgb(lab: Colors) -> Colors:
    r"""Convert CIELAB under D65 to RGB.

    .. math::
        Y / Y_n = g\Big(\frac{L + 16}{116}\Big), \quad
        X / X_n = g\Big(\frac{L + 16}{116} + \frac{a}{500}\Big), \quad
        Z / Z_n = g\Big(\frac{L + 16}{116} - \frac{b}{200}\Big)

    where L, a, b are the channels of ``lab`` and g undoes the f of `rgb_to_lab`.

    Args:
        lab: L from 0 to 100, a and b, ``(..., 3)``.

    Returns:
        ``(..., 3)``: RGB, from 0 to 1 for colors that sRGB can show.

    Raises:
        TypeError: The colors are not floats.
        ValueError: The last axis does not hold three channels.

    References:
        CIE 15, 2004, "Colorimetry", appendix D.

    Examples:
        >>> import torch
        >>> [round(x, 3) for x in lab_to_rgb(torch.tensor([100.0, 0.0, 0.0])).tolist()]
        [1.0, 1.0, 1.0]
    """
    return convert(lab, _to_rgb, LAB_TO_RGB)


def _to_rgb(lab: Colors) -> Colors:
    lightness, a, b = planes(lab)
    y = (lightness + 16) / 116
    shares = stack(_unbent(y + a / 500), _unbent(y), _unbent(y - b / 200))
    return linear_to_rgb(mix(FROM_SHARES, shares))


def _unbent(t: Plane) -> Plane:
    return torch.where(t > DELTA, t * t * t, 3 * DELTA**2 * (t - 4 / 29))
