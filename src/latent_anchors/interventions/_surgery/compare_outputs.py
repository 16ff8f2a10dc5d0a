"""Compare two outputs of a model: all tensors in them, up to rounding."""

from collections.abc import Iterable, Iterator, Mapping
from typing import cast

import torch
from torch import Tensor, nn


def tensors_in(output: object) -> Iterator[Tensor]:
    """All tensors in an output of any structure: containers, dataclasses, plain objects."""
    yield from _within(output, set())


def _within(part: object, seen: set[int]) -> Iterator[Tensor]:
    if isinstance(part, Tensor):
        yield part
        return
    if id(part) in seen or isinstance(part, type | nn.Module):
        return
    seen.add(id(part))  # an object may refer back to itself
    for inner in _parts(part):
        yield from _within(inner, seen)


def _parts(whole: object) -> Iterable[object]:
    if isinstance(whole, Mapping):
        return list(cast("Mapping[object, object]", whole).values())
    if isinstance(whole, list | tuple):
        return cast("Iterable[object]", whole)
    slots = {name for made in type(whole).__mro__ for name in getattr(made, "__slots__", ())}
    names = [*getattr(whole, "__dict__", {}), *slots]
    return [getattr(whole, name, None) for name in names]


def all_close(one: list[Tensor], other: list[Tensor], digits: float = 0.5) -> bool:
    """Whether two outputs are equal up to rounding, in a fraction of their digits."""
    return len(one) == len(other) and all(
        _close(a, b, digits) for a, b in zip(one, other, strict=True)
    )


def _close(one: Tensor, other: Tensor, digits: float) -> bool:
    if one.shape != other.shape or not one.is_floating_point():
        return torch.equal(one, other)
    differ = (one != other) & ~(one.isnan() & other.isnan())
    # values that are equal in both, such as a mask of -1e9, must not set the scale
    a, b = one[differ], other[differ]
    if not bool(a.isfinite().all() and b.isfinite().all()):
        return False
    tolerance = rounding(one, digits)
    return not a.numel() or torch.allclose(
        a, b, rtol=tolerance, atol=tolerance * float(a.abs().max())
    )


def rounding(like: Tensor, digits: float = 0.5) -> float:
    """The relative tolerance that leaves a fraction of a dtype's digits to compare."""
    return torch.finfo(like.dtype).eps ** digits
