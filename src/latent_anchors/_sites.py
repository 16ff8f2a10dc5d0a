"""Sites: layers by name, found through wrappers and under every spelling."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import lru_cache
from operator import index
from typing import Literal, SupportsIndex, TypeAlias, cast, get_args

from torch import nn
from typing_extensions import override

from latent_anchors._checks import check_name, unknown

_PREFIXES = ("module.", "_orig_mod.", "base_model.model.", "base_model.")
"""Prefixes that wrappers add to names: DataParallel, torch.compile, PEFT."""


Key: TypeAlias = int | str
"""A position in a tuple, or a name in a mapping or an object."""

Side: TypeAlias = Literal["output", "input"]


@dataclass(frozen=True, repr=False)
class Site:
    """Where latents are read or edited: a layer, its output or an input, the axis of the channels.

    The output of one layer and the input of the next are different places, although the same
    tensor may lie at both: an edit at the output changes all that comes after it, a shortcut too;
    an edit at the input changes what this layer gets, and nothing else.

    Args:
        name: The layer's dotted name, as in ``model.named_modules()``.
        axis: The axis that holds the channels.
        item: Which part, where the output is a tuple, a mapping or an object; several keys lead
            into nested parts, as ``(1, 0)`` to the last hidden state of an LSTM. Of the inputs: the
            position or the name of an argument, which finds it however it is passed.
        every: For a layer that runs several times in a forward pass, such as a shared one: read all
            its passes, stacked along a new first axis. Edits act at each pass anyway.
        side: Whether what leaves the layer is meant, or what enters it.

    Raises:
        ValueError: If the side is neither ``"output"`` nor ``"input"``, or ``item`` has no key.
        TypeError: If ``item`` holds anything but whole numbers and strings, or the axis is no whole
            number.

    Examples:
        >>> Site("features.3", axis=1)
        Site('features.3', axis=1)
        >>> Site("model.layers.0", side="input")
        Site('model.layers.0', side='input')
    """

    name: str
    axis: int = -1
    item: Key | tuple[Key, ...] = 0
    every: bool = False
    side: Side = "output"

    def __post_init__(self) -> None:
        check_name(f"side of site {self.name!r}", self.side, get_args(Side))
        object.__setattr__(self, "axis", _axis(self.name, self.axis))
        keys = _keys(self.name, self.item)
        # one spelling for one place
        object.__setattr__(self, "item", keys[0] if len(keys) == 1 else keys)

    @property
    def keys(self) -> tuple[Key, ...]:
        """The way to the latents, from the outside in.

        Examples:
            >>> Site("lstm", item=(1, 0)).keys
            (1, 0)
        """
        return self.item if isinstance(self.item, tuple) else (self.item,)

    @override
    def __repr__(self) -> str:
        given = {name: getattr(self, name) for name in ("axis", "item", "every", "side")}
        said = [f"{k}={v!r}" for k, v in given.items() if v != getattr(Site, k)]
        return f"Site({', '.join([repr(self.name), *said])})"


At: TypeAlias = str | Site
"""A site, or the name of a layer whose output is the latents, channels last."""


Place: TypeAlias = At | nn.Module
"""A site, a layer's name, a pattern of names such as ``"model.layers.*"``, or the layer itself."""


def as_site(at: At) -> Site:
    """A site from a site or a name."""
    if isinstance(at, Site):
        return at
    if isinstance(at, str):  # pyright: ignore[reportUnnecessaryIsInstance] -- users pass modules and edits all the same
        return _site(at)
    raise TypeError(_not_a_site(at))


@lru_cache(maxsize=1024)
def _site(name: str) -> Site:
    """A site by its name, made once: a loop asks for it at every step."""
    return Site(name)


def as_sites(at: At | Iterable[At]) -> list[At]:
    """One site or several as a list of them, each as it was spelled."""
    # a module may be iterable, and is no site; `as_site` says so
    alone = isinstance(at, At | nn.Module) or not _iterable(at)
    several = cast("list[At]", [at] if alone else [*cast("Iterable[At]", at)])
    for each in several:
        _refuse_pattern(as_site(each))
    return several


def expanded(model: nn.Module, at: Place | Iterable[Place]) -> list[tuple[At, Place]]:
    """Sites by name: a pattern's in the model's order. Each with the place that was given.

    ``model`` is an architecture, wrapped or not.
    """
    alone = isinstance(at, Place) or not _iterable(at)
    places = cast("list[Place]", [at] if alone else [*cast("Iterable[Place]", at)])
    return [(name, place) for place in places for name in _meant(model, place)]


def site_in(model: nn.Module, at: Place) -> At:
    """The only site that is meant."""
    several = _meant(model, at)
    if len(several) > 1:
        raise ValueError(
            f"{at!r} means {len(several)} sites; expected one. Choose one of them, such as "
            f"{several[0]!r}."
        )
    return several[0]


def matching(model: nn.Module, pattern: str) -> list[str]:
    """The names that a pattern matches part by part, one for each layer, in the model's order."""
    layers = callable_layers(model)
    for spelled in _spellings(pattern):
        asked = spelled.split(".")
        found = [name for name in layers if _matches(name.split("."), asked)]
        if found:
            return each_once({name: layers[name] for name in found})
    raise ValueError(
        f"{unknown('pattern of sites', pattern, layers)} A '*' stands for one part of a name, as "
        "in 'model.layers.*'; la.sites(model) lists all layers."
    )


def callable_layers(model: nn.Module) -> dict[str, nn.Module]:
    """All layers that have a forward pass, by name; a shared one under each of its names."""
    named = cast(
        "Iterable[tuple[str, nn.Module]]", innermost(model).named_modules(remove_duplicate=False)
    )
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
        if len([*each.children()]) > 1 and not hasattr(each, "get_base_model"):
            break  # its ``module`` is one part among others
    return inner


def resolve(model: nn.Module, site: Site) -> nn.Module:
    """The layer of a site, found through wrappers such as ``DistributedDataParallel``."""
    return path(model, site)[-1]


def path(model: nn.Module, site: Site) -> list[nn.Module]:
    """The modules from the model down to a site's layer, wrappers among them."""
    roots = list(unwrapped(model))
    for name in _spellings(site.name):
        for depth, root in enumerate(roots):
            below = _below(root, name)
            if below is not None:
                return [*roots[: depth + 1], *below]
    raise ValueError(_unknown_site(roots[-1], site))


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


def unwrapped(model: nn.Module) -> Iterator[nn.Module]:
    """The model, then what it wraps, layer by layer of wrapping."""
    yield model
    base = getattr(model, "get_base_model", None)  # PEFT's
    inner = [getattr(model, name, None) for name in ("module", "_orig_mod")]
    for each in [*inner, base() if callable(base) else None]:
        if isinstance(each, nn.Module) and each is not model:
            yield from unwrapped(each)


def _spellings(name: str) -> Iterator[str]:
    """The name, then without the prefixes of wrappers."""
    yield name
    for prefix in _PREFIXES:
        if name.startswith(prefix):
            yield from _spellings(name.removeprefix(prefix))


def _below(root: nn.Module, name: str) -> list[nn.Module] | None:
    """The modules on the way from a root to a name, if there is such a layer."""
    found, layer = [], root
    for part in name.split(".") if name else []:
        child = getattr(layer, part, None)  # second names of a shared layer are found, too
        if not isinstance(child, nn.Module):
            return None
        found.append(layer := child)
    return found or [root]


def _meant(model: nn.Module, place: Place) -> list[At]:
    if isinstance(place, nn.Module):
        return [_name_of(model, place)]
    name = as_site(place).name
    if not is_pattern(name):
        return [place]
    names = matching(model, name)
    return [*names] if isinstance(place, str) else [replace(place, name=name) for name in names]


def is_pattern(name: str) -> bool:
    """Whether a name stands for several."""
    return any(sign in name for sign in "*?[")


def _matches(parts: list[str], asked: list[str]) -> bool:
    return len(parts) == len(asked) and all(map(fnmatchcase, parts, asked))


_SWAPPED = "The second holds the first: mind the order, model, at."


def _name_of(model: nn.Module, layer: nn.Module) -> str:
    for root in reversed([*unwrapped(model)]):
        for name, other in layers_of(root).items():
            if other is layer:
                return name
    swapped = model in layer.modules()
    raise ValueError(
        f"The site is a {type(layer).__name__} that is no layer of the model; expected one of its "
        f"own. {_SWAPPED if swapped else 'Take it from this very model, not from a copy of it.'}"
    )


def _refuse_pattern(site: Site) -> None:
    if is_pattern(site.name):
        raise ValueError(
            f"The site {site.name!r} is a pattern; expected the names of layers, since what is "
            f"kept must not depend on a model. Write at=la.sites(model, {site.name!r})."
        )


def _unknown_site(model: nn.Module, site: Site) -> str:
    named = cast("Iterable[tuple[str, nn.Module]]", model.named_modules(remove_duplicate=False))
    names = [name for name, _ in named if name]
    _refuse_pattern(site)
    said = unknown("site", site.name, names)
    if site.name == "latent":
        said += " 'latent' is the default: did you forget to name the layer with at=?"
    return said


def _keys(name: str, item: object) -> tuple[Key, ...]:
    keys = cast("tuple[object, ...]", item if isinstance(item, tuple) else (item,))
    if not keys:
        raise ValueError(
            f"Site {name!r} has item=(); expected at least one key. Leave item out for the first "
            "part."
        )
    for key in keys:
        if isinstance(key, bool) or not isinstance(key, Key):
            raise TypeError(
                f"Site {name!r} has item={item!r}; expected a position, a name, or a tuple of "
                "them, such as item=(1, 0) or item='last_hidden_state'."
            )
    return cast("tuple[Key, ...]", keys)


def _axis(name: str, axis: object) -> int:
    """A Python int, as a site is saved; True would be the axis 1."""
    if isinstance(axis, bool) or not hasattr(axis, "__index__"):
        raise TypeError(
            f"Site {name!r} has axis={axis!r}; expected a whole number: -1 where channels come "
            "last, 1 where they follow the samples."
        )
    return index(cast("SupportsIndex", axis))


def _iterable(at: object) -> bool:
    return isinstance(at, Iterable)


def _not_a_site(at: object) -> str:
    kind = type(at).__name__
    if isinstance(at, nn.Module):
        return (
            f"The site is a module, {kind}; expected the name of a layer, such as 'encoder.3', "
            "or a Site. Look its name up in model.named_modules(), and mind the order of arguments."
        )
    return f"The site is {at!r} of type {kind}; expected the name of a layer, or a Site."
