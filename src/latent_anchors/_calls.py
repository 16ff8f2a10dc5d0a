"""Call a module with other tensors in the place of its own, and leave it as it was.

Torch's ``functional_call`` puts the tensors in and takes them out name by name. Where a module has
several names, as a shared embedding has, it takes for the module's own what it had put in under the
name before, and leaves it there: the module goes on with tensors that were only lent. So here each
place gets its tensor once.
"""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from torch import Tensor, nn
from torch.func import functional_call


def call_with(module: nn.Module, tensors: Mapping[str, Tensor], arguments: tuple[Any, ...]) -> Any:
    """What a module gives with parameters and buffers by name in the place of its own.

    Tied ones may be given under any of their names.

    Raises:
        ValueError: If several tensors are given for one.
    """
    layers = [id(layer) for _, layer in _layers(module)]
    if len(set(layers)) == len(layers):
        return functional_call(module, dict(tensors), arguments)
    once = _each_place_once(module, tensors)
    return functional_call(module, once, arguments, tie_weights=False)


def _each_place_once(module: nn.Module, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors by one name of each place: those that are tied at all of their places."""
    own: dict[str, int] = {}
    first: dict[tuple[int, str], str] = {}
    places: dict[int, list[str]] = {}
    for name, place, tensor in _named(module):
        own[name] = id(tensor)
        if place not in first:
            first[place] = name
            places.setdefault(id(tensor), []).append(name)
    found: dict[str, Tensor] = {}
    for name, given in tensors.items():
        for place in places[own[name]] if name in own else [name]:
            if found.setdefault(place, given) is not given:
                raise ValueError(
                    f"Tensors were given for {name!r} and for another name of the same parameter; "
                    "expected one. Give those of model.named_parameters(), each once."
                )
    return found


def _named(module: nn.Module) -> Iterator[tuple[str, tuple[int, str], Tensor]]:
    """Every name of every parameter and buffer, where it is, and the tensor there."""
    for path, layer in _layers(module):
        held: dict[str, Tensor | None] = {**layer._parameters, **layer._buffers}  # pyright: ignore[reportPrivateUsage] -- torch's iterators skip second names
        for name, tensor in held.items():
            if tensor is not None:
                yield f"{path}.{name}" if path else name, (id(layer), name), tensor


def _layers(module: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    return cast("Iterator[tuple[str, nn.Module]]", module.named_modules(remove_duplicate=False))
