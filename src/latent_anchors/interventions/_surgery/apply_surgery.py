"""Apply a rule that changes parameters, and make a new model or population of the result."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias, TypeVar, cast

import torch
from torch import Tensor, nn

from latent_anchors._checks import check_name
from latent_anchors._hooks import copy_without_hooks, in_force
from latent_anchors._runs import StackedRuns, architecture, tensors_of
from latent_anchors.interventions._surgery.plain_layers import GATHER, why_unreadable
from latent_anchors.interventions._surgery.site_layers import linear_layers

Parameters: TypeAlias = Mapping[str, Tensor]
"""Parameters and buffers of one run, by name."""

Surgery: TypeAlias = Callable[[dict[str, Tensor]], Parameters]
"""Maps the parameters of one run to those that change."""

Model = TypeVar("Model", bound=nn.Module)


def apply_surgery(model: Model, surgery: Surgery) -> Model:
    """Make a new model whose weights are changed by a function; the given model is not changed.

    The function sees one run at a time: it is mapped over the runs of a population, so it must work
    under ``torch.vmap``. Linear layers may change their widths. No edit is in force in the new
    model.

    Args:
        model: A model, or a population.
        surgery: Maps one run's parameters and buffers by name to those that change.

    Returns:
        A model of the same type, or a population with the same seeds.

    Raises:
        ValueError: If the surgery returns a name that the model does not have, or one whose values
            cannot be read (on the meta device, sharded); or if a layer's ``forward`` was replaced,
            so that a copy would keep using the original's weights.
        TypeError: If it changes a dtype.

    Examples:
        >>> model = nn.Linear(2, 1, bias=False)
        >>> flipped = apply_surgery(model, lambda p: {"weight": -p["weight"]})
        >>> bool(torch.equal(flipped.weight, -model.weight))
        True
    """
    return apply_all(model, [surgery])


def apply_all(model: Model, surgeries: Sequence[Surgery], inplace: bool = False) -> Model:
    """One surgery after another, on a copy or on the model itself."""
    new = model_to_change(model, inplace)
    for surgery in surgeries:
        mapped = torch.vmap(surgery) if isinstance(new, StackedRuns) else surgery
        _write(architecture(new), mapped(_tensors(new)))
    return new


def new_model(model: Model) -> Model:
    """A copy of a model or population without our hooks."""
    if not isinstance(model, StackedRuns):
        return copy_for_surgery(model)
    population = type(model)(copy_for_surgery(architecture(model)), model.seeds)
    population.training = model.training
    return cast("Model", population)


def model_to_change(model: Model, inplace: bool) -> Model:
    """The model itself, in which no edit may be in force; or a copy."""
    if not inplace:
        return new_model(model)
    if in_force(model):
        raise ValueError(
            f"The edit {in_force(model)[0].edit!r} is in force in the model; expected none, as it "
            "would be taken for a part of the model. Remove it first: clear(model)."
        )
    return model


def copy_for_surgery(model: Model) -> Model:
    """A copy without our hooks."""
    try:
        return copy_without_hooks(model)
    except (RuntimeError, TypeError, AssertionError) as error:  # what torch and FSDP raise then
        raise ValueError(
            f"The model cannot be copied ({error}); expected one that can, as surgery gives a new "
            f"model. {GATHER}"
        ) from error


def _tensors(model: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.detach() for name, tensor in tensors_of(model).items()}


def _write(model: nn.Module, changed: Parameters) -> None:
    """Replace tensors, and update the widths of linear layers."""
    places = tensors_of(model)
    # all are copied before any is written, so that no two share storage
    with torch.inference_mode(False):
        new = {name: tensor.detach().clone() for name, tensor in changed.items()}
    for name, tensor in new.items():
        _check_fits(name, tensor, places)
    for name, tensor in new.items():
        if tensor.shape == places[name].shape:
            places[name].data.copy_(tensor)
        else:
            places[name].data = tensor
    for name, layer in linear_layers(model).items():
        if f"{name}.weight" in changed:
            layer.out_features, layer.in_features = layer.weight.shape[-2:]


def _check_fits(name: str, tensor: Tensor, places: Parameters) -> None:
    check_name("parameter", name, list(places))
    reason = why_unreadable(places[name])
    if reason is not None:
        raise ValueError(f"The parameter {name!r} {reason}; expected its values. {GATHER}")
    if tensor.dtype != places[name].dtype:
        raise TypeError(
            f"The surgery returned {name!r} as {tensor.dtype}; expected {places[name].dtype}, "
            "as before. Convert it with .to(...)."
        )
