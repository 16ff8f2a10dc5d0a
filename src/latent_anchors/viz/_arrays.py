"""What figures are drawn from: finite numbers of a known shape, on the CPU, as numpy has them."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

Array = NDArray[np.float64]

ROUNDING = 1e-5
"""How far out of gamut a color conversion's rounding may lead."""


def as_array(name: str, values: ArrayLike, *axes: int | str) -> Array:
    """A copy; an axis given as a number must be that long, one given as a word is free."""
    plain = values.detach().cpu().double().numpy() if isinstance(values, Tensor) else values
    array = np.array(plain, dtype=np.float64)
    fits = array.ndim == len(axes) and all(
        isinstance(axis, str) or axis == length
        for axis, length in zip(axes, array.shape, strict=True)
    )
    if not fits or not array.size:
        expected = ", ".join(str(axis) for axis in axes)
        raise ValueError(
            f"{name} has shape {array.shape}; expected ({expected}), not empty. Of several runs "
            "choose one, or reshape."
        )
    if not np.isfinite(array).all():
        raise ValueError(
            f"{name} holds NaN or infinity; expected finite numbers. Leave out runs that failed."
        )
    return array


def as_colors(name: str, values: ArrayLike, *axes: int | str) -> Array:
    """RGB colors, channels last, whose numbers can be shown as they are."""
    colors = as_array(name, values, *axes, 3)
    low, high = colors.min(), colors.max()
    if low < -ROUNDING or high > 1 + ROUNDING:
        raise ValueError(
            f"{name} reaches from {low:.3g} to {high:.3g}; expected colors from 0 to 1. Put the "
            "model in evaluation mode, or clamp."
        )
    return colors.clip(0, 1)


def as_runs(name: str, values: ArrayLike, n: int) -> Array:
    """ArrayLike ``(runs, n)``; those of a single run may come as ``(n,)``."""
    axes = ("runs", n) if np.ndim(values) == 2 else (n,)
    return as_array(name, values, *axes).reshape(-1, n)
