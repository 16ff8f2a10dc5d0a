"""Unit vectors, lengths and cosines with finite gradients everywhere; all epsilons."""

from typing import Any, cast

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.autograd import Function

from latent_anchors._typing import Direction, Latents, PerSample

TINY = 1e-12
"""Length under which a vector counts as the origin."""

NOISE = 8.0
"""What is left of a vector below this many machine epsilons of its length is rounding noise."""

TINY_SQUARE = TINY**2
"""The same, squared: far above float32's smallest normal."""


def in_full_precision(z: Latents) -> Latents:
    """Half precision to float32; float32 and float64 as they are."""
    return z.float() if z.dtype in (torch.float16, torch.bfloat16) else z


def ordinary(v: Latents) -> Latents:
    """Vectors rescaled to a length near 1, where squares neither overflow nor underflow.

    Each is multiplied by a power of two, so that no digit changes, in full precision. Zero and
    non-finite vectors stay what they are.
    """
    full = in_full_precision(v if v.is_floating_point() else v.to(torch.get_default_dtype()))
    largest = full.detach().abs().amax(-1, keepdim=True)
    exponent = torch.frexp(largest.clamp_min(torch.finfo(full.dtype).tiny)).exponent
    return full * torch.ldexp(torch.ones_like(largest), -exponent)


def unit(z: Latents) -> Latents:
    """Each vector at length 1; the origin stays, with zero gradient instead of an infinite one."""
    full = in_full_precision(z)  # one by a short length would overflow in half precision
    return (full * inverse_length(full).unsqueeze(-1)).to(z.dtype)


def length(z: Latents) -> PerSample:
    """Length of each vector; the origin has zero gradient instead of an infinite one."""
    return cast("Tensor", torch.linalg.vector_norm(z, dim=-1))


def inverse_length(z: Latents) -> PerSample:
    """One by each length; 0 at the origin, with zero gradient; NaN where the length is infinite."""
    if torch.compiler.is_compiling():  # a compiler writes gradients out itself
        return _inverse_length(z)
    return cast("Tensor", _InverseLength.apply(z))


def _inverse_length(z: Latents) -> PerSample:
    far = length(z)
    far = torch.add(far, far, alpha=0)  # what has overflowed is no number: infinity by 0
    # one pass where a comparison and a fill would be two
    return torch.threshold(far, TINY, torch.inf).reciprocal()


class _InverseLength(Function):
    """A hand-written derivative: nearly every term uses it, and autograd takes three times as long.

    It can be differentiated any number of times, in forward and reverse mode.
    """

    generate_vmap_rule = True

    @staticmethod
    def forward(z: Tensor) -> Tensor:
        return _inverse_length(z)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: Tensor) -> None:
        ctx.save_for_backward(*inputs, output)
        ctx.save_for_forward(*inputs, output)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        z, inverse = ctx.saved_tensors
        return z * (-gradients[0] * inverse**3).unsqueeze(-1)

    @staticmethod
    def jvp(ctx: Any, *tangents: Tensor) -> Tensor:
        z, inverse = ctx.saved_tensors
        return -(inverse**3) * dot(z, tangents[0])


def cosine(z: Latents, direction: Direction) -> PerSample:
    """Cosine to one direction, of length 1 or near it; 0 at the origin."""
    # no unit vector is made of z: each pass over wide latents counts
    return dot(z, unit(direction.to(z))) * inverse_length(z)


def cosines(z: Latents, directions: Float[Tensor, "n dim"]) -> Float[Tensor, "n *samples"]:
    """Cosine to each of several directions, from one product; 0 at the origin."""
    return dots(z, unit(directions.to(z))) * inverse_length(z)


def dots(z: Latents, rows: Float[Tensor, "n dim"]) -> Float[Tensor, "n *samples"]:
    """Scalar products with each of several rows, from one product of matrices."""
    with without_autocast(z):
        products = rows @ z.reshape(-1, z.shape[-1]).mT
    return products.reshape(len(rows), *z.shape[:-1])


def dot(z: Latents, v: Float[Tensor, "*#batch dim"]) -> PerSample:
    """Scalar products; written as ``@``, autocast would compute them in half precision."""
    return (z * v).sum(-1)


def moved(z: Latents, amount: PerSample, v: Direction) -> Latents:
    """``z + amount * v``, in one pass."""
    return torch.addcmul(z, amount.unsqueeze(-1), v)


def missing(z: Tensor) -> Tensor:
    """NaN in place of every non-finite value."""
    return z.masked_fill(~z.isfinite(), torch.nan)


def without_autocast(z: Tensor) -> torch.autocast:
    """Disable autocast, which would compute matrix products in half precision."""
    return torch.autocast(z.device.type, enabled=False)


def as_floats(values: Float[Tensor, " n"] | Bool[Tensor, " n"]) -> list[float]:
    """A tensor's numbers, which torch's own stubs leave untyped; 0 and 1 of booleans."""
    return [float(value) for value in cast("list[float]", values.tolist())]
