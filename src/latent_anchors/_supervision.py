"""Convert labels and masks to tensors, and check them."""

import math
from typing import Any, Literal, TypeAlias, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

Given: TypeAlias = Tensor | npt.NDArray[Any]
"""Labels and masks as users pass them."""

Look: TypeAlias = Literal["always", "freely", "never"]
"""When values are checked: wherever possible; only where that needs no synchronization with a GPU;
or never, because they were checked when they were drawn."""

_ORDINARY = (Tensor, nn.Parameter)

_transforms = cast("Any", torch._C)._functorch  # pyright: ignore[reportPrivateUsage] -- no public name


def as_tensor(what: str, given: object, device: torch.device | None = None) -> Tensor:
    """A tensor on the device of what it goes with, if any; an array of numpy's is put there."""
    if isinstance(given, np.ndarray):
        return _from_array(what, cast("Any", given)).to(device)
    if not isinstance(given, Tensor):
        given_as = "None" if given is None else f"of type {type(given).__name__}"
        raise TypeError(
            f"{what} is {given_as}; expected a tensor or an array of numpy's. "
            "Write torch.tensor(values)."
        )
    if device is not None and given.device != device:
        raise ValueError(
            f"{what} is on {given.device}, and what it goes with on {device}; expected both in "
            f"one place. Move it with .to({str(device)!r})."
        )
    return given


def _from_array(what: str, array: Any) -> Tensor:
    if array.dtype.kind not in "biuf":
        raise TypeError(
            f"{what} is an array of type {array.dtype}; expected numbers from 0 to 1, or bool."
        )
    # torch knows few unsigned and no long types; a copy, since the array may be read-only
    wanted = {"b": np.bool_, "f": np.float64 if array.itemsize > 4 else np.float32}
    return torch.from_numpy(np.array(array, wanted.get(array.dtype.kind, np.int64), order="C"))


def as_mask(
    what: str, given: object, device: torch.device | None = None, look: Look = "always"
) -> Tensor:
    """A mask as bool; whole numbers 0 and 1 are taken, as tokenizers give them."""
    mask = as_tensor(what, given, device)
    if mask.dtype == torch.bool:
        return mask
    if mask.is_floating_point() or mask.is_complex():
        raise TypeError(
            f"{what} is of type {mask.dtype}; expected torch.bool, or whole numbers 0 and 1. "
            "Write mask > 0.5."
        )
    if can_look(mask, look) and not within(mask):
        raise ValueError(
            f"{what} has whole numbers from {int(mask.min())} to {int(mask.max())}; expected "
            "torch.bool, or only 0 and 1. Write mask != 0 if every other number counts."
        )
    return mask != 0


def can_look(tensor: Tensor, look: Look) -> bool:
    """Whether values can be checked: not under torch.compile or vmap, nor on the meta device."""
    return (
        look != "never"
        and not torch.compiler.is_compiling()
        and type(tensor) in _ORDINARY
        and not _transforms.is_functorch_wrapped_tensor(tensor)
        and (tensor.is_cpu or (look == "always" and not tensor.is_meta))
    )


def within(numbers: Tensor) -> bool:
    """Whether all are from 0 to 1; NaN is not."""
    return numbers.dtype == torch.bool or torch.equal(numbers.clamp(0, 1), numbers)


def squares_finite(numbers: Tensor) -> bool:
    """Whether no number, nor its square, is NaN or infinite: it would show in the length of all."""
    kind = torch.float64 if numbers.dtype == torch.float64 else torch.float32
    length = cast("Tensor", torch.linalg.vector_norm(numbers.detach(), dtype=kind))
    return math.isfinite(float(length))


def or_nan(numbers: Tensor) -> Tensor:
    """NaN in place of values outside [0, 1], where they cannot be checked."""
    # to fill in a number does not wait for a GPU, as to choose between tensors and it would
    return numbers.masked_fill(numbers != numbers.clamp(0, 1), torch.nan)


def check_label(what: str, label: Tensor, counted: Tensor | None, look: Look) -> None:
    """Raise if a counted label is outside [0, 1]; the message guesses what the values are."""
    if label.is_complex():
        raise TypeError(f"{what} is of type {label.dtype}; expected real numbers from 0 to 1.")
    if not can_look(label, look) or within(label):
        return
    numbers = label if counted is None else label[counted]
    if not within(numbers):
        raise ValueError(f"{what} {_found(numbers)}; {_expected(numbers)}")


def _found(numbers: Tensor) -> str:
    """What was given in place of numbers from 0 to 1."""
    missing = int(numbers.isnan().sum())
    if missing:
        return f"is NaN at {missing} of {numbers.numel()} places that count"
    return f"runs from {float(numbers.min()):g} to {float(numbers.max()):g}"


def _expected(numbers: Tensor) -> str:
    """What to do about it, by what the numbers look like."""
    if bool(numbers.isnan().any()):
        return (
            "expected a number from 0 to 1 there. Put 0 where nobody said, or leave the places out "
            "with Term(mask=...)."
        )
    least = float(numbers.min())
    if least in (-100.0, -1.0):
        return (
            f"expected numbers from 0 to 1. If {least:g} stands for padding or unknown, "
            f"Term(ignore_index={least:g}) leaves it out."
        )
    if bool((numbers == numbers.round()).all()):
        return (
            "expected numbers from 0 to 1, and of whole numbers only 0 and 1. If they are classes, "
            "write labels == k for the class k that is the concept."
        )
    return "expected numbers from 0 to 1. Scale them, for instance by their greatest."
