"""Surgery: parameters of one run to new ones, made into a new model or a new population."""

from collections.abc import Callable, Mapping
from types import FunctionType
from typing import TypeAlias, TypeVar, cast

import torch
from torch import Tensor, nn

from latent_anchors._checks import check_name
from latent_anchors._hooks import copy_without_hooks
from latent_anchors._runs import StackedRuns, architecture, tensors_of
from latent_anchors._sites import layers_of
from latent_anchors.interventions._surgery.plain_layers import GATHER, absent
from latent_anchors.interventions._surgery.site_layers import linear_layers

Parameters: TypeAlias = Mapping[str, Tensor]
"""Parameters and buffers of one run, by name."""

Surgery: TypeAlias = Callable[[dict[str, Tensor]], Parameters]
"""Parameters of one run in, those that change out."""

_Model = TypeVar("_Model", bound=nn.Module)


def apply_surgery(model: _Model, surgery: Surgery) -> _Model:
    """A new model with other weights; the one given stays as it is.

    The surgery sees one run at a time: it is mapped over the runs of a population, so it must be
    made of operations that ``torch.vmap`` knows. Linear layers may change their widths. No edit is
    in force in the new model.

    Args:
        model: A model, or a population.
        surgery: From one run's parameters and buffers by name to those that change.

    Returns:
        A model of the same type, or a population with the same seeds.

    Raises:
        ValueError: If the surgery returns a name that the model does not have, one whose numbers
            are not at hand (on the meta device, sharded), or a layer's forward was replaced so that
            a copy would go on using the original's weights.
        TypeError: If it changes the type of a number.

    Examples:
        >>> model = nn.Linear(2, 1, bias=False)
        >>> flipped = apply_surgery(model, lambda p: {"weight": -p["weight"]})
        >>> bool(torch.equal(flipped.weight, -model.weight))
        True
    """
    if not isinstance(model, StackedRuns):
        new = free_copy(model)
        _write(new, surgery(_tensors(new)))
        return new
    stacked = free_copy(architecture(model))
    changed = torch.vmap(surgery)(_tensors(stacked))
    _write(stacked, changed)
    population = type(model)(stacked, model.seeds)
    population.training = model.training
    return cast("_Model", population)


def free_copy(model: _Model) -> _Model:
    """A free copy; one that would go on using the original's weights is refused."""
    for name, layer in layers_of(model).items():
        if isinstance(vars(layer).get("forward"), FunctionType):  # a method is copied, this is not
            raise ValueError(
                f"The forward of {name or 'the model'!r} was replaced by a function, which a copy "
                "would share, original weights included; expected a forward of its class. Take it "
                "off first, or compile the new model instead."
            )
    try:
        return copy_without_hooks(model)
    except (RuntimeError, TypeError, AssertionError) as error:  # what torch and FSDP say then
        raise ValueError(
            f"The model cannot be copied ({error}); expected one that can, as surgery gives a new "
            f"model. {GATHER}"
        ) from error


def _tensors(model: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.detach() for name, tensor in tensors_of(model).items()}


def _write(model: nn.Module, changed: Parameters) -> None:
    """Put new tensors in the places of a copy, and tell linear layers their widths."""
    places = tensors_of(model)
    # all are copied before any is written, so that none is two tensors' storage
    for name, tensor in {name: tensor.detach().clone() for name, tensor in changed.items()}.items():
        check_name("parameter", name, list(places))
        reason = absent(places[name])
        if reason is not None:
            raise ValueError(f"The parameter {name!r} {reason}; expected its numbers. {GATHER}")
        if tensor.dtype != places[name].dtype:
            raise TypeError(
                f"The surgery made {name!r} {tensor.dtype}; expected {places[name].dtype}, as it "
                "was. Convert it with .to(...)."
            )
        places[name].data = tensor
    for name, layer in linear_layers(model).items():
        if f"{name}.weight" in changed:
            layer.out_features, layer.in_features = layer.weight.shape[-2:]
