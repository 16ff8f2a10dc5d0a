"""The layers that sites mean in a model: under every spelling, by pattern, or given themselves."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TypeAlias, cast

from torch import nn

from latent_anchors._checks import unknown
from latent_anchors._sites._layers import (
    callable_layers,
    each_once,
    every_name,
    layers_of,
    unwrapped,
)
from latent_anchors._sites._site import At, Site, as_site, is_pattern, iterable, refuse_pattern

_PREFIXES = ("module.", "_orig_mod.", "base_model.model.")
"""Prefixes that wrappers add to names: DataParallel, torch.compile, PEFT."""


Place: TypeAlias = At | nn.Module
"""A site, a layer's name, a pattern of names such as ``"model.layers.*"``, or the layer itself."""


def expanded(model: nn.Module, at: Place | Iterable[Place]) -> list[tuple[At, Place]]:
    """Sites by name: a pattern's in the model's order. Each with the place that was given.

    ``model`` is an architecture, wrapped or not.
    """
    alone = isinstance(at, Place) or not iterable(at)
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


def _meant(model: nn.Module, place: Place) -> list[At]:
    if isinstance(place, nn.Module):
        return [_name_of(model, place)]
    name = as_site(place).name
    if not is_pattern(name):
        return [place]
    names = matching(model, name)
    return [*names] if isinstance(place, str) else [replace(place, name=name) for name in names]


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


def _unknown_site(model: nn.Module, site: Site) -> str:
    names = [name for name, _ in every_name(model) if name]
    refuse_pattern(site)
    said = unknown("site", site.name, names)
    if site.name == "latent":
        said += " 'latent' is the default: did you forget to name the layer with at=?"
    return said
