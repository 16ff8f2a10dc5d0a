"""HSV in few operations; `_hsv` has the formulas."""

import math

import torch

from latent_anchors.colorspace._channels import Block, apart, constant, together
from latent_anchors.colorspace._fused import FusedKernel, Kept

# Green minus blue, blue minus red, red minus green.
DIFFERENCES = constant([[0.0, 1.0, -1.0], [-1.0, 0.0, 1.0], [1.0, -1.0, 0.0]])

# What red, green and blue fall short, as negative numbers: `LIMITS - |CENTERS ± 6 h|`, clamped.
CENTERS = constant([[-3.0], [2.0], [4.0]])
WAYS = constant([[1.0], [-1.0], [-1.0]])
LIMITS = constant([[-2.0], [1.0], [1.0]])

# Tensors, since a number that Python holds is made into one at each call.
SIX, ZERO = constant(6.0), constant(0.0)


def _to_hsv(rgb: Block, out: Block) -> Kept:
    """The way from red on the side of green is ``1 - r + g + b`` sixths for the purest color.

    On the side of blue it is as long, the other way round. The purest color of a hue has largest
    channel 1 and smallest 0.
    """
    channels, found = apart(rgb), rgb.new_empty(3, rgb.shape[0])
    hue, saturation, value = found.unbind(0)
    eps = torch.finfo(rgb.dtype).eps
    bottom = channels.amin(0)
    torch.amax(channels, 0, out=value)
    r, g, b = channels.sub_(bottom).unbind(0)
    chroma = value - bottom
    # `threshold` replaces a divisor that rounding alone can cause: dividing by infinity gives 0.
    width = torch.threshold(chroma, eps, math.inf)
    depth = torch.threshold_(value.abs(), eps, math.inf).copysign_(value)
    way = torch.sub(chroma, r, out=hue).add_(g).add_(b).div_(width)
    # On the side of blue the rest of the circle, which may round to a whole turn: `frac` takes it.
    way.sub_(torch.lt(g, b, out=saturation), alpha=6).abs_().div_(SIX.to(rgb)).frac_()
    torch.div(chroma, depth, out=saturation)
    together(found, out)
    return channels, chroma, saturation, width, depth


def _to_hsv_gradient(kept: Kept, gradient: Block, out: Block) -> None:
    """The slope of hue, in sixths, is ``(b - g, r - b, g - r) / chroma²`` in every sector.

    That of an extreme is shared among the channels that attain it.
    """
    channels, chroma, saturation, width, depth = kept
    hue, purity, top = gradient.unbind(-1)
    purer = purity / depth
    tops = torch.eq(channels, chroma, out=torch.empty_like(channels))
    bottoms = torch.eq(channels, ZERO.to(channels), out=torch.empty_like(channels))
    brighter = (top + purer).addcmul_(purer, saturation, value=-1)
    passed = tops.mul_(brighter.div_(tops.sum(0)))
    passed.addcmul_(bottoms, purer.div_(bottoms.sum(0)), value=-1)
    differences = DIFFERENCES.to(gradient).mm(channels)
    passed.addcmul_(differences, (hue / width).div_(width), value=-1 / 6)
    together(passed, out)


def _to_rgb(hsv: Block, out: Block) -> Kept:
    hue, saturation, value = hsv.unbind(-1)
    chroma = value * saturation
    beyond = torch.addcmul(CENTERS.to(hsv), WAYS.to(hsv), (hue - hue.floor()).mul_(SIX.to(hsv)))
    free = torch.addcmul(LIMITS.to(hsv), WAYS.to(hsv), beyond.abs())
    short = free.clamp(-1, 0)
    together(torch.addcmul(value, chroma, short), out)
    return saturation, value, chroma, beyond, free, short


def _to_rgb_gradient(kept: Kept, gradient: Block, out: Block) -> None:
    """Where `clamp` begins and ends there is a slope still, as autograd has it."""
    saturation, value, chroma, beyond, free, short = kept
    channels = apart(gradient)
    slopes = SIX.to(gradient).copysign(beyond).mul_(free == short)
    hue = slopes.mul_(channels).sum(0).mul_(chroma)
    lost = short.mul(channels).sum(0)
    bright = channels.sum(0).addcmul_(lost, saturation)
    together(torch.stack((hue, lost.mul_(value), bright)), out)


RGB_TO_HSV = FusedKernel(_to_hsv, _to_hsv_gradient)
HSV_TO_RGB = FusedKernel(_to_rgb, _to_rgb_gradient)
