"""Several terms at once: many directions at one site take one product, not one pass each."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from latent_anchors._numerics import cosines, dots, in_full_precision
from latent_anchors._sites import At
from latent_anchors._supervision import Given, Look, can_look, within
from latent_anchors.regularizers._anchors import Anchor, AntiAnchor, raised
from latent_anchors.regularizers._applying import check_pool_apart, sites_of
from latent_anchors.regularizers._counting import Counting, Reduction, tensor_of
from latent_anchors.regularizers._pooling import SoftMinimum, max_pool, mean_pool, min_pool
from latent_anchors.regularizers._subspaces import AntiSubspace
from latent_anchors.regularizers._terms import Term

FEW = 8
"""Fewer terms of a kind take as long one by one."""

_Rows: TypeAlias = Float[Tensor, "n dim"]
_Each: TypeAlias = Float[Tensor, "n *samples"]


def _away(z: Tensor, rows: _Rows, penalty: nn.Module) -> _Each:
    del penalty
    return (1.0 - cosines(in_full_precision(z), rows)).relu()


def _towards(z: Tensor, rows: _Rows, penalty: nn.Module) -> _Each:
    return raised(cosines(in_full_precision(z), rows), cast("AntiAnchor", penalty).power)


def _inside(z: Tensor, rows: _Rows, penalty: nn.Module) -> _Each:
    z, rows = in_full_precision(z), rows.to(in_full_precision(z))
    relative = cast("AntiSubspace", penalty).relative
    return (cosines(z, rows) if relative else dots(z, rows)).square()


_TOGETHER: dict[type, Callable[[Tensor, _Rows, nn.Module], _Each]] = {
    Anchor: _away,
    AntiAnchor: _towards,
    AntiSubspace: _inside,
}

_POOLS = (None, mean_pool, max_pool, min_pool)
"""Poolings that take any axes before the positions."""


def reduce_terms(
    terms: Sequence[Term],
    latents: Mapping[At, Tensor],
    labels: Mapping[str, Given] | None,
    masks: Mapping[str, Given] | None = None,
    look: Look = "always",
) -> tuple[Reduction, ...]:
    """The weighted sums of several terms: what each alone gives, to rounding, in less time.

    Eight or more that differ in name, track, label, rate and direction only are computed together:
    fifty directions take one product of matrices instead of fifty passes over the latents. Their
    penalties are :class:`~latent_anchors.regularizers.Anchor`,
    :class:`~latent_anchors.regularizers.AntiAnchor`, or
    :class:`~latent_anchors.regularizers.AntiSubspace` of one direction, without a cone, at the same
    sites, with the same mask and one of the poolings of this room, or none. All other terms are
    reduced one by one.

    Args:
        terms: Any terms.
        latents: By site ``(..., dim)``.
        labels: By name, as :meth:`Term.reduce <latent_anchors.regularizers.Term.reduce>` takes
            them.
        masks: By name.
        look: When labels are looked at; see there.

    Returns:
        One for each term, in their order.

    Raises:
        KeyError: If the batch lacks a site, label or mask.
        ValueError: If a label or mask has another shape than the values, or wrong numbers.
        TypeError: If one is no tensor and no array of numpy's.

    Examples:
        >>> from latent_anchors.regularizers import Anchor, Term
        >>> terms = [Term(f"axis {k}", Anchor(row)) for k, row in enumerate(torch.eye(10))]
        >>> z = torch.zeros(2, 10)
        >>> z[:, 0] = 1.0
        >>> [int(reduced.total) for reduced in reduce_terms(terms, {"latent": z}, {})][:3]
        [0, 2, 2]
    """
    found: dict[int, Reduction] = {}
    for alike in _alike(terms) if len(terms) >= FEW else ():
        some = [terms[index] for index in alike]
        reduced = _together(some, latents, labels, masks, look)
        found |= dict(zip(alike, reduced, strict=True)) if reduced else {}
    return tuple(
        found[index] if index in found else term.reduce(latents, labels, masks, look)
        for index, term in enumerate(terms)
    )


def _alike(terms: Sequence[Term]) -> list[list[int]]:
    """Which terms can be computed together."""
    groups: dict[object, list[int]] = {}
    for index, term in enumerate(terms):
        row = _row_of(term)
        if row is not None:
            pool = term.pool
            soft = type(pool) is SoftMinimum
            kind = (
                type(term.penalty),
                getattr(term.penalty, "power", None),
                getattr(term.penalty, "relative", None),
                len(row),
                tuple(term.shares.items()),
                term.label is None,
                term.mask,
                (SoftMinimum, cast("SoftMinimum", pool).temperature) if soft else id(pool),
                term.reduction,
                term.ignore_index,
            )
            groups.setdefault(kind, []).append(index)
    return [alike for alike in groups.values() if len(alike) >= FEW]


def _row_of(term: Term) -> Float[Tensor, " dim"] | None:
    """The only direction of a term's penalty, if it is one of those that are computed together."""
    penalty = term.penalty
    if type(penalty) not in _TOGETHER:  # a subclass may do something else
        return None
    if type(term.pool) is not SoftMinimum and term.pool not in _POOLS:
        return None  # it may know no axis of directions
    if isinstance(penalty, Anchor | AntiAnchor):
        return None if penalty.has_cone else penalty.direction
    basis = cast("AntiSubspace", penalty).basis
    return basis[0] if basis is not None and len(basis) == 1 else None


def _together(
    terms: Sequence[Term],
    latents: Mapping[At, Tensor],
    labels: Mapping[str, Given] | None,
    masks: Mapping[str, Given] | None,
    look: Look,
) -> list[Reduction] | None:
    """Their reductions; None where something does not fit, of which each alone says what it is."""
    first = terms[0]
    rows = torch.stack([cast("Tensor", _row_of(term)) for term in terms])
    sites = sites_of(first.name, first.shares, latents)
    device = sites[0].device
    mask = tensor_of(first.name, "mask", first.mask, masks, device, look)
    given = [tensor_of(term.name, "label", term.label, labels, device, look) for term in terms]
    if not all(_fits(z, rows, mask, given[0], first) for z in sites) or not _one_shape(given):
        return None
    counting = _counting(mask, given, first, look)
    if counting is None:
        return None
    _check_pool(first, sites[0], look)
    values = _values(first, sites, rows, counting)
    if values is None:
        return None
    lines = counting.lines(values.ndim)
    if lines is not None:
        values = values.masked_fill(~lines, 0.0)
    return _reductions(terms, values, lines, counting.weight(values))


def _fits(z: Tensor, rows: _Rows, mask: Tensor | None, label: Tensor | None, term: Term) -> bool:
    """Whether latents, mask and label have shapes that go together."""
    places = z.shape[:-1]
    lines = places if term.pool is None or label is None else places[: label.ndim]
    return (
        z.ndim > 0
        and z.is_floating_point()
        and z.shape[-1] == rows.shape[-1]
        and (mask is None or mask.shape == places)
        and (label is None or label.shape == lines)
    )


def _one_shape(labels: Sequence[Tensor | None]) -> bool:
    known = [label for label in labels if label is not None]
    return len({label.shape for label in known}) <= 1 and not any(map(torch.is_complex, known))


def _counting(
    mask: Tensor | None, labels: Sequence[Tensor | None], term: Term, look: Look
) -> Counting | None:
    """Who counts for each direction, along a first axis of directions; None for wrong labels."""
    mask = None if mask is None else mask.expand(len(labels), *mask.shape)
    if term.label is None:
        return Counting(mask)
    label = torch.stack(cast("list[Tensor]", [*labels]))
    kept = None if term.ignore_index is None else label != term.ignore_index
    lines = Counting(mask, kept).lines(label.ndim)
    label = label if lines is None else label.masked_fill(~lines, 0)
    fine = not can_look(label, look) or within(label)
    return Counting(mask, kept, label, look) if fine else None


def _check_pool(term: Term, z: Tensor, look: Look) -> None:
    """Refuse, once, a pooling that would see what does not count."""
    masked = term.pool is not None and (term.mask or term.ignore_index is not None)
    if term.pool is not None and masked and not term.apart and can_look(z, look):
        check_pool_apart(term.name, term.pool, z[..., 0])
        object.__setattr__(term, "apart", True)


def _values(term: Term, sites: Sequence[Tensor], rows: _Rows, counting: Counting) -> _Each | None:
    """Values at each line for each direction; None if a pooling leaves another shape."""
    parts = [_at_site(term, z, rows, counting) for z in sites]
    label = counting.label
    if label is not None and any(part.shape != label.shape for part in parts):
        return None
    if len({part.shape for part in parts}) > 1 or parts[0].shape[:1] != rows.shape[:1]:
        return None
    shares = [*term.shares.values()]
    if shares == [1.0]:
        return parts[0]
    return torch.stack([part * share for part, share in zip(parts, shares, strict=True)]).sum(0)


def _at_site(term: Term, z: Tensor, rows: _Rows, counting: Counting) -> _Each:
    idle = counting.idle(z, z.ndim)
    if idle is not None:  # latents where no direction has a say; values where one has none
        z = z.masked_fill(idle.all(0).unsqueeze(-1), 1.0)
    penalty = cast("nn.Module", term.penalty)
    values = _TOGETHER[type(penalty)](z, rows, penalty)
    if idle is not None:
        values = values.masked_fill(idle, 1.0)
    return values if term.pool is None else term.pool(values, counting.inside(values.shape))


def _reductions(
    terms: Sequence[Term], values: _Each, lines: Tensor | None, weight: Tensor | None
) -> list[Reduction]:
    """Each direction's sums over the batch."""
    number = values.new_full(values.shape[:1], values[0].numel())
    counts = number if lines is None else _summed(lines.to(values))
    masses = counts if weight is None else _summed(weight)
    totals = _summed(values if weight is None else weight * values)
    divisors = {"mass": masses, "count": counts}.get(terms[0].reduction)
    if divisors is None:
        divisors = counts * counts.new_tensor([term.rate for term in terms])
    columns = (totals, divisors, masses, counts)
    return [Reduction(*each) for each in zip(*(c.unbind() for c in columns), strict=True)]


def _summed(values: _Each) -> Float[Tensor, " n"]:
    return values.reshape(len(values), -1).sum(-1)
