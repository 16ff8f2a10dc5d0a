"""What makes models one architecture besides the shapes of their parameters."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import partial
from inspect import signature
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized

from latent_anchors._hooks import Hook, forward_hooks, forward_pre_hooks
from latent_anchors._runs import tensors_of
from latent_anchors._sites import layers_of

_OWN = frozenset((*vars(nn.Module()), "training"))
"""What every module holds."""

_FUNCTIONS = (FunctionType, BuiltinFunctionType, MethodType, partial)

_PLAIN = (type, int, float, complex, str, bytes, torch.dtype, torch.device, set, frozenset, range)


def check_settings(models: Sequence[nn.Module]) -> None:
    """Refuse models that differ in more than the values of parameters and buffers.

    One of them stands for all: a layer of another kind, or another activation, would be lost.
    """
    first = _settings(models[0])
    for index, model in enumerate(models):
        other = _settings(model)
        for name in {**first, **other}:
            one, this = first.get(name), other.get(name)
            if not _alike(one, this):
                raise ValueError(
                    f"Model {index} has {name}={this!r}, model 0 has {one!r}; expected models that "
                    "differ only in parameter values. Make a population for each."
                )


def _settings(model: nn.Module) -> dict[str, object]:
    """Kinds of layers and their settings, besides the values of parameters and buffers."""
    found: dict[str, object] = {
        f"{name}.{kind}": getattr(tensor, kind)
        for name, tensor in tensors_of(model).items()
        for kind in ("dtype", "requires_grad")
    }
    for layer, module in layers_of(model).items():
        found[f"type({layer!r})"] = _kind(module)
        found[f"{layer}.training".removeprefix(".")] = module.training
        found[f"hooks of {layer!r}"] = _hooks_of(module)
        arguments = signature(type(module).__init__).parameters
        for name, value in vars(module).items():
            # of what is private, functions, fractions and arguments: the rest may be a memory
            known = isinstance(value, (*_FUNCTIONS, float)) or name.removeprefix("_") in arguments
            if name not in _OWN and (not name.startswith("_") or known):
                found[f"{layer}.{name}".removeprefix(".")] = value
    return found


def _kind(module: nn.Module) -> type | tuple[object, ...]:
    """The class; of a parametrized layer, for which torch derives one, its own and what acts."""
    if not is_parametrized(module):
        return type(module)
    acting = cast("nn.Module", module.parametrizations)
    return (type(module).__mro__[1], *(type(each) for each in acting.modules()))


def _hooks_of(module: nn.Module) -> list[object]:
    """Functions of a user's that run with a layer; edits and recorders are ours, and refused."""
    tables = (forward_hooks(module), forward_pre_hooks(module))
    return [hook for table in tables for hook in table.values() if not isinstance(hook, Hook)]


def _alike(one: Any, other: Any) -> bool:
    """Whether two settings say the same; true of what cannot be compared."""
    if one is other or isinstance(one, nn.Module | nn.Parameter):
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, Tensor):
        return one.shape == other.shape and torch.equal(one, other.to(one.device))
    if isinstance(one, _PLAIN):
        return bool(one == other) or one != one
    if isinstance(one, _FUNCTIONS):
        return _same_function(one, other)
    return _all_alike(_parts(one), _parts(other))


def _same_function(one: Any, other: Any) -> bool:
    """Whether two functions do the same, such as a lambda of a constructor, made twice."""
    if isinstance(one, MethodType):
        return _alike(one.__func__, other.__func__)
    if isinstance(one, FunctionType):
        held = [_held(each) for each in (one, other)]
        return one.__code__ == other.__code__ and _all_alike(*held)
    return isinstance(one, partial) and _all_alike(_parts(one), _parts(other))


def _held(function: FunctionType) -> dict[object, object]:
    """What a function takes from where it was made."""
    cells = [cell.cell_contents for cell in function.__closure__ or ()]
    return {"cells": cells, "defaults": function.__defaults__, "named": function.__kwdefaults__}


def _parts(whole: Any) -> dict[object, object]:
    """The parts of a container, or of a record."""
    if isinstance(whole, Mapping):
        return dict(cast("Mapping[object, object]", whole))
    if isinstance(whole, list | tuple):
        return dict(enumerate(cast("Sequence[object]", whole)))
    if isinstance(whole, partial):
        bound = cast("partial[Callable[..., object]]", whole)
        return {"function": bound.func, "args": bound.args, "named": bound.keywords}
    if is_dataclass(whole):
        return {field.name: getattr(whole, field.name, None) for field in fields(whole)}
    return {}


def _all_alike(one: Mapping[object, object], other: Mapping[object, object]) -> bool:
    return one.keys() == other.keys() and all(_alike(one[key], other[key]) for key in one)
