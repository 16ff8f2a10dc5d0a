"""How far latents lie along a direction or within a plane, and how far an edit moves them."""

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
from latent_anchors._typing import Latents, PerSample
from latent_anchors._vectors import as_basis, as_direction, check_width
from latent_anchors.interventions import Edit


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
        ``(...)``, from -1 to 1; for rows, even a single one, from 0 to 1.

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
    found = cosine(z, rows) if rows.ndim == 1 else _within(z, rows)
    return found.clamp(-1.0, 1.0)  # by rounding it may be greater, which no angle has


def _within(z: Tensor, rows: Float[Tensor, "n dim"]) -> Tensor:
    with without_autocast(z):
        inside = in_full_precision(z) @ rows.to(z).mT
    return length(inside) * inverse_length(z)


def displacement(z: Latents, edit: Edit) -> PerSample:
    r"""How far an edit will move each latent: the damage to expect, up to a factor.

    .. math:: d = \lVert h(z) - z \rVert_2^2

    with the ``edit`` :math:`h`. A decoder that is smooth near the latents answers a small move with
    an error in proportion to it, so samples of no displacement are safe, and no decoder is needed.
    How well it predicts: :func:`squared_correlation` of the errors and the displacement.

    Args:
        z: Latents before the edit, ``(..., dim)``, of one run or of all.
        edit: Latents ``(..., dim)`` to latents of the same shape.

    Returns:
        ``(...)``, at least 0.

    Raises:
        ValueError: If the edit changes the shape, as a population of edits does.

    References:
        Ours: the first term of the decoder's Taylor series, its slope taken to be the same
        everywhere and in every direction.

    Examples:
        >>> import torch
        >>> from latent_anchors.interventions import Suppression
        >>> displacement(torch.tensor([[0.8, 0.6], [-1.0, 0.0]]), Suppression([1, 0]))
        tensor([0.6400, 0.0000])
    """
    edited = edit(z)
    if edited.shape != z.shape:
        raise ValueError(
            f"The edit made latents of shape {tuple(edited.shape)} out of {tuple(z.shape)}; "
            "expected the same shape. Give each run's latents to its own edit."
        )
    # in half precision the square of a long way would be infinite
    return (in_full_precision(edited) - in_full_precision(z)).square().sum(-1)
