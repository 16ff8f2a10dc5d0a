"""Where latents are: sites by name, found through wrappers, in outputs of any shape."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import Field, dataclass, is_dataclass, replace
from typing import Any, ClassVar, Protocol, TypeAlias, cast

from torch import Tensor, nn

from latent_anchors._checks import listed, unknown


@dataclass(frozen=True)
class Site:
    """Where latents are read or edited: a layer, the axis of its channels, the part of its output.

    Args:
        name: The layer's dotted name, as in ``model.named_modules()``.
        axis: The axis of the output that holds the channels.
        item: Which part, where the output is a tuple, a mapping or a dataclass.

    Examples:
        >>> Site("features.3", axis=1)
        Site(name='features.3', axis=1, item=0)
    """

    name: str
    axis: int = -1
    item: int | str = 0


At: TypeAlias = str | Site
"""A site, or the name of a layer whose output is the latents, channels last."""


def as_site(at: At) -> Site:
    """A site from a site or a name."""
    return at if isinstance(at, Site) else Site(at)


def resolve(model: nn.Module, site: Site) -> nn.Module:
    """The layer of a site, found through wrappers such as ``DistributedDataParallel``."""
    for root in unwrapped(model):
        layers = layers_of(root)
        if site.name in layers:
            refuse_compiled(model, site)
            return layers[site.name]
    innermost = list(unwrapped(model))[-1]
    raise ValueError(unknown("site", site.name, [name for name in layers_of(innermost) if name]))


def layers_of(model: nn.Module) -> dict[str, nn.Module]:
    """All layers by their dotted names, which torch's own stubs leave untyped."""
    return dict(model.named_modules())  # pyright: ignore[reportUnknownArgumentType] -- torch's own stub leaves it open


def unwrapped(model: nn.Module) -> Iterator[nn.Module]:
    """The model, then what it wraps, layer by layer of wrapping."""
    yield model
    for attribute in ("module", "_orig_mod"):
        inner = getattr(model, attribute, None)
        if isinstance(inner, nn.Module):
            yield from unwrapped(inner)


def refuse_compiled(model: nn.Module, site: Site) -> None:
    """A hook added to a compiled model never runs; say so instead of doing nothing."""
    compiled = any(
        hasattr(layer, "_orig_mod") or getattr(layer, "_compiled_call_impl", None) is not None
        for layer in model.modules()
    )
    if compiled:
        raise RuntimeError(
            f"The model is compiled already, so that nothing attached at {site.name!r} would run; "
            "expected the model itself. Attach first and compile then; "
            "to change an edit in a compiled model, write into its `strength`."
        )


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
    return part.movedim(site.axis, -1)


def with_latents(output: object, site: Site, z: Tensor) -> object:
    """A layer's output with other latents in it; the original is not written to."""
    part = z.movedim(-1, site.axis)
    if isinstance(output, Tensor):
        return part
    if isinstance(output, list | tuple):
        return _replaced(cast("Sequence[object]", output), int(site.item), part)
    if is_dataclass(output):  # some are mappings too, and are to stay what they are
        return replace(cast("_Dataclass", output), **{str(site.item): part})
    return {**cast("Mapping[object, object]", output), site.item: part}


class _Dataclass(Protocol):
    """What ``dataclasses.replace`` takes."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


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
    names = cast("Mapping[str, object]", getattr(output, "__dataclass_fields__", {}))
    return {name: getattr(output, name) for name in names}


def _replaced(parts: Sequence[object], index: int, part: Tensor) -> object:
    new = [*parts]
    new[index] = part
    if isinstance(parts, list):
        return new
    make = getattr(type(parts), "_make", tuple)  # a named tuple keeps its name
    return make(new)
