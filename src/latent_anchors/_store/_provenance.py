"""Provenance: what wrote a saving, for which model and which sites, and what it says of itself."""

import platform
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from importlib.metadata import version
from typing import Any, cast

import torch
from torch import Tensor, nn

from latent_anchors._sites import At, Site, as_site, resolve
from latent_anchors._store._fingerprint import class_of, configuration_of, digest, model_of

SHOWN = 6
"""So many differences are named; the others are counted."""


@dataclass(frozen=True)
class Provenance:
    """Where a saving comes from, as :func:`~latent_anchors.save` noted it.

    Attributes:
        versions: Of ``latent_anchors``, ``torch``, ``python`` and, if a model was given, of the
            package that its class is from.
        sites: Where what is saved acts, each with its width, or None where nothing says it.
        model: The name of the class of the model that it is for; None if none was given.
        configuration: The model's settings by name, as JSON, without those that do not matter to
            its latents; of a model without any, the structure of its parts.
        note: Free text.

    Examples:
        >>> import tempfile
        >>> import latent_anchors as la
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     la.save(la.Concept("red", [1, 0, 0], at="encoder.3"), folder, note="First try.")
        ...     found = la.provenance(folder)
        >>> found.sites, found.note
        ({'encoder.3': 3}, 'First try.')
    """

    versions: Mapping[str, str]
    sites: Mapping[str, int | None] = field(default_factory=dict[str, int | None])
    model: str | None = None
    configuration: Mapping[str, str] = field(default_factory=dict[str, str])
    note: str = ""

    @property
    def fingerprint(self) -> str:
        """A hash of the model's class and configuration; empty if no model was given.

        No weights are in it: before and after training, it is the same.

        Examples:
            >>> Provenance({}, model="Net", configuration={"width": "8"}).fingerprint[:8]
            '1809e5bf'
        """
        return "" if self.model is None else digest([self.model, dict(self.configuration)])


def provenance_of(things: Iterable[object], model: nn.Module | None, note: str) -> Provenance:
    """The provenance of what is saved now."""
    sites = {spelled(site): width for site, width in sites_in(things).items()}
    if model is None:
        return Provenance(_versions(), sites, note=note)
    bare = model_of(model)
    versions = _versions() | _its_version(type(bare).__module__.partition(".")[0])
    return Provenance(versions, sites, class_of(bare), configuration_of(bare), note)


def parsed(content: object) -> Provenance | None:
    """The record, if this is what it is written as."""
    names = {each.name for each in fields(Provenance)}
    if not isinstance(content, dict) or set(cast("Any", content)) != names:
        return None
    parts = cast("dict[str, Any]", content)
    whole = (
        all(_maps(parts[name], (str,)) for name in ("versions", "configuration"))
        and _maps(parts["sites"], (int, type(None)))
        and type(parts["note"]) is str
        and type(parts["model"]) in (str, type(None))
    )
    return Provenance(**parts) if whole else None


def sites_in(things: Iterable[object]) -> dict[Site, int | None]:
    """The sites at which things act, with their widths."""
    found: dict[Site, int | None] = {}
    for at, width in (pair for thing in things for pair in _acting(thing)):
        site = as_site(at)
        found[site] = found.get(site) or width
    return found


def spelled(site: Site) -> str:
    """The name of a site; with all else that it says, if it says more."""
    return site.name if site == Site(site.name) else repr(site)


def differences(
    provenance: Provenance, sites: Mapping[Site, int | None], model: nn.Module
) -> list[str]:
    """In words, what makes a model another than the one that something was saved for."""
    bare = model_of(model)
    return [*_other_model(provenance, bare), *_other_sites(sites, bare)]


def _other_model(provenance: Provenance, model: nn.Module) -> Iterator[str]:
    if provenance.model is None:
        return
    if class_of(model) != provenance.model:
        yield f"its class was {provenance.model} and is {class_of(model)}"
    before, now = provenance.configuration, configuration_of(model)
    other = [name for name in {**before, **now} if before.get(name) != now.get(name)]
    for name in other[:SHOWN]:
        yield f"{name} was {before.get(name, 'not there')} and is {now.get(name, 'not there')}"
    if len(other) > SHOWN:
        yield f"{len(other) - SHOWN} more settings differ"


def _other_sites(sites: Mapping[Site, int | None], model: nn.Module) -> Iterator[str]:
    for site, width in sites.items():
        try:
            has = width_of(resolve(model, site), site)
        except ValueError as error:
            yield f"{error}".rstrip(".?")
            continue
        if None not in (width, has) and width != has:
            yield f"the width at site {site.name!r} was {width} and is {has}"


OUT = ("out_features", "embedding_dim", "out_channels", "num_features", "nf")
IN = ("in_features", "in_channels", "num_features", "nx")
"""Attributes in which a layer of torch, or a Conv1D of transformers, says its width."""


def width_of(layer: nn.Module, site: Site) -> int | None:
    """The width at a site, if the layer says it; blocks of several layers do not."""
    names = IN if site.side == "input" else OUT
    widths = (getattr(layer, name, None) for name in names if site.item == 0)
    return next((width for width in widths if isinstance(width, int)), None)


def _acting(thing: object) -> Iterator[tuple[At, int | None]]:
    """Sites and widths that a thing of ours names: as ``at=``, or as keys of edits."""
    edits, at = getattr(thing, "edits", None), getattr(thing, "at", None)
    if isinstance(thing, Mapping):
        items = cast("Mapping[object, object]", thing).items()
        yield from ((key, _width(value)) for key, value in items if isinstance(key, Site))
    elif not type(thing).__module__.startswith("latent_anchors."):
        return
    elif isinstance(edits, Mapping):  # `at` is left out there
        yield from ((key, _width(edit)) for key, edit in cast("Mapping[At, object]", edits).items())
    elif isinstance(at, At):
        yield at, _width(thing)
    elif isinstance(at, list | tuple | Mapping):
        yield from ((each, _width(thing)) for each in cast("Iterable[At]", at))


def _width(thing: object) -> int | None:
    """The width of a direction or plane: of a concept, an edit, or a term's penalty."""
    held = [getattr(thing, name, None) for name in ("direction", "basis", "penalty")]
    tensors = [each for each in held if isinstance(each, Tensor)]
    inner = held[2] if isinstance(held[2], nn.Module) else None
    return tensors[0].shape[-1] if tensors else inner and _width(inner)


def _maps(value: object, kinds: tuple[type, ...]) -> bool:
    """Whether it maps names to values of these types; JSON's names are strings."""
    if not isinstance(value, dict):
        return False
    return all(type(each) in kinds for each in cast("dict[str, object]", value).values())


@cache
def _versions() -> dict[str, str]:
    ours = {"latent_anchors": version("latent-anchors"), "torch": torch.__version__}
    return {**ours, "python": platform.python_version()}


def _its_version(package: str) -> dict[str, str]:
    """The version of the package that a model's class is from, such as transformers."""
    found = getattr(sys.modules.get(package), "__version__", None)
    return {package: found} if isinstance(found, str) else {}
