"""Ablate latent dimensions in the weights that write or read them."""

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

from latent_anchors._sites import At
from latent_anchors.interventions._surgery.apply_surgery import Model, Parameters, apply_surgery
from latent_anchors.interventions._surgery.find_layers import resolve_layers
from latent_anchors.interventions._surgery.random_copy import Example
from latent_anchors.interventions._surgery.site_layers import Side, SiteLayers, check_dims


def ablate(
    model: Model,
    dims: Sequence[int],
    at: At | SiteLayers = "latent",
    example: Example | None = None,
    side: Side = "both",
) -> Model:
    """Zero-ablate latent dimensions in the weights; every layer keeps its width.

    This equals an edit that sets these dimensions to zero. ``"writing"`` zeroes rows and biases of
    the producer: the edit is at the producer's output, and a normalization that follows rescales
    the rest to full length. ``"reading"`` zeroes columns of the consumers: the edit is at their
    input, after any normalization. ``"both"`` acts like ``"writing"``, and no gradient reaches the
    zeroed weights, so that training the new model does not bring the dimensions back.

    Args:
        model: A model, or a population; it is not changed.
        dims: Latent dimensions, from 0, each once.
        at: The site, whose layers are found with :func:`find_layers`; or the layers.
        example: An input of the model ``(...)``, or a tuple of arguments, to trace it with.
        side: Which weights are zeroed.

    Returns:
        A new model, or a population with the same seeds.

    Raises:
        ValueError: If a dimension does not exist or is repeated, none is given, or the layers are
            ambiguous.
        TypeError: If a dimension is not a whole number.

    References:
        The ablation of the color experiment 2.9.1 of ``ex-preppy`` (2025).

    Examples:
        >>> from torch import nn
        >>> model = nn.Sequential(nn.Linear(3, 2), nn.Identity(), nn.Linear(2, 1))
        >>> ablated = ablate(model, [0], at="1")
        >>> ablated[0].weight[0].tolist(), ablated[2].weight[:, 0].tolist()
        ([0.0, 0.0, 0.0], [0.0])
    """
    layers, width = resolve_layers(model, at, example, side)
    check_dims(dims, width)
    return apply_surgery(model, partial(ablated, dims=tuple(dims), layers=layers))


def ablated(parameters: Parameters, dims: tuple[int, ...], layers: SiteLayers) -> Parameters:
    """Zero rows of the producer and columns of the consumers."""
    new: dict[str, Tensor] = {}
    for name, axis in producer_tensors(parameters, layers):
        new[name] = _zeroed(parameters[name], axis, dims)
    for name in layers.consumers:
        new[f"{name}.weight"] = _zeroed(parameters[f"{name}.weight"], -1, dims)
    return new


def producer_tensors(parameters: Parameters, layers: SiteLayers) -> list[tuple[str, int]]:
    """The producer's weight, and its bias if any, with their axis of latent dimensions."""
    names = [(f"{layers.producer}.weight", -2), (f"{layers.producer}.bias", -1)]
    return [(name, axis) for name, axis in names if name in parameters]


def _zeroed(tensor: Tensor, axis: int, dims: tuple[int, ...]) -> Tensor:
    return tensor.index_fill(axis, torch.tensor(dims, device=tensor.device), 0.0)
