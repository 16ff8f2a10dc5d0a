"""What HSV and HSL share: hue is the way round a hexagon, from red over green and blue."""

import torch

from latent_anchors._typing import PerSample
from latent_anchors.colorspace._planes import Plane, ratio, turns


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
