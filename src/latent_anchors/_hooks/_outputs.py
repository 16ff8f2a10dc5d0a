"""Get the latents from a layer's output of any structure, and put other latents into it."""

from collections import OrderedDict
from collections.abc import Mapping, MutableMapping, Sequence
from copy import copy
from dataclasses import is_dataclass
from typing import Any, cast

from torch import Tensor

from latent_anchors._checks import listed
from latent_anchors._sites import Site


def latents_of(output: object, site: Site) -> Tensor:
    """The latents in a layer's output, channels last."""
    part = output if isinstance(output, Tensor) else _item(output, site)
    if not isinstance(part, Tensor):
        raise TypeError(
            f"Site {site.name!r} gave {type(part).__name__} as its item {site.item!r}; expected a "
            "tensor. Name the part that holds the latents: Site(name, item=...)."
        )
    if not part.is_floating_point():
        raise TypeError(
            f"The latents at {site.name!r} are of type {part.dtype}; expected floating point. "
            "Choose a layer that gives real numbers."
        )
    if not -part.ndim <= site.axis < part.ndim:
        raise ValueError(
            f"Site {site.name!r} has its channels at axis {site.axis}, and its layer gave shape "
            f"{tuple(part.shape)}; expected an axis that is there. Give Site(name, axis=...)."
        )
    # the very tensor where it can be, so that gradients can be asked for with respect to it
    return part if site.axis == -1 else part.movedim(site.axis, -1)


def with_latents(output: object, site: Site, z: Tensor) -> object:
    """A layer's output with other latents in it; type and other fields unchanged."""
    part = z if site.axis == -1 else z.movedim(-1, site.axis)
    if isinstance(output, Tensor):
        return part
    if isinstance(output, tuple):
        return _tuple_with(cast("tuple[object, ...]", output), int(site.item), part)
    holds = isinstance(output, (MutableMapping, list))
    new: Any = _mapping_copied(output) if isinstance(output, dict) else copy(output)  # pyright: ignore[reportUnknownArgumentType] -- any keys, any values
    if holds:
        new[site.item] = part
    if not holds or is_dataclass(new):
        object.__setattr__(new, str(site.item), part)  # a frozen one refuses the ordinary way
    return cast("object", new)


def _item(output: object, site: Site) -> object:
    parts = _parts(output)
    if site.item not in parts:
        raise TypeError(
            f"Site {site.name!r} gave {type(output).__name__}, which has no item {site.item!r}; "
            f"expected one of {listed(parts)}. Name the part that holds the latents: "
            "Site(name, item=...)."
        )
    return parts[site.item]


def _parts(output: object) -> Mapping[object, object]:
    if isinstance(output, Mapping):
        return cast("Mapping[object, object]", output)
    if isinstance(output, list | tuple):
        return dict(enumerate(cast("Sequence[object]", output)))
    slots = cast("Sequence[str]", getattr(output, "__dataclass_fields__", ()))
    held = cast("Mapping[object, object]", getattr(output, "__dict__", {}))
    return {**{name: getattr(output, name) for name in slots}, **held}


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


def _tuple_with(parts: tuple[object, ...], index: int, part: Tensor) -> object:
    new, kind = [*parts[:index], part, *parts[index + 1 :]], type(parts)
    if hasattr(kind, "_make"):  # a named tuple
        return cast("Any", kind)._make(new)
    if hasattr(kind, "n_sequence_fields"):  # what torch.max and its like return
        return cast("Any", kind)(new)
    made = tuple.__new__(kind, new)
    if kind is not tuple and hasattr(parts, "__dict__"):
        made.__dict__.update(parts.__dict__)
    return made
