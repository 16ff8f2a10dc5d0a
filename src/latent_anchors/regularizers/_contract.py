"""The contract of penalties: what each must satisfy, and a check of a user's function."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from latent_anchors._checks import check_count, listed
from latent_anchors.regularizers._terms import Penalty

_Function = Callable[[Tensor], Tensor]

ROUNDING = 1e-3
"""Far above float32's rounding, even amplified by an exponent of 100; far below bfloat16's."""


class Promise(NamedTuple):
    """What is promised, and the complaint about a function in so many dimensions, or ``""``."""

    says: str
    complaint: Callable[[_Function, int], str]


def draw(*shape: int) -> Tensor:
    """Latents that are the same each time, whatever the global generator does."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def _shape(penalty: _Function, dim: int) -> str:
    for leading in [(5,), (2, 5), (2, 3, 5)]:
        shape = tuple(penalty(draw(*leading, dim)).shape)
        if shape != leading:
            return (
                f"latents of shape {(*leading, dim)} gave {shape}, expected {leading}. "
                "Reduce the last axis and no other, as with .sum(-1)."
            )
    return ""


def _sign(penalty: _Function, dim: int) -> str:
    places = [torch.eye(dim), -torch.eye(dim), torch.zeros(1, dim)]
    spread = [draw(64, dim) * scale for scale in (0.01, 1.0, 10.0)]
    least = float(penalty(torch.cat([*places, *spread])).min())
    if least >= -1e-6:
        return ""
    return f"the least value was {least:.3g}. Square it, or end with .clamp_min(0)."


def _finite(penalty: _Function, dim: int) -> str:
    places = {
        "at the origin": torch.zeros(3, dim),
        "next to the origin": torch.full((3, dim), 1e-20),
        "on an axis": torch.cat([torch.eye(dim), -torch.eye(dim)]),
        "on coincident latents": draw(1, dim).repeat(3, 1),
        "in a batch of one": draw(1, dim),
    }
    found = {place: _with_gradient(penalty, z) for place, z in places.items()}
    values = [place for place, (value, _) in found.items() if not value.isfinite().all()]
    slopes = [place for place, (_, slope) in found.items() if not slope.isfinite().all()]
    if not values and not slopes:
        return ""
    return (
        f"values fail: {listed(values)}; gradients fail: {listed(slopes)}. "
        "Mind square roots, quotients and logarithms of 0: put a number that is not 0 in its place "
        "with torch.where before the operation; afterwards the gradient is lost already."
    )


def _gradient(penalty: _Function, dim: int) -> str:
    z = draw(5, dim).requires_grad_()
    with torch.enable_grad():
        values = penalty(z)
    if values.requires_grad:
        return ""
    return "it stops on its way. Leave out .detach(), .item(), torch.no_grad() and numpy."


def _half(penalty: _Function, dim: int) -> str:
    for dtype in (torch.bfloat16, torch.float16):
        z = draw(5, dim).to(dtype)
        values = penalty(z.clone())
        if values.dtype not in (torch.float32, torch.float64):
            return f"{dtype} gave {values.dtype}. Begin with z.float() where z is half precision."
        if not _same(values, penalty(z.float())):
            return f"{dtype} lost digits on its way. Make it z.float() before any arithmetic."
    return ""


def _autocast(penalty: _Function, dim: int) -> str:
    z = draw(5, dim)
    plain = _with_gradient(penalty, z)
    under = _with_gradient(_cast(penalty), z)
    same = all(_same(a, b) and a.dtype == b.dtype for a, b in zip(under, plain, strict=True))
    if same:
        return ""
    return (
        f"values of type {under[0].dtype}, or values or gradients off by more than {ROUNDING:g}. "
        "Multiply matrices within torch.autocast(z.device.type, enabled=False)."
    )


def _cast(penalty: _Function) -> _Function:
    # forward alone: the backward pass belongs outside of autocast
    def under_autocast(z: Tensor) -> Tensor:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return penalty(z)

    return under_autocast


def _double(penalty: _Function, dim: int) -> str:
    dtype = penalty(draw(5, dim).double()).dtype
    if dtype == torch.float64:
        return ""
    return f"it gave {dtype}. Call z.float() on half precision only."


def _unchanged(penalty: _Function, dim: int) -> str:
    z = draw(5, dim)
    penalty(z)
    if torch.equal(z, draw(5, dim)):
        return ""
    return "they were written to. Replace methods that end in _ and assignments into z."


def _mapped(penalty: _Function, dim: int) -> str:
    z = draw(3, 5, dim)
    one_by_one = torch.stack([penalty(part) for part in z.clone()])
    try:
        mapped = torch.func.vmap(penalty)(z)
    except Exception as error:
        return (
            f"torch.func.vmap stopped with {_first_line(error)} Replace if, while, .item() and "
            "z[mask] by torch.where."
        )
    return "" if _same(mapped, one_by_one) else "vmapped, it gave other values than in a loop."


def _spoiled(z: Tensor, mask: Tensor) -> list[Tensor]:
    """The latents with something else wherever the mask does not count."""
    return [z.masked_fill(~mask.unsqueeze(-1), other) for other in (torch.nan, torch.inf, 0.0)]


def _excluded(set_penalty: Callable[..., Tensor], dim: int) -> str:
    # in double precision: along one dimension slopes are all rounding
    z, mask = draw(3, 5, dim).double(), torch.arange(15).reshape(3, 5) % 4 != 1
    mask[1], mask[2, 1:] = False, False
    try:
        set_penalty(z, mask=mask)
    except TypeError as error:
        return f"{_first_line(error)} Take mask=None, which says for each member whether it counts."
    masked = _masked(set_penalty, mask)
    for spoiled in [z, *_spoiled(z, mask)]:
        values, slopes = _with_gradient(masked, spoiled)
        if values[~mask].any() or slopes[~mask].any():
            return "members that do not count gave another value or gradient than 0."
        for line, members in enumerate(mask):
            alone = _with_gradient(set_penalty, z[line, members])
            if not (
                _same(values[line, members], alone[0]) and _same(slopes[line, members], alone[1])
            ):
                return (
                    "those that count gave other values or gradients than without the rest. Begin "
                    "with z.masked_fill(~mask.unsqueeze(-1), 1.0), weigh pairs by the mask, and "
                    "divide by the number of others that count."
                )
    return ""


def _masked(set_penalty: Callable[..., Tensor], mask: Tensor) -> _Function:
    def masked(z: Tensor) -> Tensor:
        return set_penalty(z, mask=mask)

    return masked


def _samples_apart(penalty: _Function, dim: int) -> str:
    if _parts_alone(penalty, draw(2, 3, dim)):
        return _nan_apart(penalty, dim)
    return (
        "a sample alone gave another value than among others. Reduce no leading axis; where "
        "samples are to be compared, it is a set penalty: check(..., set_penalty=True)."
    )


def _nan_apart(penalty: _Function, dim: int) -> str:
    z, sound = draw(3, 5, dim), torch.arange(15).reshape(3, 5) % 4 != 1
    plain = _with_gradient(penalty, z, sound)
    for spoiled in _spoiled(z, sound):
        found = _with_gradient(penalty, spoiled, sound)
        if not all(_same(a[sound], b[sound]) for a, b in zip(found, plain, strict=True)):
            return (
                "one that was NaN or infinite changed the values or gradients of others. "
                "Sum over no samples, not even times 0."
            )
    return ""


def _sets_apart(set_penalty: _Function, dim: int) -> str:
    if _parts_alone(set_penalty, draw(2, 3, 5, dim)):
        return ""
    return (
        "a set alone gave other values than among others. Compare along the last leading axis only."
    )


def _shuffled(set_penalty: _Function, dim: int) -> str:
    z, order = draw(5, dim), torch.tensor([3, 0, 4, 2, 1])
    if _same(set_penalty(z[order]), set_penalty(z.clone())[..., order]):
        return ""
    return "the values depend on the order of the members. Treat all members alike."


def _scale(set_penalty: _Function, dim: int) -> str:
    few, many = (float(set_penalty(draw(8, dim).repeat(n, 1)).mean()) for n in (8, 16))
    if max(few, many) <= 1.5 * min(few, many) + 1e-6:
        return ""
    return (
        f"64 members in 8 places score {few:.3g}, 128 in the same places {many:.3g}. Take the mean "
        "over the other members: divide their sum by n - 1."
    )


def _alone(set_penalty: _Function, dim: int) -> str:
    value = float(set_penalty(draw(1, dim)).abs().max())
    return (
        "" if value <= 1e-6 else f"it gave {value:.3g}. Leave out each member's pair with itself."
    )


def _with_gradient(
    penalty: _Function, z: Tensor, some: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Values, and the gradient of their sum, or of the sum of some."""
    with torch.enable_grad():
        leaf = z.clone().requires_grad_()
        values = penalty(leaf.clone())
        if not values.requires_grad:
            return values, torch.zeros_like(z)
        summed = values.sum() if some is None else values[some].sum()
        slopes = torch.autograd.grad(summed, leaf, materialize_grads=True)
    return values.detach(), slopes[0]


def _parts_alone(function: _Function, z: Tensor) -> bool:
    """Whether each part along the first two axes gives by itself what it gives among others."""
    among = function(z.clone())
    alone = torch.stack([function(part) for part in z.flatten(0, 1)])
    return _same(alone.reshape(*z.shape[:2], *alone.shape[1:]), among)


def _same(a: Tensor, b: Tensor) -> bool:
    a, b = a.double(), b.double()
    return a.shape == b.shape and torch.allclose(a, b, rtol=ROUNDING, atol=1e-6, equal_nan=True)


def _first_line(error: Exception) -> str:
    first = f"{type(error).__name__}: {error}".strip().splitlines()[0]
    return first.partition(". ")[0].rstrip(":.") + "."


def complaints(promises: tuple[Promise, ...], function: _Function, dim: int) -> list[str]:
    """Each broken promise with what broke it; an error on the way breaks the promise too."""
    found: list[str] = []
    for says, complaint in promises:
        try:
            said = complaint(function, dim)
        except Exception as error:
            said = f"it stopped with {_first_line(error)}"
        if said:
            found.append(f"- {says}: {said}")
    return found


_OF_BOTH = (
    Promise("one number per sample, whatever the leading axes", _shape),
    Promise("never below 0", _sign),
    Promise("finite everywhere, and so is the gradient", _finite),
    Promise("a gradient reaches the latents", _gradient),
    Promise("half precision is made full", _half),
    Promise("autocast costs no digits", _autocast),
    Promise("float64 stays float64", _double),
    Promise("the latents are left as they were", _unchanged),
    Promise("no control flow depends on values", _mapped),
)
OF_PENALTIES = (*_OF_BOTH, Promise("samples never interact", _samples_apart))
OF_SET_PENALTIES = (
    *_OF_BOTH,
    Promise("sets never interact", _sets_apart),
    Promise("shuffling the set shuffles the values", _shuffled),
    Promise("the size of the set does not change the scale", _scale),
    Promise("one member alone gives 0", _alone),
    Promise("what a mask excludes has no influence", _excluded),
)


def check(penalty: Penalty, dim: int, set_penalty: bool = False) -> None:
    """Refuse a penalty that breaks a promise of its family, and say which and what to do.

    A penalty maps ``(..., dim)`` to ``(...)``, a set penalty ``(..., n, dim)`` to ``(..., n)`` and
    takes ``mask=None``, which says for each member ``(..., n)`` whether it counts. Both are
    non-negative; finite with finite gradients, at the origin, on coincident latents and in a
    batch of one too; in full precision, even under autocast; free of side effects and of control
    flow that depends on values. Samples never interact, and one that is NaN harms no other; in a
    set penalty the members of one set do: shuffling them shuffles the values, their number does not
    change the scale, one alone gives 0, and those that do not count have no influence, NaN
    included.

    The function is tried on the CPU. An error that it raises on ordinary latents passes through.

    Args:
        penalty: Any function or module.
        dim: Dimensions of the latents that it is tried on.
        set_penalty: Whether it compares the members of a set.

    Raises:
        ValueError: If promises are broken; all are listed.
        TypeError: If the number of dimensions is not a whole number.

    Examples:
        >>> from latent_anchors.regularizers import Anchor, separation
        >>> check(Anchor([1, 0, 0]), dim=3)
        >>> check(separation, dim=3, set_penalty=True)
        >>> def squared_length(z):
        ...     return z.float().square().sum(-1)
        >>> try:
        ...     check(squared_length, dim=3)
        ... except ValueError as error:
        ...     print(error)
        squared_length breaks promises of a penalty:
        - float64 stays float64: it gave torch.float32. Call z.float() on half precision only.
    """
    check_count("dim", dim)
    penalty(draw(5, dim))
    broken = complaints(OF_SET_PENALTIES if set_penalty else OF_PENALTIES, penalty, dim)
    if broken:
        name = getattr(penalty, "__name__", None) or repr(penalty)
        family = "set penalty" if set_penalty else "penalty"
        raise ValueError("\n".join([f"{name} breaks promises of a {family}:", *broken]))
