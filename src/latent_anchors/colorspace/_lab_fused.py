"""CIELAB in few operations; `_lab` and `_linear` have the formulas.

Of a curve with a straight line below a border, `hardshrink` or `threshold` gives what lies above
and 0 elsewhere, and the rest is the line's: no `where`. A power is faster by way of the
logarithm, and its slope is the power itself over what was raised.
"""

import torch

from latent_anchors.colorspace._channels import (
    Block,
    apart,
    constant,
    together,
    turned,
)
from latent_anchors.colorspace._fused import FusedKernel, Kept
from latent_anchors.colorspace._xyz import DELTA, FROM_SHARES, TO_SHARES, TOE

MIX, UNMIX = constant(TO_SHARES), constant(FROM_SHARES)
MIX_BACK, UNMIX_BACK = constant(turned(TO_SHARES)), constant(turned(FROM_SHARES))

# L, a, b from what the bent shares of X, Y, Z exceed black's, `BLACK`, and the reverse. The factors
# of 3 are those of the slopes of cube and cube root.
BLACK = 4 / 29
_OPPOSE = [[0.0, 116.0, 0.0], [500.0, -500.0, 0.0], [0.0, 200.0, -200.0]]
_UNITE = [[1 / 116, 1 / 500, 0.0], [1 / 116, 0.0, 0.0], [1 / 116, 0.0, -1 / 200]]
OPPOSE, UNITE = constant(_OPPOSE), constant(_UNITE)
OPPOSE_BACK, UNITE_BACK = constant(turned(_OPPOSE), 1 / 3), constant(turned(_UNITE), 3.0)


def _to_lab(rgb: Block, out: Block) -> Kept:
    channels = apart(rgb)
    encoded = torch.hardshrink(channels, TOE)
    base = encoded.abs().add_(0.055).div_(1.055)
    curve = base.log2().mul_(2.4).exp2_().mul_(encoded.sign())
    linear = torch.add(curve, channels.sub_(encoded), alpha=1 / 12.92)
    shares = MIX.to(rgb).mm(linear)
    bent = torch.threshold(shares, DELTA**3, 0.0)
    roots = bent.log2().div_(3).exp2_()
    straight = shares.sub_(bent)
    excess = torch.sub(roots, bent.sign_(), alpha=BLACK).add_(straight, alpha=1 / (3 * DELTA**2))
    together(OPPOSE.to(rgb).mm(excess), out)
    return base, curve, roots


def _to_lab_gradient(kept: Kept, gradient: Block, out: Block) -> None:
    base, curve, roots = kept
    shares = OPPOSE_BACK.to(gradient).mm(apart(gradient)).div_(roots.clamp_min(DELTA).square_())
    slopes = torch.threshold_(curve.abs().div_(base).mul_(2.4 / 1.055), 0.0, 1 / 12.92)
    together(slopes.mul_(MIX_BACK.to(gradient).mm(shares)), out)


def _to_rgb(lab: Block, out: Block) -> Kept:
    excess = UNITE.to(lab).mm(apart(lab))
    roots = torch.threshold(excess, DELTA - BLACK, -BLACK).add_(BLACK)
    straight = excess.sub_(torch.threshold(excess, DELTA - BLACK, 0.0))
    shares = roots.pow(3).add_(straight, alpha=3 * DELTA**2)
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
    together(UNITE_BACK.to(gradient).mm(shares.mul_(roots.clamp_min(DELTA).square_())), out)


RGB_TO_LAB = FusedKernel(_to_lab, _to_lab_gradient)
LAB_TO_RGB = FusedKernel(_to_rgb, _to_rgb_gradient)
