"""Whether a layer is plain: whether its weights alone determine its output.

Only then does surgery on weights equal an edit. Libraries scale, wrap, quantize, shard, offload and
hook layers; all of these are detected here.
"""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from latent_anchors._hooks import copy_without_hooks
from latent_anchors._sites import layers_of, unwrapped

FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)

MERGE = "Merge what the wrapper adds first (peft: merge_and_unload)."
WRITE_RULE = "Choose a site next to a plain one, or write the rule yourself with apply_surgery."
REMOVE = "Remove it from the layer first (accelerate: remove_hook_from_module)."
GATHER = "Gather, load or unpack the weights first."
MAKE_FINAL = "Make the weights final first (torch: remove_parametrizations)."


class NotPlain(NamedTuple):
    """Why a layer is not plain, and what to do about it."""

    reason: str
    fix: str


def check_plain(model: nn.Module, name: str, kind: type[nn.Module]) -> None:
    """Refuse a layer that is not a plain one of a kind, and say why."""
    found = why_not_plain(layers_of(model), name, kind)
    if found is not None:
        raise ValueError(
            f"The layer {name!r} {found.reason}; expected a plain nn.{kind.__name__}, whose "
            f"weights alone determine its output. {found.fix}"
        )


def why_not_plain(
    layers: Mapping[str, nn.Module], name: str, kind: type[nn.Module]
) -> NotPlain | None:
    """Why a layer is not a plain one of a kind; None if it is."""
    layer = layers[name]
    return (
        _wrapped(layers, name)
        or _other_type(layer, kind)
        or _own_forward(layer, kind)
        or _parametrized(layer)
        or _unreadable(layer)
        or _hooked(layer)
    )


def plain_layers(model: nn.Module, kind: type[nn.Module]) -> list[str]:
    """The names of all plain layers of a kind."""
    layers = layers_of(model)
    return [name for name in layers if name and why_not_plain(layers, name, kind) is None]


def full_name(model: nn.Module, name: str) -> str | None:
    """A layer's name from the outermost wrapper on; None if there is no such layer."""
    outer: dict[int, str] = {}
    for path, layer in layers_of(model).items():
        outer.setdefault(id(layer), path)
    for root in unwrapped(model):
        layers = layers_of(root)
        if name and name in layers:
            return outer[id(layers[name])]
    return None


def why_unreadable(tensor: Tensor) -> str | None:
    """Why a tensor's values cannot be read; None for an ordinary tensor."""
    if type(tensor) not in (Tensor, nn.Parameter):
        return f"is a {type(tensor).__name__} instead of an ordinary tensor"
    return "has no values, as it is on the meta device" if tensor.is_meta else None


def _wrapped(layers: Mapping[str, nn.Module], name: str) -> NotPlain | None:
    """Wrappers add to the layer inside, or run another one; they are recognized by names."""
    path = name.split(".")
    for depth in range(1, len(path) + 1):
        parent, inner = ".".join(path[:depth]), path[depth:]
        if f"{parent}.base_layer" in layers:
            is_it = f"is part of {parent!r}" if inner else "is a wrapper"
            return NotPlain(f"{is_it}, which adds to its base_layer", MERGE)
        if inner[:1] == ["original_module"]:
            return NotPlain(f"is stored by {parent!r}, which may run another one instead", MERGE)
    return None


def _other_type(layer: nn.Module, kind: type[nn.Module]) -> NotPlain | None:
    if isinstance(layer, kind):
        return None
    made = type(layer)
    return NotPlain(f"is of type {made.__module__}.{made.__qualname__}", WRITE_RULE)


def _own_forward(layer: nn.Module, kind: type[nn.Module]) -> NotPlain | None:
    """A forward that is not that of the kind, or does more."""
    if "forward" in vars(layer):
        return NotPlain("has a forward that was replaced, as offloading does", REMOVE)
    made = type(layer)
    if made.forward is not kind.forward or made.__call__ is not nn.Module.__call__:
        return NotPlain(f"has its own forward, as a {made.__qualname__}", WRITE_RULE)
    if getattr(layer, "max_norm", None) is not None:
        return NotPlain("rescales its rows when it runs", "Set its max_norm to None first.")
    return None


def _parametrized(layer: nn.Module) -> NotPlain | None:
    """Parametrizations, and the older hooks like weight_norm, remove the parameter's name."""
    own = dict(layer.named_parameters(recurse=False))
    if "weight" in own and ("bias" in own or getattr(layer, "bias", None) is None):
        return None
    return NotPlain("has weights that are computed, or stored elsewhere", MAKE_FINAL)


def _unreadable(layer: nn.Module) -> NotPlain | None:
    """Weights that are sharded, packed, not loaded or not created yet."""
    for name, parameter in layer.named_parameters(recurse=False):
        reason = why_unreadable(parameter) or _packed(layer, name, parameter)
        if reason is not None:
            return NotPlain(f"has a {name} that {reason}", GATHER)
    return None


def _packed(layer: nn.Module, name: str, parameter: Tensor) -> str | None:
    """Only the last two axes are compared, as a population's weights have a first axis of runs."""
    sizes = ("out_features", "in_features", "num_embeddings", "embedding_dim")
    shape = [vars(layer)[size] for size in sizes if size in vars(layer)]
    if parameter.dtype not in FLOATS:
        return f"has dtype {parameter.dtype}"
    if name == "weight" and list(parameter.shape[-2:]) != shape:
        return f"has shape {tuple(parameter.shape)} instead of {tuple(shape)}"
    return None


def _hooked(layer: nn.Module) -> NotPlain | None:
    """Hooks that are not ours may change inputs or outputs; ours are dropped in a copy."""
    left = _hooks(copy_without_hooks(layer)) if _hooks(layer) else []
    if not left:
        return None
    called = getattr(left[0], "__qualname__", type(left[0]).__name__)
    return NotPlain(f"has another library's hook, {called}, which may change its output", REMOVE)


def _hooks(layer: nn.Module) -> list[object]:
    return [*layer._forward_pre_hooks.values(), *layer._forward_hooks.values()]  # pyright: ignore[reportPrivateUsage] -- torch has no other way to ask
