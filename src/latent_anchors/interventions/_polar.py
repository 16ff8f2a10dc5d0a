"""Latents in polar coordinates around a direction: length, angle, orthogonal unit vector."""

from typing import NamedTuple

import torch
from torch import Tensor

from latent_anchors._numerics import NOISE, dot, length, moved, unit
from latent_anchors._typing import Direction, Latents, PerSample


class Polar(NamedTuple):
    """The latent ``length * (along * v + aside * side)``; v and side are unit vectors."""

    length: PerSample
    along: PerSample
    aside: PerSample
    side: Latents


def polar(z: Latents, v: Direction, fallback: Direction, given: torch.dtype) -> Polar:
    """Latents in polar coordinates around the unit vector v, which was given in some type.

    On the line of v, where there is no orthogonal part but by rounding, the side is the fallback.
    """
    unit_z = unit(z)
    along = dot(unit_z, v)
    rest = _orthogonal(_orthogonal(unit_z, v), v)  # twice, as a small remainder has lost digits
    square = rest.square().sum(-1, keepdim=True)
    coarsest = max(torch.finfo(z.dtype).eps, torch.finfo(given).eps)
    clear = square > (NOISE * coarsest) ** 2
    side = torch.where(clear, rest * torch.where(clear, square, 1.0).rsqrt(), fallback)
    # by rounding, what is on the line may lie on either side of it
    return Polar(length(z), along, dot(unit_z, side).clamp_min(0.0), side)


def cartesian(
    length: PerSample, along: PerSample, aside: PerSample, v: Direction, side: Latents
) -> Latents:
    """Latents from polar coordinates around v."""
    sideways = (length * aside).unsqueeze(-1) * side
    return moved(sideways, length * along, v)


def default_side(v: Direction) -> Direction:
    """A unit vector orthogonal to v: the axis farthest from it (the first), orthogonalized."""
    axis = torch.nn.functional.one_hot(v.abs().argmin(-1), v.shape[-1]).to(v)
    return unit(_orthogonal(axis, v))


def side_of(towards: Direction, v: Direction) -> Direction:
    """The unit vector of the part of another vector that is orthogonal to v."""
    return unit(_orthogonal(_orthogonal(unit(towards), v), v))


def _orthogonal(z: Tensor, v: Direction) -> Tensor:
    return moved(z, -dot(z, v), v)
