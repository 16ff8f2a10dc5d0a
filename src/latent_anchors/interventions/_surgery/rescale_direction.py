"""Rescale and shift one direction of the latents in the weights."""

from collections.abc import Sequence
from functools import partial
from operator import index
from typing import cast

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from latent_anchors._checks import check_finite
from latent_anchors._numerics import in_full_precision
from latent_anchors._runs import architecture
from latent_anchors._sites import At
from latent_anchors.interventions._surgery.apply_surgery import Model, Parameters, apply_surgery
from latent_anchors.interventions._surgery.find_layers import resolve_layers
from latent_anchors.interventions._surgery.orthogonalize import as_rows, projected
from latent_anchors.interventions._surgery.random_copy import Example
from latent_anchors.interventions._surgery.site_layers import SiteLayers, check_dims


def rescale_direction(
    model: Model,
    along: int | Sequence[float] | Tensor,
    scale: float,
    offset: float = 0.0,
    at: At | SiteLayers = "latent",
    example: Example | None = None,
) -> Model:
    r"""Scale and shift the component that the producer writes along one direction.

    .. math:: h' = h + \big( (s - 1)(h \cdot v) + o \big) v

    for the producer's output :math:`h`, with the unit vector :math:`v` ``along``, the ``scale``
    :math:`s` and the ``offset`` :math:`o`. This equals the same edit at the producer's output,
    before a normalization that follows. Scale -1 reflects latents to the opposite side; scale 0
    replaces the component with the constant offset.

    Args:
        model: A model, or a population; it is not changed.
        along: A latent dimension, from 0, or a direction ``(dim,)``, not zero.
        scale: Factor of the component; 1 leaves it unchanged.
        offset: Added along the unit vector; needs a producer with a bias.
        at: The site, whose producer is found as by :func:`find_layers`; or the layers.
        example: What the model takes: ``(...)``, a tuple of arguments, or a mapping by name.

    Returns:
        A new model, or a population with the same seeds.

    Raises:
        ValueError: If the dimension does not exist, the direction has another width or is zero, a
            number is not finite, there is no bias for the offset, the layer is ambiguous, or
            ``along`` is a direction and there is an activation between the layer and the site.

    References:
        The reflection in the follow-up experiment 2.9.2 of ``ex-preppy`` (2025).

    Examples:
        >>> from torch import nn
        >>> model = nn.Sequential(nn.Linear(3, 2), nn.Identity(), nn.Linear(2, 1))
        >>> mirrored = rescale_direction(model, along=0, scale=-1.0, at="1")
        >>> bool(torch.equal(mirrored[0].weight[0], -model[0].weight[0]))
        True
    """
    check_finite("scale", scale)
    check_finite("offset", offset)
    along = along if _is_direction(along) else index(cast("int", along))
    any_direction = not isinstance(along, int)
    layers, width = resolve_layers(model, at, example, "writing", any_direction)
    biases = dict(architecture(model).named_parameters())
    if offset != 0 and f"{layers.producer}.bias" not in biases:
        raise ValueError(
            f"offset is {offset}, and {layers.producer!r} has no bias to add it to; expected 0, or "
            "a producer made with bias=True."
        )
    return apply_surgery(
        model,
        partial(_rescaled, row=_row(along, width), scale=scale, offset=offset, layers=layers),
    )


def _is_direction(along: object) -> bool:
    """Whether it is no dimension's number, which may be numpy's or a tensor ``()``, too."""
    if isinstance(along, Tensor | np.ndarray):
        return along.ndim > 0
    return not hasattr(along, "__index__")


def _row(along: int | Sequence[float] | Tensor, width: int) -> Float[Tensor, "1 dim"]:
    if not isinstance(along, int):
        rows = as_rows(along, width)
        if len(rows) != 1:
            raise ValueError(
                f"along has {len(rows)} rows; expected one direction. Rescale one after the other."
            )
        return rows
    check_dims([along], width)
    return torch.eye(width, dtype=torch.float64)[along].unsqueeze(0)


def _rescaled(
    parameters: Parameters,
    row: Float[Tensor, "1 dim"],
    scale: float,
    offset: float,
    layers: SiteLayers,
) -> Parameters:
    """Scale and shift the component that the producer writes."""
    weight, bias = f"{layers.producer}.weight", f"{layers.producer}.bias"
    new = {weight: _scaled(parameters[weight].mT, row, scale).mT}
    if bias in parameters:
        new[bias] = _scaled(parameters[bias], row, scale, offset)
    return new


def _scaled(x: Tensor, row: Float[Tensor, "1 dim"], scale: float, offset: float = 0.0) -> Tensor:
    full = in_full_precision(x)
    moved = full + (scale - 1.0) * projected(full, row)
    return (moved + (offset * row.squeeze(0)).to(moved)).to(x.dtype)  # rounded once
