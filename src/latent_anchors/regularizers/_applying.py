"""How a penalty is applied at a site: along which axis, and under which mask."""

import inspect
from collections.abc import Callable, Mapping
from typing import cast

import torch
from torch import Tensor, nn

from latent_anchors._checks import listed
from latent_anchors._sites import At
from latent_anchors.regularizers._counting import Counting


def takes_mask(penalty: Callable[..., Tensor]) -> bool:
    """Whether it is a set penalty that can leave members out, by its argument ``mask``."""
    called = penalty
    if isinstance(penalty, nn.Module):  # a compiled one hides what it was made of
        called = getattr(penalty, "_orig_mod", penalty).forward
    try:
        return "mask" in inspect.signature(called).parameters
    except (TypeError, ValueError):  # some of torch's own functions have no signature
        return False


def applied(
    penalty: Callable[..., Tensor], z: Tensor, counting: Counting, by_batch: bool, compares: bool
) -> Tensor:
    """One value for each place; a set penalty compares the same place of all lines, or a line's."""
    if not compares:
        return _values(penalty, counting.filled(z), by_batch)
    inside = counting.inside(z.shape[:-1])
    if inside is None:
        return _values(penalty, z, by_batch)
    z = z.masked_fill(~inside.unsqueeze(-1), 1.0)
    return _values(penalty, z, by_batch, inside)


def _values(
    penalty: Callable[..., Tensor], z: Tensor, by_batch: bool, mask: Tensor | None = None
) -> Tensor:
    if by_batch and z.ndim > 2:
        mask = None if mask is None else mask.movedim(0, -1)
        return _called(penalty, z.movedim(0, -2), mask).movedim(-1, 0)
    return _called(penalty, z, mask)


def _called(penalty: Callable[..., Tensor], z: Tensor, mask: Tensor | None) -> Tensor:
    values = cast("object", penalty(z) if mask is None else penalty(z, mask=mask))
    if not isinstance(values, Tensor) or values.shape != z.shape[:-1]:
        raise ValueError(_misshapen(values, z))
    return values


def _misshapen(values: object, z: Tensor) -> str:
    gave = f"shape {tuple(values.shape)}" if isinstance(values, Tensor) else repr(values)
    return (
        f"A penalty gave {gave} for latents of shape {tuple(z.shape)}; expected one value for each "
        f"sample {tuple(z.shape[:-1])}. Reduce the last axis and no other, as with .sum(-1)."
    )


def check_penalty_apart(
    term: str, penalty: Callable[..., Tensor], compares: bool, z: Tensor, by_batch: bool
) -> None:
    """Refuse a penalty that sees others and cannot leave any out; tried on made-up latents."""
    if compares:
        return
    with torch.no_grad():
        place = torch.linspace(1, 2, z.shape[-1], dtype=z.dtype, device=z.device)
        together = place.expand_as(z).clone()
        # others on the other side, in another direction, and of another length
        others = [-together, 3 * together.flip(-1), 0.5 * together]
        first = _first(penalty, together, by_batch)
        seen = [_first(penalty, _behind(place, each), by_batch) for each in others]
    if not all(torch.allclose(first, each, rtol=1e-3, atol=1e-6, equal_nan=True) for each in seen):
        raise ValueError(
            f"Term {term!r}: its penalty compares samples and cannot leave any out; expected one "
            "that takes mask=None, since some have no label or do not count. "
            "regularizers.check(penalty, dim, set_penalty=True) says what it promises."
        )


def _behind(place: Tensor, others: Tensor) -> Tensor:
    """Others, of which the first is this one."""
    z = others.clone()
    z[(0,) * (z.ndim - 1)] = place
    return z


def _first(penalty: Callable[..., Tensor], z: Tensor, by_batch: bool) -> Tensor:
    return _values(penalty, z, by_batch).flatten()[:1]


def check_pool_apart(
    term: str, pool: Callable[[Tensor, Tensor | None], Tensor], values: Tensor
) -> None:
    """Refuse a pooling that sees positions that do not count; tried on made-up values."""
    with torch.no_grad():
        mask = torch.zeros_like(values, dtype=torch.bool)
        mask[..., 0] = True
        ones = torch.ones_like(values)
        pooled = [pool(torch.where(mask, ones, other), mask) for other in (0.0, 2.0)]
    if not all(torch.allclose(each, torch.ones_like(each), rtol=1e-3) for each in pooled):
        raise ValueError(
            f"Term {term!r}: its pooling sees positions that do not count; expected 1 where those "
            "that count have 1, whatever others have. Begin with torch.where(mask, values, ...)."
        )


def sites_of(term: str, shares: Mapping[At, float], latents: object) -> list[Tensor]:
    """The latents of each site of a term, in its order."""
    if not isinstance(latents, Mapping):
        raise TypeError(
            f"Term {term!r} was given latents of type {type(latents).__name__}; expected a "
            f"mapping, as record(...) gives it. Write {{{next(iter(shares))!r}: z}}."
        )
    return [_latents(term, at, cast("Mapping[At, object]", latents)) for at in shares]


def _latents(term: str, at: At, latents: Mapping[At, object]) -> Tensor:
    if at not in latents:
        raise KeyError(
            f"Term {term!r} acts at {at!r}; recorded are {listed(latents)}. Record objective.sites."
        )
    z = latents[at]
    if not isinstance(z, Tensor):
        raise TypeError(
            f"Term {term!r} acts at {at!r}, whose latents are of type {type(z).__name__}; expected "
            "a tensor. Where a layer returns several, Site(name, item=...) says which."
        )
    return z
