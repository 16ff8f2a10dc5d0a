"""CIELAB in few operations; `_lab` and `_linear` have the formulas.

Of a curve with a straight line below a border, `hardshrink` or `clamp_min` gives what lies above,
the rest is the line's: no `where`. A power is faster by way of the logarithm, and its slope is
the power itself divided by what was raised.
"""

import torch

from latent_anchors.colorspace._linear import TOE
from latent_anchors.colorspace._shares import DELTA, FROM_SHARES, TO_SHARES
from latent_anchors.colorspace._shortcut import (
    Block,
    Channels,
    Constant,
    Kept,
    Shortcut,
    apart,
    constant,
    together,
    turned,
)

MIX, UNMIX = constant(TO_SHARES), constant(FROM_SHARES)
MIX_BACK, UNMIX_BACK = constant(turned(TO_SHARES)), constant(turned(FROM_SHARES))

# L, a, b from the bent shares x, y, z of X, Y, Z, and the reverse. The factors of 3 are those of
# the slopes of cube and cube root.
_OPPOSE = [[0.0, 116.0, 0.0], [500.0, -500.0, 0.0], [0.0, 200.0, -200.0]]
_UNITE = [[1 / 116, 1 / 500, 0.0], [1 / 116, 0.0, 0.0], [1 / 116, 0.0, -1 / 200]]
OPPOSE, BLACK = constant(_OPPOSE), constant([[-16.0], [0.0], [0.0]])
UNITE, BLACK_SHARE = constant(_UNITE), constant([[16 / 116]] * 3)
OPPOSE_BACK, UNITE_BACK = constant(turned(_OPPOSE), 1 / 3), constant(turned(_UNITE), 3.0)


def _to_lab(rgb: Block, out: Block) -> Kept:
    channels = apart(rgb)
    encoded = torch.hardshrink(channels, TOE)
    base = encoded.abs().add_(0.055).div_(1.055)
    curve = base.log2().mul_(2.4).exp2_().mul_(encoded.sign())
    linear = torch.add(curve, channels.sub_(encoded), alpha=1 / 12.92)
    shares = MIX.to(rgb).mm(linear)
    bent = shares.clamp_min(DELTA**3)
    missing = bent - shares
    roots = bent.log2_().div_(3).exp2_()
    together(_plus(BLACK, OPPOSE, roots.sub(missing, alpha=1 / (3 * DELTA**2))), out)
    return base, curve, roots


def _to_lab_gradient(kept: Kept, gradient: Block, out: Block) -> None:
    base, curve, roots = kept
    shares = OPPOSE_BACK.to(gradient).mm(apart(gradient)).div_(roots.square())
    slopes = torch.threshold_(curve.abs().div_(base).mul_(2.4 / 1.055), 0.0, 1 / 12.92)
    together(slopes.mul_(MIX_BACK.to(gradient).mm(shares)), out)


def _to_rgb(lab: Block, out: Block) -> Kept:
    bent = _plus(BLACK_SHARE, UNITE, apart(lab))
    roots = bent.clamp_min(DELTA)
    shares = roots.pow(3).sub_(roots - bent, alpha=3 * DELTA**2)
    linear = UNMIX.to(lab).mm(shares)
    curved = torch.hardshrink(linear, TOE / 12.92)
    size = curved.abs()
    curve = size.clamp_min(TOE / 12.92).log2_().div_(2.4).exp2_().mul_(1.055)
    encoded = (curve - 0.055).mul_(curved.sign()).add_(linear.sub_(curved), alpha=12.92)
    together(encoded, out)
    return roots, size, curve


def _to_rgb_gradient(kept: Kept, gradient: Block, out: Block) -> None:
    roots, size, curve = kept
    slopes = torch.threshold_(size.div(curve).mul_(2.4), 0.0, 1 / 12.92)  # Their reciprocals.
    shares = UNMIX_BACK.to(gradient).mm(apart(gradient).div_(slopes))
    together(UNITE_BACK.to(gradient).mm(shares.mul_(roots.square())), out)


def _plus(offset: Constant, matrix: Constant, channels: Channels) -> Channels:
    return torch.addmm(offset.to(channels), matrix.to(channels), channels)


RGB_TO_LAB = Shortcut(_to_lab, _to_lab_gradient)
LAB_TO_RGB = Shortcut(_to_rgb, _to_rgb_gradient)
