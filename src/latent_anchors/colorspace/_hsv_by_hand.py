"""HSV in few operations; `_hsv` has the formulas."""

import math

import torch

from latent_anchors.colorspace._shortcut import Block, Kept, Shortcut, apart, constant, together

# Green minus blue, blue minus red, red minus green.
DIFFERENCES = constant([[0.0, 1.0, -1.0], [-1.0, 0.0, 1.0], [1.0, -1.0, 0.0]])

# The shortfalls of red, green and blue: `SHIFTS + FLIPS |6 h - CENTERS|`, clamped.
CENTERS = constant([[3.0], [2.0], [4.0]])
FLIPS = constant([[-1.0], [1.0], [1.0]])
SHIFTS = constant([[2.0], [-1.0], [-1.0]])


def _to_hsv(rgb: Block, out: Block) -> Kept:
    """The way from red on the side of green is ``1 - r + g + b`` sixths for the purest color.

    On the side of blue it is as long, the other way round. The purest color of a hue has largest
    channel 1 and smallest 0.
    """
    channels = apart(rgb)
    eps = torch.finfo(rgb.dtype).eps
    value, bottom = channels.amax(0), channels.amin(0)
    above = channels - bottom
    chroma = above.amax(0)
    r, g, b = above.unbind(0)
    differences = DIFFERENCES.to(rgb).mm(channels)
    # `threshold` replaces a divisor that rounding alone can cause: dividing by infinity gives 0.
    width = torch.threshold(chroma, eps, math.inf)
    depth = torch.threshold_(value.abs(), eps, math.inf).copysign_(value)
    way = (chroma - r).add_(g).add_(b).div_(width).copysign_(differences[0])
    # A tiny negative number rounds up to a whole turn, which `frac` takes off.
    hue = way.sub_(way.sign().clamp_max_(0), alpha=6).div_(6).frac_()
    together(torch.stack((hue, chroma / depth, value)), out)
    return channels, differences, value, bottom, chroma, width, depth


def _from_hsv_gradient(kept: Kept, gradient: Block, out: Block) -> None:
    """The slope of hue, in sixths, is ``(b - g, r - b, g - r) / chroma²`` in every sector.

    That of an extreme is shared among the channels that attain it.
    """
    channels, differences, value, bottom, chroma, width, depth = kept
    hue, saturation, top = gradient.unbind(-1)
    purer = saturation / depth
    tops, bottoms = channels.clone().eq_(value), channels.clone().eq_(bottom)
    brighter = (top + purer).addcmul_(purer, chroma / depth, value=-1)
    passed = tops.mul(brighter.div_(tops.sum(0)))
    passed.addcmul_(bottoms, purer.div_(bottoms.sum(0)), value=-1)
    passed.addcmul_(differences, (hue / width).div_(width), value=-1 / 6)
    together(passed, out)


def _to_rgb(hsv: Block, out: Block) -> Kept:
    hue, saturation, value = hsv.unbind(-1)
    chroma = value * saturation
    beyond = (hue - hue.floor()).mul_(6) - CENTERS.to(hsv)
    unclamped = torch.addcmul(SHIFTS.to(hsv), FLIPS.to(hsv), beyond.abs())
    shortfalls = unclamped.clamp(0, 1)
    together(torch.addcmul(value, chroma, shortfalls, value=-1), out)
    return saturation, value, chroma, beyond, unclamped, shortfalls


def _from_rgb_gradient(kept: Kept, gradient: Block, out: Block) -> None:
    saturation, value, chroma, beyond, unclamped, shortfalls = kept
    channels = apart(gradient)
    slopes = beyond.sign().mul_(FLIPS.to(gradient)).mul_(unclamped == shortfalls)
    hue = slopes.mul_(channels).sum(0).mul_(chroma).mul_(-6)
    lost = shortfalls.mul(channels).sum(0)
    value_gradient = channels.sum(0).addcmul_(lost, saturation, value=-1)
    together(torch.stack((hue, lost.mul_(value).neg_(), value_gradient)), out)


RGB_TO_HSV = Shortcut(_to_hsv, _from_hsv_gradient)
HSV_TO_RGB = Shortcut(_to_rgb, _from_rgb_gradient)
