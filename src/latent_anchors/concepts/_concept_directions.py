"""Directions of concepts: along axes, given at any length, or fitted to labeled latents."""

from typing import Literal, TypeAlias, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from latent_anchors import interventions
from latent_anchors._checks import check_name, listed
from latent_anchors._supervision import as_tensor, check_label
from latent_anchors._vectors import as_basis, as_direction, as_numbers

Method: TypeAlias = Literal["mean_difference", "cav", "leace"]

FITTERS = {
    "mean_difference": interventions.fit_mean_difference,
    "cav": interventions.fit_cav,
    "leace": interventions.fit_leace,
}


def axis(*indices: int, dim: int) -> Float[Tensor, "*rows dim"]:
    """The unit vector along a latent dimension, or the axes of a plane.

    Args:
        *indices: Latent dimensions, counted from 0.
        dim: How many latent dimensions there are.

    Returns:
        ``(dim,)`` for one index, rows ``(n, dim)`` for several.

    Raises:
        ValueError: If an index is not one of the dimensions or comes twice, or none is given.

    Examples:
        >>> axis(0, dim=3)
        tensor([1., 0., 0.])
        >>> axis(0, 2, dim=3)
        tensor([[1., 0., 0.],
                [0., 0., 1.]])
    """
    if not indices or len(set(indices)) < len(indices) or not set(indices) <= set(range(dim)):
        raise ValueError(
            f"The indices are {listed(indices)} for dim={dim}; expected distinct ones from 0 to "
            f"{dim - 1}, such as axis(0, dim={dim})."
        )
    rows = torch.eye(dim)[list(indices)]
    return rows[0] if len(indices) == 1 else rows


def found_direction(
    latents: Float[Tensor, "*samples dim"],
    labels: Float[Tensor, "*samples"] | Tensor,
    method: Method,
) -> Float[Tensor, " dim"]:
    """The direction of an eraser fitted to labeled latents; it points to those with the concept."""
    check_name("method", method, get_args(Method))
    labels = as_tensor("The label", labels, latents.device)
    if labels.shape != latents.shape[:-1]:
        raise ValueError(
            f"The labels have shape {tuple(labels.shape)} and the latents {tuple(latents.shape)}; "
            f"expected {tuple(latents.shape[:-1])}, one label for each sample. Of a column of "
            "labels, write labels[:, 0]."
        )
    check_label("The label", labels, None, "freely")
    latents, labels = latents.flatten(0, -2), labels.flatten()  # each position is a sample
    erasure = FITTERS[method](latents, labels)
    direction = as_direction(erasure.right[0])
    along = (latents.double() - erasure.center.double()) @ direction.double()
    side = (along * (labels.to(along) - labels.to(along).mean())).sum()
    return direction if side >= 0 else -direction


def as_rows(direction: object) -> Tensor:
    """A unit vector, or orthonormal rows; a single row is a direction."""
    given = as_numbers(direction)
    if given.ndim == 2 and len(given) > 1:
        return as_basis(given)
    return as_direction(given[0] if given.ndim == 2 and len(given) else given)


def axes_of(name: str, basis: Float[Tensor, "n dim"], how: str) -> list[int]:
    """The axes that a direction or plane consists of; raises if it does not lie along axes."""
    if bool((basis.count_nonzero(dim=-1) > 1).any()):
        raise ValueError(
            f"Concept {name!r} does not lie along axes, which how={how!r} needs; expected "
            "a direction such as la.axis(0, dim=8). Use how='orthogonalize'."
        )
    return [int(index) for index in basis.abs().argmax(dim=-1)]
