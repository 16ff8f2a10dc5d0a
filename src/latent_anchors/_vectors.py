"""Vectors: checked and normalized where users pass them; lengths, cosines and all epsilons."""

from collections.abc import Sequence
from typing import Any, cast

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.autograd import Function

from latent_anchors._typing import Direction, Latents, PerSample

DEPENDENT = 1e-5
"""A row whose independent part is shorter than this share of it adds no direction of its own."""


ROUNDING = 8.0
"""Units of the last digit by which normalized rows may differ from orthonormal ones."""


def as_vector(name: str, values: Sequence[float] | Tensor) -> Direction:
    """A vector of finite numbers, from a list or a tensor; of half precision in float32."""
    vector = torch.as_tensor(values)
    floating = vector.is_floating_point()
    vector = in_full_precision(vector) if floating else vector.to(torch.get_default_dtype())
    if vector.ndim != 1 or len(vector) == 0 or not bool(vector.isfinite().all()):
        raise ValueError(
            f"The {name} is {values!r}; expected one finite number per latent dimension, such as "
            "[1, 0, 0, 0]."
        )
    return vector.detach().clone()


def as_direction(values: Sequence[float] | Tensor) -> Direction:
    """A unit vector, from a list or a tensor of any length but 0; never in half precision."""
    given = as_vector("direction", values)
    if _orthonormal(given.unsqueeze(0)):
        return given  # normalized twice is normalized once, to the bit
    vector = ordinary(given)
    if not bool(vector.any()):
        raise ValueError(
            f"The direction is {values!r}, which points nowhere; expected a vector other than zero."
        )
    return vector / vector.square().sum().sqrt()


def as_basis(rows: Sequence[Sequence[float]] | Tensor) -> Float[Tensor, "n dim"]:
    """Orthonormal rows that span what the given ones span; dependent rows are refused.

    Rows may have any length but 0; those of half precision come back in float32.
    """
    given = torch.as_tensor(rows)
    basis = given.to(torch.float64)
    if basis.ndim != 2 or basis.numel() == 0 or not bool(basis.isfinite().all()):
        raise ValueError(
            f"The basis has shape {tuple(basis.shape)}; expected rows of finite numbers, one "
            "direction each, such as [[1, 0, 0], [0, 1, 0]]."
        )
    if given.is_floating_point() and _orthonormal(in_full_precision(given)):
        return in_full_precision(given).detach().clone()
    # The columns past the last row would vanish from R's diagonal, so more rows than dim show too.
    basis = ordinary(basis)
    q, r = cast("tuple[Tensor, Tensor]", torch.linalg.qr(basis.mT))
    lengths = basis.square().sum(-1).sqrt()
    independent = len(basis) <= basis.shape[1] and bool(
        (r.diagonal().abs() > DEPENDENT * lengths).all()
    )
    if not independent:
        raise ValueError(
            f"The {len(basis)} rows of the basis are not independent directions in "
            f"{basis.shape[1]} dimensions; expected each to add one. Leave out the dependent ones."
        )
    # with these signs, rows that are orthonormal already stay as they are
    rows = (q * r.diagonal().sign()).mT.contiguous()
    dtype = (
        in_full_precision(given).dtype if given.is_floating_point() else torch.get_default_dtype()
    )
    return rows.to(dtype)


def _orthonormal(rows: Float[Tensor, "n dim"]) -> bool:
    """Whether rows are orthonormal already, up to rounding."""
    products = rows.detach().double() @ rows.detach().double().mT
    error = products - torch.eye(len(rows), dtype=products.dtype, device=rows.device)
    return bool((error.abs() <= ROUNDING * torch.finfo(rows.dtype).eps).all())


def check_width(name: str, z: Tensor, dim: int) -> None:
    """Raise if latents are not ``dim`` wide, or are integers."""
    check_floating(name, z)
    if z.ndim == 0 or z.shape[-1] != dim:
        raise ValueError(
            f"{name} was made for {dim} latent dimensions and was given latents of shape "
            f"{tuple(z.shape)}; expected (..., {dim}). Mind the site and its channel axis."
        )


def check_floating(name: str, z: Tensor) -> None:
    """Raise if latents are integers, such as colors from 0 to 255."""
    if not z.is_floating_point():
        raise TypeError(
            f"{name} was given latents of type {z.dtype}; expected floating point. Mind the site."
        )


def listed_numbers(vector: Direction) -> str:
    """A vector's numbers for a ``repr``."""
    return ", ".join(f"{value:g}" for value in as_floats(vector))


TINY = 1e-12
"""Length under which a vector counts as the origin."""

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
    full = in_full_precision(v)
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
    """One by the length of each vector; 0 at the origin, with zero gradient."""
    if torch.compiler.is_compiling():  # a compiler writes gradients out itself
        return _inverse_length(z)
    return cast("Tensor", _InverseLength.apply(z))


def _inverse_length(z: Latents) -> PerSample:
    # one pass where a comparison and a fill would be two
    return torch.threshold(length(z), TINY, torch.inf).reciprocal()


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
