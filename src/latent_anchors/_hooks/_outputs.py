"""Get the latents from what a layer gave or was given, and put other latents into it."""

import inspect
from collections import OrderedDict
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from copy import copy
from dataclasses import is_dataclass
from typing import Any, TypeAlias, cast

from torch import Tensor

from latent_anchors._checks import listed
from latent_anchors._sites import Key, Site

Keys: TypeAlias = tuple[Key, ...]
"""The way from a structure to a part of it, from the outside in."""

Arguments: TypeAlias = tuple[Sequence[object], Mapping[str, object]]
"""What a layer was called with, by position and by name."""


def latents_of(given: object, site: Site, keys: Keys | None = None) -> Tensor:
    """The latents in a layer's output, or at ``keys`` within its arguments, channels last."""
    part = given
    if keys is not None or not (isinstance(part, Tensor) and site.item == 0):
        for key in keys or site.keys:
            part = _part(part, key, site)
    if not isinstance(part, Tensor):
        raise TypeError(_no_tensor(part, site))
    if part.is_nested:
        raise TypeError(_nested(site))
    if not part.is_floating_point():
        raise TypeError(
            f"The latents at {site.name!r} are of type {part.dtype}; expected floating point. "
            "Choose a layer that gives real numbers."
        )
    if not -part.ndim <= site.axis < part.ndim:
        raise ValueError(
            f"Site {site.name!r} has its channels at axis {site.axis}, and its layer "
            f"{_gave(site)} shape {tuple(part.shape)}; expected an axis that is there. "
            "Give Site(name, axis=...)."
        )
    # the very tensor where it can be, so that gradients can be asked for with respect to it
    return part if site.axis == -1 else part.movedim(site.axis, -1)


def with_latents(given: object, site: Site, z: Tensor, keys: Keys | None = None) -> object:
    """A layer's output, or its arguments, with other latents; type and other parts unchanged."""
    part = z if site.axis == -1 else z.movedim(-1, site.axis)
    return part if isinstance(given, Tensor) else _replaced(given, keys or site.keys, part)


def parameters_of(forward: Callable[..., object]) -> tuple[str, ...]:
    """The names of the arguments that a layer takes by position, in order."""
    by_position = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return tuple(
        name
        for name, parameter in inspect.signature(forward).parameters.items()
        if parameter.kind in by_position
    )


def keys_in(arguments: Arguments, site: Site, names: Sequence[str]) -> Keys:
    """The way to a site's part of the arguments, passed by position or by name."""
    (first, *rest), (args, kwargs) = site.keys, arguments
    index = first if isinstance(first, int) else names.index(first) if first in names else -1
    name = first if isinstance(first, str) else names[first] if 0 <= first < len(names) else ""
    if name in kwargs:
        return (1, name, *rest)
    if 0 <= index < len(args):
        return (0, index, *rest)
    raise TypeError(
        f"Site {site.name!r} was given no argument {first!r}; expected one of "
        f"{listed([*range(len(args)), *kwargs])}. Name the argument that holds the latents: "
        "Site(name, side='input', item=...)."
    )


def _part(whole: object, key: Key, site: Site) -> object:
    parts, key = _parts(whole), _known(whole, key)
    if key not in parts:
        raise TypeError(
            f"Site {site.name!r} {_gave(site)} {type(whole).__name__}, which has no item {key!r}; "
            f"expected one of {listed(parts)}. Name the part that holds the latents: "
            "Site(name, item=...)."
        )
    return parts[key]


def _known(whole: object, key: Key) -> Key:
    """A key as a structure knows it: positions in tuples, names in a model's outputs."""
    if isinstance(key, str) and key in getattr(whole, "_fields", ()):
        return cast("Any", whole)._fields.index(key)  # a named tuple's field
    if isinstance(key, int) and hasattr(whole, "to_tuple") and isinstance(whole, Mapping):
        names = cast("Sequence[str]", [*whole])
        return names[key] if 0 <= key < len(names) else key  # as output[0] in transformers
    return key


def _parts(whole: object) -> Mapping[object, object]:
    if isinstance(whole, Tensor):
        return {}
    if isinstance(whole, Mapping):
        return cast("Mapping[object, object]", whole)
    if isinstance(whole, list | tuple):
        return dict(enumerate(cast("Sequence[object]", whole)))
    slots = cast("Sequence[str]", getattr(whole, "__dataclass_fields__", ()))
    held = cast("Mapping[object, object]", getattr(whole, "__dict__", {}))
    return {**{name: getattr(whole, name) for name in slots}, **held}


def _replaced(whole: object, keys: Keys, part: Tensor) -> object:
    key, rest = _known(whole, keys[0]), keys[1:]
    new = _replaced(_parts(whole)[key], rest, part) if rest else part
    if isinstance(whole, tuple):
        return _tuple_with(cast("tuple[object, ...]", whole), int(key), new)
    holds = isinstance(whole, (MutableMapping, list))
    made: Any = _mapping_copied(whole) if isinstance(whole, dict) else copy(whole)  # pyright: ignore[reportUnknownArgumentType] -- any keys, any values
    if holds:
        made[key] = new
    if not holds or is_dataclass(made):
        object.__setattr__(made, str(key), new)  # a frozen one refuses the ordinary way
    return cast("object", made)


def _mapping_copied(output: dict[Any, Any]) -> object:
    """A mapping of the same type, made without its constructor, which may ask for more."""
    kind = type(output)
    new = kind.__new__(kind)
    if hasattr(output, "__dict__"):
        vars(new).update(vars(output))
    base: Any = OrderedDict if isinstance(output, OrderedDict) else dict
    for key, value in output.items():
        base.__setitem__(new, key, value)
    return new


def _tuple_with(parts: tuple[object, ...], index: int, part: object) -> object:
    new, kind = [*parts[:index], part, *parts[index + 1 :]], type(parts)
    if hasattr(kind, "_make"):  # a named tuple
        return cast("Any", kind)._make(new)
    if hasattr(kind, "n_sequence_fields"):  # what torch.max and its like return
        return cast("Any", kind)(new)
    made = tuple.__new__(kind, new)
    if kind is not tuple and hasattr(parts, "__dict__"):
        made.__dict__.update(parts.__dict__)
    return made


def _gave(site: Site) -> str:
    return "was given" if site.side == "input" else "gave"


def _no_tensor(part: object, site: Site) -> str:
    within = f", which holds {listed(_parts(part))}" if _parts(part) else ""
    return (
        f"Site {site.name!r} {_gave(site)} {type(part).__name__}{within} as its item "
        f"{site.item!r}; expected a tensor. Name the part that holds the latents: "
        "Site(name, item=...), where a tuple of keys leads into nested parts."
    )


def _nested(site: Site) -> str:
    return (
        f"Site {site.name!r} {_gave(site)} a nested tensor, whose lines have different lengths, as "
        "nn.TransformerEncoder makes them of padding in evaluation mode; expected an ordinary one. "
        "Make the model with nn.TransformerEncoder(..., enable_nested_tensor=False)."
    )
