"""Ablate latent dimensions in the weights that write or read them."""

from collections.abc import Iterable, Sequence
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from latent_anchors._sites import At
from latent_anchors._vectors import as_dims
from latent_anchors.interventions._surgery._stream.removal import without_stream
from latent_anchors.interventions._surgery.apply_surgery import Model, Parameters, apply_all
from latent_anchors.interventions._surgery.find_layers import resolve_all
from latent_anchors.interventions._surgery.random_copy import Example
from latent_anchors.interventions._surgery.site_layers import Side, SiteLayers, check_dims


def ablate(
    model: Model,
    dims: Sequence[int],
    at: At | Iterable[At] | SiteLayers = "latent",
    example: Example | None = None,
    side: Side | None = None,
    inplace: bool = False,
) -> Model:
    """Zero-ablate latent dimensions in the weights; every layer keeps its width.

    This equals an edit that sets these dimensions to zero. ``"writing"`` zeroes rows and biases of
    the producer: the edit is at the producer's output, and a normalization that follows rescales
    the rest to full length. ``"reading"`` zeroes columns of the consumers: the edit is at their
    input, after any normalization. ``"both"`` acts like ``"writing"``, and no gradient reaches the
    zeroed weights, so that training the new model does not bring the dimensions back. Of a residual
    stream, all that writes into it is zeroed, as with :func:`orthogonalize`. There training may
    bring them back: a norm that subtracts the mean puts a number in their place, and layers that
    read before the named sites pass gradients on. Name all sites, where norms are RMS norms.

    Args:
        model: A model, or a population; it is not changed unless ``inplace``.
        dims: Latent dimensions, from 0, each once.
        at: The sites. Those of a residual stream are found in one forward pass, otherwise the
            layers around each with :func:`find_layers`; or the layers.
        example: What the model takes: ``(...)``, a tuple of arguments, or a mapping by name.
        side: Which weights are zeroed; by default both, of a residual stream those that write.
        inplace: Change the model itself, after all checks, instead of a copy.

    Returns:
        A new model, or a population with the same seeds; the model itself if ``inplace``.

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
    dims = as_dims(dims)
    new = without_stream(model, at, example, side, inplace, lambda width: _axes(dims, width))
    if new is not None:
        return new
    around = resolve_all(model, at, example, side)
    for _, width in around:
        check_dims(dims, width)
    surgeries = [partial(ablated, dims=tuple(dims), layers=layers) for layers, _ in around]
    return apply_all(model, surgeries, inplace)


def _axes(dims: Sequence[int], width: int) -> Float[Tensor, "n dim"]:
    """The unit vectors along some dimensions."""
    check_dims(dims, width)
    return torch.eye(width, dtype=torch.float64)[list(dims)]


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
