"""Check vectors and bases that users pass, and normalize them."""

from collections.abc import Iterable, Sequence
from operator import index
from typing import SupportsIndex, cast

import torch
from jaxtyping import Float
from torch import Tensor

from latent_anchors._numerics import as_floats, in_full_precision, ordinary
from latent_anchors._typing import Direction

DEPENDENT = 1e-5
"""A row whose independent part is shorter than this share of it adds no direction of its own."""


ROUNDING = 8.0
"""Units of the last digit by which normalized rows may differ from orthonormal ones."""


def as_vector(name: str, values: Sequence[float] | Tensor) -> Direction:
    """A vector of finite numbers, from a list or a tensor; of half precision in float32."""
    vector = _real(name, torch.as_tensor(values))
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
    given = _real("basis", as_numbers(rows)).detach()
    basis = given.to(torch.float64)
    if basis.ndim != 2 or basis.numel() == 0 or not bool(basis.isfinite().all()):
        raise ValueError(
            f"The basis has shape {tuple(basis.shape)}; expected rows of finite numbers, one "
            "direction each, such as [[1, 0, 0], [0, 1, 0]]."
        )
    if given.is_floating_point() and _orthonormal(in_full_precision(given)):
        return in_full_precision(given).clone()
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


def _real(name: str, numbers: Tensor) -> Tensor:
    if numbers.is_complex():
        raise TypeError(
            f"The {name} has complex numbers ({numbers.dtype}); expected real ones, as latents "
            "are. Give .real, or torch.view_as_real(...)."
        )
    return numbers


def as_numbers(given: object) -> Tensor:
    """A vector or rows as a tensor; several tensors are rows."""
    rows = [*cast("Sequence[object]", given)] if isinstance(given, list | tuple) else []
    several = bool(rows) and all(isinstance(row, Tensor) for row in rows)
    return torch.stack(cast("list[Tensor]", rows)) if several else torch.as_tensor(given)


def orthonormal_again(basis: Float[Tensor, "n dim"]) -> Float[Tensor, "n dim"]:
    """Orthonormal rows that were rounded to half precision, in full precision.

    Two steps of Newton and Schulz, each of which leaves the square of the error.
    """
    if basis.dtype not in (torch.float16, torch.bfloat16):
        return basis
    rows = basis.float()
    for _ in range(2):
        rows = 1.5 * rows - 0.5 * (rows @ rows.mT) @ rows
    return rows


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


def check_floating(name: str, z: Tensor, what: str = "latents") -> None:
    """Raise if latents, or other numbers, are integers, such as colors from 0 to 255."""
    if not z.is_floating_point():
        advice = "Mind the site." if what == "latents" else "Convert them with .float()."
        raise TypeError(
            f"{name} was given {what} of type {z.dtype}; expected floating point. {advice}"
        )


def listed_numbers(vector: Direction) -> str:
    """A vector's numbers for a ``repr``."""
    return ", ".join(f"{value:g}" for value in as_floats(vector))


def as_dims(given: Iterable[SupportsIndex], name: str = "dims") -> tuple[int, ...]:
    """Whole numbers; a mask would name dimensions 0 and 1."""
    dims = cast("list[object]", given.tolist() if isinstance(given, Tensor) else [*given])
    for k in dims:
        if isinstance(k, bool) or not isinstance(k, SupportsIndex):
            raise TypeError(
                f"{name} has {k!r}; expected whole numbers, from 0. Of a mask write "
                "mask.nonzero().flatten().tolist()."
            )
    return tuple(index(cast("SupportsIndex", k)) for k in dims)
