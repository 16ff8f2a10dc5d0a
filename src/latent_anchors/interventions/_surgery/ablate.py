"""Ablating dimensions: what the weights write into some latent dimensions, or read from them."""

from collections.abc import Sequence
from functools import partial
from typing import TypeVar

import torch
from torch import Tensor, nn

from latent_anchors._sites import At
from latent_anchors.interventions._surgery.apply_surgery import Parameters, apply_surgery
from latent_anchors.interventions._surgery.find_layers import located
from latent_anchors.interventions._surgery.random_copy import Example
from latent_anchors.interventions._surgery.site_layers import Side, SiteLayers, check_dims

_Model = TypeVar("_Model", bound=nn.Module)


def ablate(
    model: _Model,
    dims: Sequence[int],
    at: At | SiteLayers = "latent",
    example: Example | None = None,
    side: Side = "both",
) -> _Model:
    """Silence latent dimensions in the weights; every layer keeps its width.

    It equals an edit that sets these dimensions to zero. For ``"writing"`` the rows and biases of
    the producer go, and the edit is at the producer's output: a normalization that follows brings
    what is left back to full length. For ``"reading"`` the columns of the consumer go, and the edit
    is at what enters the consumer: after the normalization, without another. ``"both"`` acts as
    ``"writing"`` does, and no gradient reaches what is gone, so that training the new model does
    not bring it back.

    Args:
        model: A model, or a population; it stays as it is.
        dims: Latent dimensions, from 0, each once.
        at: The site; the layers around it are traced (see :func:`find_layers`) unless given.
        example: What the model takes ``(...)``, or a tuple of arguments, for the trace.
        side: Which weights go.

    Returns:
        A new model, or a population with the same seeds.

    Raises:
        ValueError: If a dimension does not exist or comes twice, none is given, or the layers are
            ambiguous.
        TypeError: If a dimension is not a whole number.

    References:
        The ablation of the color experiment 2.9.1 of ``ex-preppy`` (2025).

    Examples:
        >>> model = nn.Sequential(nn.Linear(3, 2), nn.Identity(), nn.Linear(2, 1))
        >>> ablated = ablate(model, [0], at="1")
        >>> ablated[0].weight[0].tolist(), ablated[2].weight[:, 0].tolist()
        ([0.0, 0.0, 0.0], [0.0])
    """
    layers, width = located(model, at, example, side)
    check_dims(dims, width)
    return apply_surgery(model, partial(ablated, dims=tuple(dims), layers=layers))


def ablated(parameters: Parameters, dims: tuple[int, ...], layers: SiteLayers) -> Parameters:
    """The parameters in which rows of the producer and columns of the consumers are zero."""
    new: dict[str, Tensor] = {}
    for name, axis in written(parameters, layers):
        new[name] = _silenced(parameters[name], axis, dims)
    for name in layers.consumers:
        new[f"{name}.weight"] = _silenced(parameters[f"{name}.weight"], -1, dims)
    return new


def written(parameters: Parameters, layers: SiteLayers) -> list[tuple[str, int]]:
    """The producer's weight, and its bias if it has one, with the axis of the latents."""
    names = [(f"{layers.producer}.weight", -2), (f"{layers.producer}.bias", -1)]
    return [(name, axis) for name, axis in names if name in parameters]


def _silenced(tensor: Tensor, axis: int, dims: tuple[int, ...]) -> Tensor:
    return tensor.index_fill(axis, torch.tensor(dims, device=tensor.device), 0.0)
