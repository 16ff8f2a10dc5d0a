"""Alignment: how far latents lie along a direction, or within a plane."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from latent_anchors._numerics import (
    cosine,
    in_full_precision,
    inverse_length,
    length,
    ordinary,
    without_autocast,
)
from latent_anchors._vectors import as_basis, as_direction, check_width


def alignment(
    latents: Float[Tensor, "*batch dim"],
    direction: Sequence[float] | Sequence[Sequence[float]] | Tensor,
) -> Float[Tensor, "*batch"]:
    r"""Cosine of each latent with a direction, or with a plane.

    .. math:: \alpha = \cos(z, v), \qquad \text{or} \qquad
        \alpha = \lVert B z \rVert / \lVert z \rVert

    with the direction :math:`v`, or orthonormal rows :math:`B` that span a plane. 0 at the origin;
    NaN where a latent is not finite.

    Args:
        latents: ``(..., dim)``.
        direction: ``(dim,)``, or rows ``(n, dim)`` that span a plane, of any length but 0.

    Returns:
        ``(...)``, from -1 to 1; for a plane from 0 to 1.

    Raises:
        ValueError: If the direction is zero, not finite or of another width, or its rows are
            dependent.
        TypeError: If the latents are integers.

    References:
        Bjorck and Golub, 1973, "Numerical methods for computing angles between linear subspaces",
        for the angle with a plane.

    Examples:
        >>> z = torch.tensor([[3.0, 4.0, 0.0], [0.0, -2.0, 0.0]])
        >>> alignment(z, [0, 1, 0])
        tensor([ 0.8000, -1.0000])
        >>> alignment(z, [[1, 0, 0], [0, 1, 0]])
        tensor([1., 1.])
    """
    given = torch.as_tensor(direction)
    rows = as_direction(given) if given.ndim == 1 else as_basis(given)
    check_width("The alignment", latents, rows.shape[-1])
    z = ordinary(latents)
    return cosine(z, rows) if rows.ndim == 1 else _within(z, rows)


def _within(z: Tensor, rows: Float[Tensor, "n dim"]) -> Tensor:
    with without_autocast(z):
        inside = in_full_precision(z) @ rows.to(z).mT
    return length(inside) * inverse_length(z)
