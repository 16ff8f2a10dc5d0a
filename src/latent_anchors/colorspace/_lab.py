"""CIELAB and its polar form, made so that distances look alike."""

import math

import torch

from latent_anchors._typing import Colors
from latent_anchors.colorspace._fused import convert
from latent_anchors.colorspace._lab_fused import LAB_TO_RGB, RGB_TO_LAB
from latent_anchors.colorspace._oklab import oklab_to_rgb, rgb_to_oklab
from latent_anchors.colorspace._precision import (
    Plane,
    angle,
    circular,
    in_single,
    mix,
    planes,
    root,
    stack,
)
from latent_anchors.colorspace._xyz import (
    DELTA,
    FROM_SHARES,
    TO_SHARES,
    linear_to_rgb,
    rgb_to_linear,
)


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
    shares = _shares(rgb_to_linear(rgb))
    bent = torch.where(
        shares > DELTA**3,
        (shares.clamp_min(DELTA**3).log() / 3).exp(),  # as the kernel does it, to the last digit
        shares / (3 * DELTA**2) + 4 / 29,
    )
    x, y, z = planes(bent)
    return stack(116 * y - 16, 500 * (x - y), 200 * (y - z))


def _shares(linear: Colors) -> Colors:
    """Of white's X, Y, Z; green light, and parts of what red and blue exceed it by: 0 in grays."""
    red, green, blue = planes(linear)
    return stack(*(green + row[0] * (red - green) + row[2] * (blue - green) for row in TO_SHARES))


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


@in_single(circular(2))
def rgb_to_lch(rgb: Colors) -> Colors:
    r"""Convert RGB to CIELAB's lightness, chroma and hue.

    .. math::
        C = \sqrt{a^2 + b^2}, \quad h = \mathrm{atan2}(b, a) / 2 \pi \bmod 1

    where L, a, b are `rgb_to_lab` of ``rgb``. A chroma that rounding alone can cause (5e-4 in
    float32) counts as gray: its hue is 0, with zero gradient.

    Args:
        rgb: Colors, ``(..., 3)``, usually from 0 to 1.

    Returns:
        ``(..., 3)``: L from 0 to 100; C from 0 to about 134; hue in turns, in [0, 1).

    Raises:
        TypeError: The colors are not floats.
        ValueError: The last axis does not hold three channels.

    References:
        CIE 15, 2004, "Colorimetry", eqs. 8.11 and 8.12.

    Examples:
        >>> import torch
        >>> [round(x, 1) for x in rgb_to_lch(torch.tensor([1.0, 0.0, 0.0])).tolist()]
        [53.2, 104.6, 0.1]
    """
    return _polar(rgb_to_lab(rgb), gray=4096 * torch.finfo(rgb.dtype).eps)


@in_single()
def lch_to_rgb(lch: Colors) -> Colors:
    r"""Convert CIELAB's lightness, chroma and hue to RGB.

    .. math::
        a = C \cos 2 \pi h, \quad b = C \sin 2 \pi h

    where L, C, h are the channels of ``lch``, and `lab_to_rgb` of L, a, b is returned.

    Args:
        lch: L from 0 to 100; C; hue in turns, any number of them; ``(..., 3)``.

    Returns:
        ``(..., 3)``: RGB, from 0 to 1 for colors that sRGB can show.

    Raises:
        TypeError: The colors are not floats.
        ValueError: The last axis does not hold three channels.

    References:
        CIE 15, 2004, "Colorimetry", eqs. 8.11 and 8.12.

    Examples:
        >>> import torch
        >>> [round(x, 3) for x in lch_to_rgb(torch.tensor([100.0, 0.0, 0.25])).tolist()]
        [1.0, 1.0, 1.0]
    """
    return lab_to_rgb(_cartesian(lch))


@in_single(circular(2))
def rgb_to_oklch(rgb: Colors) -> Colors:
    r"""Convert RGB to Oklab's lightness, chroma and hue.

    .. math::
        C = \sqrt{a^2 + b^2}, \quad h = \mathrm{atan2}(b, a) / 2 \pi \bmod 1

    where L, a, b are `rgb_to_oklab` of ``rgb``. A chroma that rounding alone can cause (1e-7,
    the published digits, or 2e-6 in float32) counts as gray: its hue is 0, with zero gradient.

    Args:
        rgb: Colors, ``(..., 3)``, usually from 0 to 1.

    Returns:
        ``(..., 3)``: L from 0 to 1; C from 0 to about 0.33; hue in turns, in [0, 1).

    Raises:
        TypeError: The colors are not floats.
        ValueError: The last axis does not hold three channels.

    References:
        Ottosson, 2020, "A perceptual color space for image processing".

    Examples:
        >>> import torch
        >>> [round(x, 2) for x in rgb_to_oklch(torch.tensor([1.0, 0.0, 0.0])).tolist()]
        [0.63, 0.26, 0.08]
    """
    return _polar(rgb_to_oklab(rgb), gray=max(1e-7, 16 * torch.finfo(rgb.dtype).eps))


@in_single()
def oklch_to_rgb(oklch: Colors) -> Colors:
    r"""Convert Oklab's lightness, chroma and hue to RGB.

    .. math::
        a = C \cos 2 \pi h, \quad b = C \sin 2 \pi h

    where L, C, h are the channels of ``oklch``, and `oklab_to_rgb` of L, a, b is returned.

    Args:
        oklch: L from 0 to 1; C; hue in turns, any number of them; ``(..., 3)``.

    Returns:
        ``(..., 3)``: RGB, from 0 to 1 for colors that sRGB can show.

    Raises:
        TypeError: The colors are not floats.
        ValueError: The last axis does not hold three channels.

    References:
        Ottosson, 2020, "A perceptual color space for image processing".

    Examples:
        >>> import torch
        >>> [round(x, 3) for x in oklch_to_rgb(torch.tensor([1.0, 0.0, 0.25])).tolist()]
        [1.0, 1.0, 1.0]
    """
    return oklab_to_rgb(_cartesian(oklch))


def _polar(lab: Colors, gray: float) -> Colors:
    """Lightness, chroma and hue; a chroma up to ``gray`` has hue 0."""
    lightness, a, b = planes(lab)
    chroma = root(a.square() + b.square())
    return stack(lightness, chroma, angle(b, a, chroma <= gray))


def _cartesian(lch: Colors) -> Colors:
    lightness, chroma, hue = planes(lch)
    around = math.tau * hue
    return stack(lightness, chroma * around.cos(), chroma * around.sin())
