"""The hexagonal color spaces: HSV and HSL."""

import torch

from latent_anchors._typing import Colors, PerSample
from latent_anchors.colorspace._fused import convert
from latent_anchors.colorspace._hsv_fused import HSV_TO_RGB, RGB_TO_HSV
from latent_anchors.colorspace._precision import (
    Plane,
    circular,
    in_single,
    planes,
    ratio,
    stack,
    turns,
)


@in_single(circular(0))
def rgb_to_hsv(rgb: Colors) -> Colors:
    r"""Convert RGB to hue, saturation and value.

    .. math::
        V = \max(r, g, b), \quad C = V - \min(r, g, b), \quad S = C / V

    where r, g, b are the channels of ``rgb``, and H is the way round the hexagon that the RGB
    cube shows when seen along its gray axis. Grays have hue 0 and black has saturation 0, both
    with zero gradient. Out of gamut the formula simply goes on, and `hsv_to_rgb` undoes it
    wherever the value is not 0 up to rounding.

    Args:
        rgb: Colors, ``(..., 3)``, usually from 0 to 1.

    Returns:
        ``(..., 3)``: hue in turns, in [0, 1); saturation; value.

    Raises:
        TypeError: The colors are not floats.
        ValueError: The last axis does not hold three channels.

    References:
        Smith, 1978, "Color gamut transform pairs", the hexcone model.

    Examples:
        >>> import torch
        >>> rgb_to_hsv(torch.tensor([0.0, 0.5, 0.5])).tolist()
        [0.5, 1.0, 0.5]
    """
    return convert(rgb, _to_hsv, RGB_TO_HSV)


def _to_hsv(rgb: Colors) -> Colors:
    r, g, b = planes(rgb)
    value, bottom = rgb.amax(-1), rgb.amin(-1)
    hue = hexagonal_hue(r, g, b, value, bottom)
    return stack(hue, ratio(value - bottom, value), value)


@in_single()
def hsv_to_rgb(hsv: Colors) -> Colors:
    r"""Convert hue, saturation and value to RGB.

    .. math::
        f(n) = V - V S \, \mathrm{clamp}(\min(k, 4 - k), 0, 1), \quad k = (n + 6 H) \bmod 6

    where H, S, V are the channels of ``hsv`` and n is 5 for red, 3 for green and 1 for blue.

    Args:
        hsv: Colors, ``(..., 3)``: hue in turns, any number of them; saturation and value,
            usually from 0 to 1.

    Returns:
        ``(..., 3)``: RGB, from 0 to 1 where saturation and value are.

    Raises:
        TypeError: The colors are not floats.
        ValueError: The last axis does not hold three channels.

    References:
        Smith, 1978, "Color gamut transform pairs", the hexcone model.

    Examples:
        >>> import torch
        >>> hsv_to_rgb(torch.tensor([0.5, 1.0, 1.0])).tolist()
        [0.0, 1.0, 1.0]
    """
    return convert(hsv, _to_rgb, HSV_TO_RGB)


def _to_rgb(hsv: Colors) -> Colors:
    hue, saturation, value = planes(hsv)
    chroma = value * saturation
    red, green, blue = shortfalls(hue)
    return stack(value - chroma * red, value - chroma * green, value - chroma * blue)


@in_single(circular(0))
def rgb_to_hsl(rgb: Colors) -> Colors:
    r"""Convert RGB to hue, saturation and lightness.

    .. math::
        L = \frac{\max(r, g, b) + \min(r, g, b)}{2}, \quad
        S = \frac{\max(r, g, b) - \min(r, g, b)}{1 - |2 L - 1|}

    where r, g, b are the channels of ``rgb``, and the hue H is that of `rgb_to_hsv`. Grays have
    hue and saturation 0 with zero gradient. Out of gamut the formula simply goes on, and
    `hsl_to_rgb` undoes it wherever the lightness is neither 0 nor 1.

    Args:
        rgb: Colors, ``(..., 3)``, usually from 0 to 1.

    Returns:
        ``(..., 3)``: hue in turns, in [0, 1); saturation; lightness.

    Raises:
        TypeError: The colors are not floats.
        ValueError: The last axis does not hold three channels.

    References:
        Joblove and Greenberg, 1978, "Color spaces for computer graphics".

    Examples:
        >>> import torch
        >>> rgb_to_hsl(torch.tensor([0.5, 1.0, 1.0])).tolist()
        [0.5, 1.0, 0.75]
    """
    r, g, b = planes(rgb)
    top, bottom = rgb.amax(-1), rgb.amin(-1)
    chroma, lightness = top - bottom, (top + bottom) / 2
    hue = hexagonal_hue(r, g, b, top, bottom)
    return stack(hue, ratio(chroma, 1 - (2 * lightness - 1).abs()), lightness)


@in_single()
def hsl_to_rgb(hsl: Colors) -> Colors:
    r"""Convert hue, saturation and lightness to RGB.

    .. math::
        f(n) = L + S (1 - |2 L - 1|) \, (1/2 - \mathrm{clamp}(\min(k, 4 - k), 0, 1)), \quad
        k = (n + 6 H) \bmod 6

    where H, S, L are the channels of ``hsl`` and n is 5 for red, 3 for green and 1 for blue.

    Args:
        hsl: Colors, ``(..., 3)``: hue in turns, any number of them; saturation and lightness,
            usually from 0 to 1.

    Returns:
        ``(..., 3)``: RGB, from 0 to 1 where saturation and lightness are.

    Raises:
        TypeError: The colors are not floats.
        ValueError: The last axis does not hold three channels.

    References:
        Joblove and Greenberg, 1978, "Color spaces for computer graphics".

    Examples:
        >>> import torch
        >>> hsl_to_rgb(torch.tensor([0.5, 1.0, 0.75])).tolist()
        [0.5, 1.0, 1.0]
    """
    hue, saturation, lightness = planes(hsl)
    chroma = saturation * (1 - (2 * lightness - 1).abs())
    top = lightness + chroma / 2
    red, green, blue = shortfalls(hue)
    return stack(top - chroma * red, top - chroma * green, top - chroma * blue)


def hexagonal_hue(r: Plane, g: Plane, b: Plane, top: Plane, bottom: Plane) -> PerSample:
    """Hue in turns, in [0, 1); grays have hue 0, with zero gradient.

    Hue has a slope on the borders of the sectors too, where two channels are largest. It comes
    out if the chroma is that of one sector; the largest channel as such has half a slope in each.
    """
    red, green = top == r, top == g
    chroma = torch.where(red, r, torch.where(green, g, b)) - bottom
    third = torch.where(green, b - r + 2 * chroma, r - g + 4 * chroma)
    sixths = ratio(torch.where(red, g - b, third), chroma)
    return turns(sixths / 6)


def shortfalls(hue: PerSample) -> tuple[PerSample, PerSample, PerSample]:
    """How far red, green and blue fall short of the largest channel, in shares of the chroma.

    The closed form ``clamp(min(k, 4 - k), 0, 1)`` with ``k = (n + 6 h) mod 6`` for n = 5, 3, 1,
    its three remainders folded into one: half the time, a quarter with gradients.
    """
    sixths = 6 * (hue - hue.floor())
    red = (2 - (sixths - 3).abs()).clamp(0, 1)
    green = ((sixths - 2).abs() - 1).clamp(0, 1)
    blue = ((sixths - 4).abs() - 1).clamp(0, 1)
    return red, green, blue
