"""Sites: layers by name, found through wrappers and under every spelling."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias, cast

from torch import nn

from latent_anchors._checks import unknown

_PREFIXES = ("module.", "_orig_mod.", "base_model.model.")
"""Prefixes that wrappers add to names: DataParallel, torch.compile, PEFT."""


@dataclass(frozen=True)
class Site:
    """Where latents are read or edited: a layer, the axis of its channels, the part of its output.

    Args:
        name: The layer's dotted name, as in ``model.named_modules()``.
        axis: The axis of the output that holds the channels.
        item: Which part, where the output is a tuple, a mapping or an object.
        every: For a layer that runs several times in a forward pass, such as a shared one: read all
            its passes, stacked along a new first axis. Edits act at each pass anyway.

    Examples:
        >>> Site("features.3", axis=1)
        Site(name='features.3', axis=1, item=0, every=False)
    """

    name: str
    axis: int = -1
    item: int | str = 0
    every: bool = False


At: TypeAlias = str | Site
"""A site, or the name of a layer whose output is the latents, channels last."""


def as_site(at: At) -> Site:
    """A site from a site or a name."""
    if isinstance(at, Site):
        return at
    if isinstance(at, str):  # pyright: ignore[reportUnnecessaryIsInstance] -- users pass modules and edits all the same
        return Site(at)
    raise TypeError(_not_a_site(at))


def as_sites(at: At | Iterable[At]) -> list[At]:
    """One site or several as a list of them, each as it was spelled."""
    # a module may be iterable, and is no site; `as_site` says so
    alone = isinstance(at, At | nn.Module) or not _iterable(at)
    several = cast("list[At]", [at] if alone else [*cast("Iterable[At]", at)])
    for each in several:
        as_site(each)
    return several


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


def _unknown_site(model: nn.Module, site: Site) -> str:
    named = cast("Iterable[tuple[str, nn.Module]]", model.named_modules(remove_duplicate=False))
    names = [name for name, _ in named if name]
    said = unknown("site", site.name, names)
    if site.name == "latent":
        said += " 'latent' is the default: did you forget to name the layer with at=?"
    return said


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
