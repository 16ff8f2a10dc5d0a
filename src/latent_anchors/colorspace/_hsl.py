"""Hue, saturation, lightness: HSV's sibling with white at the other end."""

from latent_anchors._typing import Colors
from latent_anchors.colorspace._hexagon import hexagonal_hue, shortfalls
from latent_anchors.colorspace._planes import planes, ratio, stack
from latent_anchors.colorspace._precision import circular, in_single


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
