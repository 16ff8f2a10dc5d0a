"""A site: a layer's name, its output or an input, and which part of it holds the latents."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeAlias, cast, get_args

from torch import nn
from typing_extensions import override

from latent_anchors._checks import check_name

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
        TypeError: If ``item`` holds anything but whole numbers and strings.

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
    alone = isinstance(at, At | nn.Module) or not iterable(at)
    several = cast("list[At]", [at] if alone else [*cast("Iterable[At]", at)])
    for each in several:
        refuse_pattern(as_site(each))
    return several


def is_pattern(name: str) -> bool:
    """Whether a name stands for several."""
    return any(sign in name for sign in "*?[")


def refuse_pattern(site: Site) -> None:
    if is_pattern(site.name):
        raise ValueError(
            f"The site {site.name!r} is a pattern; expected the names of layers, since what is "
            f"kept must not depend on a model. Write at=la.sites(model, {site.name!r})."
        )


def iterable(at: object) -> bool:
    return isinstance(at, Iterable)


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


def _not_a_site(at: object) -> str:
    kind = type(at).__name__
    if isinstance(at, nn.Module):
        return (
            f"The site is a module, {kind}; expected the name of a layer, such as 'encoder.3', "
            "or a Site. Look its name up in model.named_modules(), and mind the order of arguments."
        )
    return f"The site is {at!r} of type {kind}; expected the name of a layer, or a Site."
