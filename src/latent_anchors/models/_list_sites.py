"""List the sites of a model: all of them, those of a kind, or those that match a pattern."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import Any, overload

import torch
from torch import Tensor, nn
from typing_extensions import override

from latent_anchors._checks import unknown
from latent_anchors._hooks import InForce, LookHook, forward_hooks
from latent_anchors._runs import eval_mode, one_run
from latent_anchors._sites import Site, callable_layers, each_once, is_pattern, matching
from latent_anchors.models._recording import record
from latent_anchors.models._site_kinds import (
    Kind,
    channels_first,
    last_width,
    layers_of_kind,
    width_of,
)

KINDS: tuple[Kind, ...] = ("residual", "attention", "mlp")


@dataclass(frozen=True)
class _Row:
    """One layer in the table."""

    site: Site
    layer: str
    width: int | None
    kind: str


class Sites(Sequence[Site]):
    """Sites of a model in order, shown as a table with the class, width and kind of each layer.

    It is a sequence of :class:`Site`, so it can be given wherever sites are; a slice is one, too.

    Examples:
        >>> listed = sites(nn.Sequential(nn.Linear(3, 2), nn.ReLU()))
        >>> listed
        site  layer   width  kind
        0     Linear  2
        1     ReLU
        >>> list(listed[:1])
        [Site('0')]
    """

    def __init__(self, rows: Iterable[_Row]) -> None:
        self._rows = tuple(rows)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the layers.

        Examples:
            >>> sites(nn.Sequential(nn.Identity(), nn.ReLU())).names
            ('0', '1')
        """
        return tuple(row.site.name for row in self._rows)

    @property
    def widths(self) -> tuple[int | None, ...]:
        """How many channels each has, None where its weights do not say.

        Examples:
            >>> sites(nn.Sequential(nn.Linear(3, 2), nn.ReLU())).widths
            (2, None)
        """
        return tuple(row.width for row in self._rows)

    @overload
    def __getitem__(self, index: int) -> Site: ...
    @overload
    def __getitem__(self, index: slice) -> "Sites": ...
    @override
    def __getitem__(self, index: int | slice) -> "Site | Sites":
        rows = self._rows[index]
        return Sites(rows) if isinstance(rows, tuple) else rows.site

    def __len__(self) -> int:
        return len(self._rows)

    @override
    def __repr__(self) -> str:
        cells = [("site", "layer", "width", "kind"), *map(_cells, self._rows)]
        sizes = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = ["  ".join(map(str.ljust, row, sizes)).rstrip() for row in cells]
        return "\n".join(lines)


def sites(
    model: nn.Module,
    which: str | None = None,
    example: Tensor | tuple[Any, ...] | Mapping[str, Any] | None = None,
) -> Sites:
    """The sites of a model: all layers, those of a kind, or those that match a pattern.

    The kinds of a transformer are found by a rule on its modules: ``"residual"``, the outputs of
    its blocks, in order; ``"attention"`` and ``"mlp"``, what these write into the stream, before a
    norm or a shortcut that their layer may add. What enters the first block is
    ``Site(blocks[0], side="input")``. A model with several stacks of blocks, such as an encoder and
    a decoder, gives those of all of them; a slice or a pattern chooses.

    Args:
        model: Any module, wrapped or not, or a population.
        which: A kind; or a pattern such as ``"model.layers.*"``, in which a ``*`` stands for one
            part of a name. All layers if None.
        example: What the model takes ``(...)``, a tuple of arguments or a mapping by name. The
            widths are then those of a pass, as is the axis of a convolution whose layer gives rows
            of vectors; and what leaves each residual block must be what enters the next.

    Raises:
        ValueError: If the model has no such sites, or the example shows other ones.

    Examples:
        >>> from latent_anchors.models import PrenormTransformer
        >>> model = PrenormTransformer(vocabulary=12, width=16, depth=2)
        >>> sites(model, "residual")
        site      layer         width  kind
        blocks.0  PrenormBlock  16     residual
        blocks.1  PrenormBlock  16     residual
        >>> sites(model, "blocks.*.attention").names
        ('blocks.0.attention', 'blocks.1.attention')
    """
    whole = one_run(model)  # stacked, every vector would look like a matrix
    layers = callable_layers(whole)
    kinds = _kinds(whole, example is not None)
    names = [*_asked(whole, which, layers, example is not None)]
    rows = {name: _row(name, layers[name], kinds.get(name)) for name in names}
    if example is not None:
        rows = _seen(whole, rows, example)
        if which == "residual":
            _check_stream(whole, names, example)
    return Sites(rows.values())


def _asked(
    model: nn.Module, which: str | None, layers: Mapping[str, nn.Module], tried: bool
) -> Iterable[str]:
    if which is None:
        return each_once(dict(layers))
    if is_pattern(which) or "." in which or which in layers:
        return matching(model, which)
    if which not in KINDS:
        raise ValueError(unknown("kind or pattern of sites", which, [*KINDS, *layers]))
    return layers_of_kind(model, which, tried)


def _kinds(model: nn.Module, tried: bool) -> dict[str, tuple[Kind, int | None]]:
    """The kind of each layer that has one, and the width of its stream."""
    found: dict[str, tuple[Kind, int | None]] = {}
    for kind in KINDS:
        with suppress(ValueError):
            layers = layers_of_kind(model, kind, tried)
            found |= {name: (kind, width) for name, width in layers.items()}
    return found


def _row(name: str, layer: nn.Module, known: tuple[Kind, int | None] | None) -> _Row:
    site = Site(name, axis=1) if channels_first(layer) else Site(name)
    kind, width = ("", width_of(layer)) if known is None else known
    return _Row(site, type(layer).__name__, width, kind)


def _cells(row: _Row) -> tuple[str, str, str, str]:
    name = row.site.name if row.site.axis == -1 else f"{row.site.name} (axis={row.site.axis})"
    return name, row.layer, "" if row.width is None else str(row.width), row.kind


def _seen(model: nn.Module, rows: Mapping[str, _Row], example: object) -> dict[str, _Row]:
    """The rows with what a pass says of widths and axes."""
    layers, shapes = callable_layers(model), dict[str, Sequence[int]]()

    def looking(row: _Row) -> LookHook:
        layer, name = layers[row.site.name], row.site.name
        look = partial(_note_shape, shapes, name)
        return LookHook(look, row.site, layer, forward_hooks(layer))

    with eval_mode(model), InForce([looking(row) for row in rows.values()]):
        _run(model, example)
    return {name: _as_seen(row, layers[name], shapes.get(name)) for name, row in rows.items()}


def _note_shape(shapes: dict[str, Sequence[int]], name: str, z: Tensor) -> None:
    shapes[name] = z.shape


def _as_seen(row: _Row, layer: nn.Module, shape: Sequence[int] | None) -> _Row:
    """A row with what a pass says of its channels, which come last in the shape."""
    if shape is None:
        return replace(row, width=None)
    if row.site.axis == 1 and shape[-1] != (width := last_width(layer)) == shape[-2]:
        # a convolution whose layer gives rows of vectors, as an embedding of patches
        return replace(row, site=replace(row.site, axis=-1), width=width)
    unclear = len(shape) > 3 and row.site.axis == -1 and row.width is None
    return replace(row, width=None if unclear else shape[-1])


def _check_stream(model: nn.Module, names: Sequence[str], example: object) -> None:
    """Refuse blocks whose output is not what enters the next, as where a shortcut is outside."""
    pairs = [p for p in pairwise(names) if len({name.rpartition(".")[0] for name in p}) == 1]
    sites = [(Site(one), Site(other, side="input")) for one, other in pairs]
    with eval_mode(model), record(model, [site for pair in sites for site in pair]) as z:
        _run(model, example)
    for left, entered in sites:
        if z[left].shape != z[entered].shape or not torch.equal(z[left], z[entered]):
            raise ValueError(
                f"What leaves {left.name!r} is not what enters {entered.name!r}; expected blocks "
                "that pass on the residual stream, shortcuts included. Name its sites by a "
                "pattern, or take the blocks' inputs: Site(name, side='input')."
            )


def _run(model: nn.Module, example: Any) -> None:
    if isinstance(example, Mapping):
        model(**example)
    else:
        model(*(example if isinstance(example, tuple) else (example,)))
