"""The part of each weight that writes or reads along directions, and of tokens' rows."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import NamedTuple, TypeAlias

from jaxtyping import Bool, Float
from torch import Tensor, nn

from latent_anchors._checks import check_name
from latent_anchors._runs import StackedRuns, tensors_of
from latent_anchors._sites import At, layers_of
from latent_anchors._supervision import as_mask
from latent_anchors.interventions._surgery._stream.removal import (
    Stream,
    axes_of,
    find_stream,
    project_rows,
    readable,
    refuse_turned,
    rows_behind,
)
from latent_anchors.interventions._surgery._stream.writers import Writer
from latent_anchors.interventions._surgery.find_layers import resolve_all
from latent_anchors.interventions._surgery.orthogonalize import as_rows
from latent_anchors.interventions._surgery.random_copy import Example
from latent_anchors.interventions._surgery.site_layers import Side, SiteLayers

Part: TypeAlias = Callable[[str, Tensor], Tensor]
"""A parameter's name and a tensor of its shape to the part that is meant, of the same shape."""

Rows: TypeAlias = Mapping[str, Bool[Tensor, " tokens"]]
"""By the name of an embedding, which of its rows are meant."""

Directions: TypeAlias = Sequence[float] | Sequence[Sequence[float]] | Tensor


class _Share(NamedTuple):
    """The axis of a tensor, from the end, and the rows that it shares something with."""

    axis: int
    ahead: Float[Tensor, "n dim"]
    behind: Float[Tensor, "n dim"]


def part_along(
    model: nn.Module,
    directions: Sequence[float] | Sequence[Sequence[float]] | Tensor,
    at: At | Iterable[At] | SiteLayers = "latent",
    example: Example | None = None,
    side: Side = "both",
    rows: Rows | None = None,
) -> Part:
    r"""The part of the weights in which a concept lies that was placed.

    .. math:: P(W_p) = V^\top V W_p, \qquad P(W_c) = W_c V^\top V, \qquad P(E_t) = E_t

    with the weights :math:`W_p` that write the latents at the sites, the :math:`W_c` that read
    them, orthonormal rows :math:`V` that span the ``directions``, and the rows :math:`E_t` of an
    embedding for chosen tokens :math:`t`; of everything else it is 0. This is what
    :func:`orthogonalize` takes away from both sides of a stream, and the rows. It is a projection:
    the part of the part is the part.

    With as many random directions and rows, it is the control.

    Args:
        model: A model, not a population; only looked at.
        directions: One direction ``(dim,)``, or linearly independent rows ``(n, dim)``.
        at: The sites, as for :func:`orthogonalize`; or the layers.
        example: What the model takes: ``(...)``, a tuple of arguments, or a mapping by name.
        side: Which weights have a part along the directions.
        rows: By the name of an embedding, a mask ``(tokens,)`` of rows that belong to the part as a
            whole, such as those that an edit moves; none if None.

    Returns:
        From a parameter's name and a tensor of its shape, such as its values or noise, to the part.

    Raises:
        ValueError: If :func:`orthogonalize` would refuse these sites and directions, a name is not
            that of an embedding, or a mask has another length. The part itself refuses names that
            the model's parameters do not have.
        TypeError: If a population is given, or a mask holds neither bool nor whole numbers.

    References:
        Ours.

    Examples:
        >>> import torch
        >>> model = nn.Sequential(nn.Embedding(4, 2), nn.Linear(2, 2), nn.Linear(2, 3))
        >>> last, tokens = torch.arange(4) == 3, torch.tensor([0])
        >>> part = part_along(model, [1.0, 0.0], at="1", example=tokens, rows={"0": last})
        >>> part("1.weight", torch.ones(2, 2))  # writes
        tensor([[1., 1.],
                [0., 0.]])
        >>> part("2.weight", torch.ones(3, 2))[0]  # reads
        tensor([1., 0.])
        >>> part("0.weight", torch.ones(4, 2))[2:]  # the last token
        tensor([[0., 0.],
                [1., 1.]])
    """
    if isinstance(model, StackedRuns):
        raise TypeError(
            f"A population of {len(model)} runs was given; expected one model, as norms of each "
            "let other weights read. Take one: population[0]."
        )
    shares = _shares(model, directions, at, example, side)
    masks = dict(_mask(model, layer, given) for layer, given in (rows or {}).items())
    names = [name for name, _ in model.named_parameters()]
    return partial(_part, names=names, shares=shares, masks=masks)


def _part(
    name: str,
    x: Tensor,
    names: Sequence[str],
    shares: Mapping[str, Sequence[_Share]],
    masks: Rows,
) -> Tensor:
    """What is lost if all shares with directions, and the rows, are taken away."""
    check_name("parameter", name, names)
    kept = x.detach().clone()
    for axis, ahead, behind in shares.get(name, ()):
        project_rows(kept.movedim(axis, -1), ahead, behind)
    if name in masks:
        kept[masks[name].to(kept.device)] = 0
    return x.detach() - kept


def _shares(
    model: nn.Module,
    directions: Directions,
    at: At | Iterable[At] | SiteLayers,
    example: Example | None,
    side: Side,
) -> dict[str, list[_Share]]:
    """By the names of weights, what they share with the directions."""
    stream = None
    if not isinstance(at, SiteLayers) and readable(model):
        stream = find_stream(model, at, example, side)
    if stream is not None:
        return _of_stream(model, stream, as_rows(directions, stream.width))
    found: dict[str, list[_Share]] = {}
    for layers, width in resolve_all(model, at, example, side, any_direction=True):
        basis = as_rows(directions, width)
        axes = [(f"{name}.weight", -1) for name in layers.consumers]
        if layers.producer is not None:
            axes += [(f"{layers.producer}.weight", -2), (f"{layers.producer}.bias", -1)]
        for name, axis in axes:
            found.setdefault(name, []).append(_Share(axis, basis, basis))
    return found


def _of_stream(
    model: nn.Module, stream: Stream, basis: Float[Tensor, "n dim"]
) -> dict[str, list[_Share]]:
    dims, tensors = axes_of(basis), tensors_of(model)
    if not dims:
        refuse_turned(stream)
    found: dict[str, list[_Share]] = {}
    for writer in stream.writers.found.values() if stream.writers else ():
        _refuse_offset(writer)
        found[writer.name] = [_Share(writer.axis, basis, basis)]
    for reader in stream.readers.found.values() if stream.readers else ():
        share = _Share(reader.axis, *rows_behind(tensors, reader.factors, basis, dims))
        found.setdefault(reader.name, []).append(share)
    return found


def _refuse_offset(writer: Writer) -> None:
    if writer.off:
        raise ValueError(
            f"{writer.name!r} scales the latents by 1 + w, as Gemma's norms do, so that they are "
            f"silent at w = {writer.off:g}; expected weights that are silent at 0, as a part that "
            "is taken away leaves 0. Use orthogonalize, which sets them to that."
        )


def _mask(model: nn.Module, name: str, given: Tensor) -> tuple[str, Bool[Tensor, " tokens"]]:
    """The name of an embedding's parameter, and the mask of its rows, checked."""
    tables = {n: layer for n, layer in layers_of(model).items() if isinstance(layer, nn.Embedding)}
    check_name("embedding", name, [*tables])
    weight, mask = tables[name].weight, as_mask(f"The mask of the rows of {name!r}", given)
    if mask.shape != weight.shape[:1]:
        raise ValueError(
            f"The mask of the rows of {name!r} has shape {tuple(mask.shape)}; expected "
            f"({len(weight)},), one for each token. Write (edit(rows) != rows).any(-1)."
        )
    return next(n for n, each in model.named_parameters() if each is weight), mask
