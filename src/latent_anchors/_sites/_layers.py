"""The layers of a model by their names, through what wraps it."""

from collections.abc import Iterator
from typing import cast

from torch import nn


def layers_of(model: nn.Module) -> dict[str, nn.Module]:
    """All layers by their dotted names, which torch's own stubs leave untyped."""
    return dict(model.named_modules())  # pyright: ignore[reportUnknownArgumentType] -- torch's own stub leaves it open


def every_name(model: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """All layers, the model among them, each under all of its dotted names."""
    return cast("Iterator[tuple[str, nn.Module]]", model.named_modules(remove_duplicate=False))


def has_second_names(model: nn.Module) -> bool:
    """Whether a layer of it has several names."""
    layers = [id(layer) for _, layer in every_name(model)]
    return len(set(layers)) < len(layers)


def callable_layers(model: nn.Module) -> dict[str, nn.Module]:
    """All layers that have a forward pass, by name; a shared one under each of its names."""
    named = every_name(innermost(model))
    return {name: layer for name, layer in named if name and has_forward(layer)}


def each_once(layers: dict[str, nn.Module]) -> list[str]:
    """The first name of each layer."""
    first: dict[int, str] = {}
    for name, layer in layers.items():
        first.setdefault(id(layer), name)
    return [*first.values()]


def has_forward(layer: nn.Module) -> bool:
    """Whether a layer can be called, as those that only hold others cannot."""
    # TorchScript's classes have none to look at
    return getattr(type(layer), "forward", None) is not nn.Module.forward


def innermost(model: nn.Module) -> nn.Module:
    """The model within all wrappers, whose names of layers have no prefix."""
    inner = model
    for each in unwrapped(model):
        inner = each
        if len([*each.children()]) > 1:
            break  # its ``module`` is one part among others
    return inner


def unwrapped(model: nn.Module) -> Iterator[nn.Module]:
    """The model, then what it wraps, layer by layer of wrapping."""
    yield model
    base = getattr(model, "get_base_model", None)  # PEFT's
    inner = [getattr(model, name, None) for name in ("module", "_orig_mod")]
    for each in [*inner, base() if callable(base) else None]:
        if isinstance(each, nn.Module) and each is not model:
            yield from unwrapped(each)
