"""Orthogonalizing weights: they no longer write, or read, anything along a direction."""

from collections.abc import Sequence
from functools import partial
from typing import TypeVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from latent_anchors._numerics import in_full_precision, without_autocast
from latent_anchors._sites import At
from latent_anchors._vectors import as_basis, as_direction
from latent_anchors.interventions._surgery.apply_surgery import Parameters, apply_surgery
from latent_anchors.interventions._surgery.find_layers import located
from latent_anchors.interventions._surgery.random_copy import Example
from latent_anchors.interventions._surgery.site_layers import Side, SiteLayers

_Model = TypeVar("_Model", bound=nn.Module)


def orthogonalize(
    model: _Model,
    directions: Sequence[float] | Sequence[Sequence[float]] | Tensor,
    at: At | SiteLayers = "latent",
    example: Example | None = None,
    side: Side = "both",
) -> _Model:
    r"""Directional ablation baked into the weights: nothing along a direction is written or read.

    .. math:: W_p' = W_p - V^\top V W_p, \qquad b_p' = b_p - V^\top V b_p, \qquad
        W_c' = W_c - W_c V^\top V

    with the producer's :math:`W_p, b_p`, the consumer's :math:`W_c` and orthonormal rows :math:`V`
    that span the ``directions``. It equals an edit that takes out the projection onto them, without
    renormalizing: at the producer's output for ``"writing"``, so that a normalization that follows
    brings what is left back to full length; at what enters the consumer for ``"reading"``.
    ``"both"`` acts as ``"writing"`` does. On axes it is :func:`ablate`.

    Args:
        model: A model, or a population; it stays as it is.
        directions: One direction ``(dim,)``, or independent rows ``(n, dim)``, of any length but 0.
        at: The site; the layers around it are traced (see :func:`find_layers`) unless given.
        example: What the model takes ``(...)``, or a tuple of arguments, for the trace.
        side: Which weights change.

    Returns:
        A new model, or a population with the same seeds.

    Raises:
        ValueError: If the directions are of another width, zero, dependent or not finite, the
            layers are ambiguous, or an activation lies between a layer and the site.

    References:
        Arditi et al., "Refusal in Language Models Is Mediated by a Single Direction" (2024), eq. 5.

    Examples:
        >>> model = nn.Sequential(nn.Linear(3, 2), nn.Identity(), nn.Linear(2, 1))
        >>> blind = orthogonalize(model, [1, -1], at="1", side="reading")
        >>> bool((blind[2].weight[0, 0] - blind[2].weight[0, 1]).abs() < 1e-6)
        True
    """
    layers, width = located(model, at, example, side, straight=True)
    basis = as_rows(directions, width)
    return apply_surgery(model, partial(_orthogonalized, basis=basis, layers=layers))


def as_rows(
    directions: Sequence[float] | Sequence[Sequence[float]] | Tensor, width: int
) -> Float[Tensor, "n dim"]:
    """Orthonormal rows in float64 that span one or several directions of the latents' width."""
    given = torch.as_tensor(directions, dtype=torch.float64)
    rows = as_direction(given).unsqueeze(0) if given.ndim == 1 else as_basis(given)
    if rows.shape[1] != width:
        raise ValueError(
            f"The directions have {rows.shape[1]} numbers each; expected {width}, one per latent "
            "dimension."
        )
    return rows


def projected(x: Tensor, basis: Float[Tensor, "n dim"]) -> Tensor:
    """The part ``(..., dim)`` of vectors that lies in the span of orthonormal rows."""
    rows = basis.to(x.dtype).to(x.device)
    with without_autocast(x):
        return x @ rows.mT @ rows


def _orthogonalized(
    parameters: Parameters, basis: Float[Tensor, "n dim"], layers: SiteLayers
) -> Parameters:
    """The parameters that write and read nothing in the span of orthonormal rows."""
    new: dict[str, Tensor] = {}
    weight, bias = f"{layers.producer}.weight", f"{layers.producer}.bias"
    if weight in parameters:
        new[weight] = _without(parameters[weight].mT, basis).mT
    if bias in parameters:
        new[bias] = _without(parameters[bias], basis)
    for name in layers.consumers:
        new[f"{name}.weight"] = _without(parameters[f"{name}.weight"], basis)
    return new


def _without(x: Tensor, basis: Float[Tensor, "n dim"]) -> Tensor:
    full = in_full_precision(x)
    return (full - projected(full, basis)).to(x.dtype)
