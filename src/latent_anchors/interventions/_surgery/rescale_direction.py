"""Remapping in the weights: what is written along one direction is scaled and moved."""

from collections.abc import Sequence
from functools import partial
from typing import TypeVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from latent_anchors._checks import check_finite
from latent_anchors._numerics import in_full_precision
from latent_anchors._runs import architecture
from latent_anchors._sites import At
from latent_anchors.interventions._surgery.apply_surgery import Parameters, apply_surgery
from latent_anchors.interventions._surgery.find_layers import located
from latent_anchors.interventions._surgery.orthogonalize import as_rows, projected
from latent_anchors.interventions._surgery.random_copy import Example
from latent_anchors.interventions._surgery.site_layers import SiteLayers, check_dims

_Model = TypeVar("_Model", bound=nn.Module)


def rescale_direction(
    model: _Model,
    along: int | Sequence[float] | Tensor,
    scale: float,
    offset: float = 0.0,
    at: At | SiteLayers = "latent",
    example: Example | None = None,
) -> _Model:
    r"""Scale and move what the producer writes along one direction; the rest is spared.

    .. math:: h' = h + \big( (s - 1)(h \cdot v) + o \big) v

    for the producer's output :math:`h`, with the unit vector :math:`v` ``along``, the ``scale``
    :math:`s` and the ``offset`` :math:`o`. It equals this edit at the producer's output, before a
    normalization that follows. Scale -1 reflects: what was at the concept's pole comes to the
    opposite one. Scale 0 writes the offset, whatever comes in.

    Args:
        model: A model, or a population; it stays as it is.
        along: A latent dimension, from 0, or a direction ``(dim,)`` of any length but 0.
        scale: Factor of what is written; 1 leaves it.
        offset: What is added along the unit vector; needs a producer with a bias.
        at: The site; the layer that writes it is traced (see :func:`find_layers`) unless given.
        example: What the model takes ``(...)``, or a tuple of arguments, for the trace.

    Returns:
        A new model, or a population with the same seeds.

    Raises:
        ValueError: If the dimension does not exist, the direction is of another width or zero, a
            number is not finite, there is no bias to move, the layer is ambiguous, or an
            activation lies between it and the site and ``along`` is a direction.

    References:
        The reflection in the follow-up experiment 2.9.2 of ``ex-preppy`` (2025).

    Examples:
        >>> model = nn.Sequential(nn.Linear(3, 2), nn.Identity(), nn.Linear(2, 1))
        >>> mirrored = rescale_direction(model, along=0, scale=-1.0, at="1")
        >>> bool(torch.equal(mirrored[0].weight[0], -model[0].weight[0]))
        True
    """
    check_finite("scale", scale)
    check_finite("offset", offset)
    straight = not isinstance(along, int)
    layers, width = located(model, at, example, "writing", straight)
    biases = dict(architecture(model).named_parameters())
    if offset != 0 and f"{layers.producer}.bias" not in biases:
        raise ValueError(
            f"offset is {offset}, and {layers.producer!r} has no bias to add it to; expected 0, or "
            "a producer made with bias=True."
        )
    return apply_surgery(
        model,
        partial(_remapped, row=_row(along, width), scale=scale, offset=offset, layers=layers),
    )


def _row(along: int | Sequence[float] | Tensor, width: int) -> Float[Tensor, "1 dim"]:
    if not isinstance(along, int):
        return as_rows(along, width)
    check_dims([along], width)
    return torch.eye(width, dtype=torch.float64)[along].unsqueeze(0)


def _remapped(
    parameters: Parameters,
    row: Float[Tensor, "1 dim"],
    scale: float,
    offset: float,
    layers: SiteLayers,
) -> Parameters:
    """The parameters whose producer writes the scaled and moved component."""
    weight, bias = f"{layers.producer}.weight", f"{layers.producer}.bias"
    new = {weight: _scaled(parameters[weight].mT, row, scale).mT}
    if bias in parameters:
        new[bias] = _scaled(parameters[bias], row, scale, offset)
    return new


def _scaled(x: Tensor, row: Float[Tensor, "1 dim"], scale: float, offset: float = 0.0) -> Tensor:
    full = in_full_precision(x)
    moved = full + (scale - 1.0) * projected(full, row)
    return (moved + (offset * row.squeeze(0)).to(moved)).to(x.dtype)  # rounded once
