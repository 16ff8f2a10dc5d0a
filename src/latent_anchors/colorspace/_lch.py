"""CIELAB and Oklab the polar way: lightness, chroma and hue."""

import math

import torch

from latent_anchors._typing import Colors
from latent_anchors.colorspace._lab import lab_to_rgb, rgb_to_lab
from latent_anchors.colorspace._oklab import oklab_to_rgb, rgb_to_oklab
from latent_anchors.colorspace._planes import angle, planes, root, stack
from latent_anchors.colorspace._precision import circular, in_single


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
