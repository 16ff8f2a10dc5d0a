"""Hue, saturation, value: the color wheel that painters and pickers use."""

from latent_anchors._typing import Colors
from latent_anchors.colorspace._fused import convert
from latent_anchors.colorspace._hexagon import hexagonal_hue, shortfalls
from latent_anchors.colorspace._hsv_fused import HSV_TO_RGB, RGB_TO_HSV
from latent_anchors.colorspace._planes import planes, ratio, stack
from latent_anchors.colorspace._precision import circular, in_single


@in_single(circular(0))
def rgb_to_hsv(rgb: Colors) -> Colors:
    r"""Convert RGB to hue, saturation and value.

    .. math::
        V = \max(r, g, b), \quad C = V - \min(r, g, b), \quad S = C / V

    where r, g, b are the channels of ``rgb``, and H is the way round the hexagon that the RGB
    cube shows when seen along its gray axis. Grays have hue 0 and black has saturation 0, both
    with zero gradient. Out of gamut the formula simply goes on, and `hsv_to_rgb` undoes it
    wherever the value is not 0.

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
