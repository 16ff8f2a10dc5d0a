"""Plain attributes of an architecture that runs share: each run in turn finds them as the first."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias, cast

from torch import nn

from latent_anchors._sites import layers_of
from latent_anchors.training._guards import in_words, relevant, way_out, written
from latent_anchors.training._python_values import PLAIN, Found

Settings: TypeAlias = Mapping[tuple[str, str], object]
"""By layer and attribute; copies."""


def settings_of(model: nn.Module) -> Settings:
    """All attributes that are plain values, or lists and the like of them."""
    return {
        (layer, name): copied(value)
        for layer, module in layers_of(model).items()
        for name, value in vars(module).items()
        if not (name in _INTERNAL or isinstance(value, nn.Module)) and is_plain(value)
    }


def restore(model: nn.Module, settings: Settings) -> None:
    """Give the attributes the values that they had."""
    layers = layers_of(model)
    for (layer, name), value in settings.items():
        vars(layers[layer])[name] = copied(value)


def check_shared(run: int, first: Found, own: Found) -> None:
    """Refuse what a run left otherwise than the first one did, both from the same beginning."""
    left = relevant(first, own, lambda _: True) | written(first, own)
    if left:
        raise RuntimeError(
            f"After run {run}, what Python holds went on {in_words(left)}; expected that it is as "
            f"run 0 left it, since no run may depend on another. {_instead(left)}"
        )


def _instead(places: Mapping[str, str]) -> str:
    if all(place.startswith("model") for place in places):
        return "Register it as a buffer of the model, of which each run has its own."
    return way_out(places)


def is_plain(value: object) -> bool:
    """Whether it can be copied by value."""
    if isinstance(value, PLAIN):
        return True
    if type(value) is dict:
        entries = cast("Mapping[object, object]", value)
        return all(map(is_plain, (*entries, *entries.values())))
    return type(value) in (list, tuple, set, frozenset) and all(
        map(is_plain, cast("Sequence[object]", value))
    )


def copied(value: Any) -> Any:
    """A copy of a plain value, of everything in it that may change."""
    kind: Any = value.__class__
    if kind is dict:
        return {key: copied(each) for key, each in value.items()}
    if kind in (list, tuple):
        return cast("object", kind(map(copied, cast("Iterable[object]", value))))
    return set(cast("set[object]", value)) if kind is set else value


_INTERNAL = set(vars(nn.Module()))
