"""Which layers are plainly what their class says, and why another one is not.

Surgery on weights equals an edit only where the weights alone make a layer's output. Libraries
scale, wrap, quantize, shard, offload and hook layers: all of it is decided here.
"""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from latent_anchors._hooks import copy_without_hooks
from latent_anchors._sites import layers_of, unwrapped

FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)

MERGE = "Merge what the wrapper adds first (peft: merge_and_unload)."
OPERATE = "Choose a site next to a plain one, or write the rule yourself with apply_surgery."
TAKE_OFF = "Take it off the layer first (accelerate: remove_hook_from_module)."
GATHER = "Gather, load or unpack the weights first."
MAKE_FINAL = "Make the weights final first (torch: remove_parametrizations)."


class Oddity(NamedTuple):
    """What is not plain about a layer, and what to do about it."""

    what: str
    cure: str


def check_plain(model: nn.Module, name: str, kind: type[nn.Module]) -> None:
    """Refuse a layer of the model that is not plainly of a kind, and say why."""
    odd = oddity(layers_of(model), name, kind)
    if odd is not None:
        raise ValueError(
            f"The layer {name!r} {odd.what}; expected a plain nn.{kind.__name__}, whose weights "
            f"alone make its output. {odd.cure}"
        )


def oddity(layers: Mapping[str, nn.Module], name: str, kind: type[nn.Module]) -> Oddity | None:
    """Why one of a model's layers is not plainly of a kind; None where it is."""
    layer = layers[name]
    return (
        _wrapped(layers, name)
        or _another(layer, kind)
        or _diverted(layer, kind)
        or _computed(layer)
        or _absent(layer)
        or _hooked(layer)
    )


def plain_layers(model: nn.Module, kind: type[nn.Module]) -> list[str]:
    """The names of all layers that are plainly of a kind."""
    layers = layers_of(model)
    return [name for name in layers if name and oddity(layers, name, kind) is None]


def full_name(model: nn.Module, name: str) -> str | None:
    """A layer's name counted from the outermost wrapper; None where there is no such layer."""
    outer: dict[int, str] = {}
    for path, layer in layers_of(model).items():
        outer.setdefault(id(layer), path)
    for root in unwrapped(model):
        layers = layers_of(root)
        if name and name in layers:
            return outer[id(layers[name])]
    return None


def absent(tensor: Tensor) -> str | None:
    """Why a tensor's numbers are not at hand; None where it is an ordinary one."""
    if type(tensor) not in (Tensor, nn.Parameter):
        return f"is a {type(tensor).__name__} instead of an ordinary tensor"
    return "has no numbers, being on the meta device" if tensor.is_meta else None


def _wrapped(layers: Mapping[str, nn.Module], name: str) -> Oddity | None:
    """Wrappers add to the layer that they hold, or run another: its name is a convention."""
    path = name.split(".")
    for depth in range(1, len(path) + 1):
        parent, inner = ".".join(path[:depth]), path[depth:]
        if f"{parent}.base_layer" in layers:
            is_it = f"is part of {parent!r}" if inner else "is a wrapper"
            return Oddity(f"{is_it}, which adds to its base_layer", MERGE)
        if inner[:1] == ["original_module"]:
            return Oddity(f"is kept aside by {parent!r}, which may run another one", MERGE)
    return None


def _another(layer: nn.Module, kind: type[nn.Module]) -> Oddity | None:
    if isinstance(layer, kind):
        return None
    made = type(layer)
    return Oddity(f"is of type {made.__module__}.{made.__qualname__}", OPERATE)


def _diverted(layer: nn.Module, kind: type[nn.Module]) -> Oddity | None:
    """A forward other than the one of the kind, or one that does more."""
    if "forward" in vars(layer):
        return Oddity("has a forward that was put onto it, as offloading does", TAKE_OFF)
    made = type(layer)
    if made.forward is not kind.forward or made.__call__ is not nn.Module.__call__:
        return Oddity(f"computes in its own way, as a {made.__qualname__}", OPERATE)
    if getattr(layer, "max_norm", None) is not None:
        return Oddity("rescales its rows as it runs", "Set its max_norm to None first.")
    return None


def _computed(layer: nn.Module) -> Oddity | None:
    """A parametrization, as the older hooks for the same, takes the parameter's name away."""
    own = dict(layer.named_parameters(recurse=False))
    if "weight" in own and ("bias" in own or getattr(layer, "bias", None) is None):
        return None
    return Oddity("has weights that are computed, or kept elsewhere", MAKE_FINAL)


def _absent(layer: nn.Module) -> Oddity | None:
    """Weights that are sharded, packed, not loaded or not made yet."""
    for name, parameter in layer.named_parameters(recurse=False):
        reason = absent(parameter) or _packed(layer, name, parameter)
        if reason is not None:
            return Oddity(f"has a {name} that {reason}", GATHER)
    return None


def _packed(layer: nn.Module, name: str, parameter: Tensor) -> str | None:
    """A population's weights have a first axis of runs, so that only the last two are compared."""
    sizes = ("out_features", "in_features", "num_embeddings", "embedding_dim")
    shape = [vars(layer)[size] for size in sizes if size in vars(layer)]
    if parameter.dtype not in FLOATS:
        return f"is of type {parameter.dtype}"
    if name == "weight" and list(parameter.shape[-2:]) != shape:
        return f"has shape {tuple(parameter.shape)} instead of {tuple(shape)}"
    return None


def _hooked(layer: nn.Module) -> Oddity | None:
    """Hooks of others may change what the layer takes or gives; ours are gone in a free copy."""
    left = _hooks(copy_without_hooks(layer)) if _hooks(layer) else []
    if not left:
        return None
    called = getattr(left[0], "__qualname__", type(left[0]).__name__)
    return Oddity(f"has a hook of others, {called}, which may change what it gives", TAKE_OFF)


def _hooks(layer: nn.Module) -> list[object]:
    return [*layer._forward_pre_hooks.values(), *layer._forward_hooks.values()]  # pyright: ignore[reportPrivateUsage] -- torch has no other way to ask
