"""The home of epsilons: unit vectors and cosines with finite gradients everywhere."""

from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor

from latent_anchors._typing import Direction, Latents, PerSample

TINY_SQUARE = 1e-24
"""Squared length under which a vector counts as the origin: far above float32's smallest normal."""


def in_full_precision(z: Latents) -> Latents:
    """Half precision to float32; float32 and float64 as they are."""
    return z.float() if z.dtype in (torch.float16, torch.bfloat16) else z


def unit(z: Latents) -> Latents:
    """Each vector at length 1; the origin stays, with zero gradient instead of an infinite one."""
    square = z.square().sum(-1, keepdim=True)
    away = square > TINY_SQUARE
    return torch.where(away, z * torch.where(away, square, 1.0).rsqrt(), 0.0)


def cosine(z: Latents, direction: Direction) -> PerSample:
    """Cosine to one direction; 0 at the origin."""
    return dot(unit(z), unit(direction.to(z)))


def dot(z: Latents, v: Float[Tensor, "*#batch dim"]) -> PerSample:
    """Scalar products, which autocast would make in half precision if they were written ``@``."""
    return (z * v).sum(-1)


def without_autocast(z: Tensor) -> torch.autocast:
    """For products of matrices, which autocast would make in half precision."""
    return torch.autocast(z.device.type, enabled=False)


def as_floats(values: Float[Tensor, " n"]) -> list[float]:
    """A tensor's numbers, which torch's own stubs leave untyped."""
    return cast("list[float]", values.tolist())
