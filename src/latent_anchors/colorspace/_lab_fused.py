"""CIELAB in few operations; `_lab` and `_linear` have the formulas.

Of a curve with a straight line below a border, `hardshrink` or `threshold` gives what lies above
and 0 elsewhere, and the rest is the line's: no `where`. A power is faster by way of the
logarithm, and its slope is the power itself over what was raised.
"""

import torch

from latent_anchors.colorspace._channels import Block, constant, turned
from latent_anchors.colorspace._fused import FusedKernel, Kept
from latent_anchors.colorspace._xyz import DELTA, FROM_SHARES, TO_SHARES, TOE

# Colors stand in rows, so a matrix is multiplied from the right: turned on the way there, as it is
# on the way back. `LIGHT` is by how much an amount of light is larger without a division by 1.055.
LIGHT = 1.055**2.4
UNMIX = constant(turned(FROM_SHARES))
MIX_BACK, UNMIX_BACK = constant(TO_SHARES, 1 / LIGHT), constant(FROM_SHARES)

# L, a, b from what the bent shares of X, Y, Z exceed black's, `BLACK`, and the reverse. The factors
# of 3 are those of the slopes of cube and cube root.
BLACK = 4 / 29
_OPPOSE = [[0.0, 116.0, 0.0], [500.0, -500.0, 0.0], [0.0, 200.0, -200.0]]
_UNITE = [[1 / 116, 1 / 500, 0.0], [1 / 116, 0.0, 0.0], [1 / 116, 0.0, -1 / 200]]
UNITE = constant(turned(_UNITE))
OPPOSE_BACK, UNITE_BACK = constant(_OPPOSE, 1 / 3), constant(_UNITE, 3.0)

# Differences first, which are exactly 0 in grays: shares are green light and parts of what red and
# blue exceed it by, since they sum to 1; a and b are scaled afterwards. Otherwise what is left of a
# gray would depend on whether a processor rounds each product of a sum.
DIFFER = constant(turned([[0.0, 1.0, 0.0], [1.0, -1.0, 0.0], [0.0, 1.0, -1.0]]))
SCALE = constant([[116.0, 500.0, 200.0]])
BESIDE_GREEN = constant([[1.0, 0.0], [-1.0, -1.0], [0.0, 1.0]])
EXCESS = constant([[row[0] for row in TO_SHARES], [row[2] for row in TO_SHARES]])


def _to_lab(rgb: Block, out: Block) -> Kept:
    encoded = torch.hardshrink(rgb, TOE)
    base = encoded.abs().add_(0.055)
    curve = base.log().mul_(2.4).exp_().mul_(encoded.sign())
    linear = torch.add(curve, rgb - encoded, alpha=LIGHT / 12.92)
    beside = linear.mm(BESIDE_GREEN.to(rgb))
    green, part = linear[:, 1:2].expand(-1, 3), 1 / LIGHT
    shares = torch.addmm(green, beside, EXCESS.to(rgb), beta=part, alpha=part)
    bent = torch.threshold(shares, DELTA**3, 0.0)
    roots = bent.log().mul_(1 / 3).exp_()
    straight = shares.sub_(bent)
    excess = torch.sub(roots, bent.sign_(), alpha=BLACK).add_(straight, alpha=1 / (3 * DELTA**2))
    torch.mm(excess, DIFFER.to(rgb), out=out).mul_(SCALE.to(rgb))
    return base, curve, roots


def _to_lab_gradient(kept: Kept, gradient: Block, out: Block) -> None:
    base, curve, roots = kept
    shares = gradient.mm(OPPOSE_BACK.to(gradient)).div_(roots.clamp_min(DELTA).square_())
    slopes = torch.threshold_(curve.abs().div_(base).mul_(2.4), 0.0, LIGHT / 12.92)
    torch.mul(slopes, shares.mm(MIX_BACK.to(gradient)), out=out)


def _to_rgb(lab: Block, out: Block) -> Kept:
    excess = lab.mm(UNITE.to(lab))
    roots = torch.threshold(excess, DELTA - BLACK, -BLACK).add_(BLACK)
    straight = excess.sub_(torch.threshold(excess, DELTA - BLACK, 0.0))
    shares = roots.pow(3).add_(straight, alpha=3 * DELTA**2)
    linear = shares.mm(UNMIX.to(lab))
    curved = torch.hardshrink(linear, TOE / 12.92)
    size = curved.abs()
    curve = size.clamp_min(TOE / 12.92).log_().mul_(1 / 2.4).exp_().mul_(1.055)
    encoded = (curve - 0.055).mul_(curved.sign())
    torch.add(encoded, linear.sub_(curved), alpha=12.92, out=out)
    return roots, size, curve


def _to_rgb_gradient(kept: Kept, gradient: Block, out: Block) -> None:
    roots, size, curve = kept
    slopes = torch.threshold_(size.div(curve).mul_(2.4), 0.0, 1 / 12.92)  # Their reciprocals.
    shares = gradient.div(slopes).mm(UNMIX_BACK.to(gradient))
    torch.mm(shares.mul_(roots.clamp_min(DELTA).square_()), UNITE_BACK.to(gradient), out=out)


RGB_TO_LAB = FusedKernel(_to_lab, _to_lab_gradient)
LAB_TO_RGB = FusedKernel(_to_rgb, _to_rgb_gradient)
