"""A latent as seen from a direction: how long, at which angle, and to which side."""

from typing import NamedTuple

import torch
from torch import Tensor

from latent_anchors._numerics import dot, length, moved, unit
from latent_anchors._typing import Direction, Latents, PerSample

NOISE = 8.0
"""A side smaller than so many roundings of a unit vector is no side, but noise."""


class Polar(NamedTuple):
    """A latent, seen from a unit vector: ``length * (along * v + aside * side)``."""

    length: PerSample
    along: PerSample
    aside: PerSample
    side: Latents


def polar(z: Latents, v: Direction, fallback: Direction) -> Polar:
    """Latents as seen from the unit vector v; on its line, where no side is, the fallback's."""
    towards = unit(z)
    along = dot(towards, v)
    rest = _beside(_beside(towards, v), v)  # twice: what little is left lost its digits
    square = rest.square().sum(-1, keepdim=True)
    clear = square > (NOISE * torch.finfo(z.dtype).eps) ** 2
    side = torch.where(clear, rest * torch.where(clear, square, 1.0).rsqrt(), fallback)
    return Polar(length(z), along, dot(towards, side), side)


def cartesian(
    length: PerSample, along: PerSample, aside: PerSample, v: Direction, side: Latents
) -> Latents:
    """The latent of such parts."""
    sideways = (length * aside).unsqueeze(-1) * side
    return moved(sideways, length * along, v)


def default_side(v: Direction) -> Direction:
    """A unit vector at a right angle to v: the first of the axes farthest from it, straightened."""
    axis = torch.nn.functional.one_hot(v.abs().argmin(-1), v.shape[-1]).to(v)
    return unit(_beside(axis, v))


def side_of(towards: Direction, v: Direction) -> Direction:
    """The unit vector at a right angle to v, to the side of another vector."""
    return unit(_beside(_beside(unit(towards), v), v))


def _beside(z: Tensor, v: Direction) -> Tensor:
    return moved(z, -dot(z, v), v)
