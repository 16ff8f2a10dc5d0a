"""What figures are drawn from: finite numbers of a known shape, and words for them."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from latent_anchors.colorspace import COLOR_NAMES, HUES, named_colors

Array = NDArray[np.float64]
Values = ArrayLike | Sequence[float | None]

ROUNDING = 1e-5
"""How far out of gamut a color conversion's rounding may lead."""

SINGLE = 1e-6
"""The rounding of single precision, as a share."""


def as_doubles(name: str, values: Values) -> Array:
    """A copy of real numbers; NaN where an array masks them, and for None."""
    given: Any = values
    if isinstance(values, Tensor):
        kept = values.detach().cpu()
        given = kept.numpy() if kept.is_complex() else kept.double().numpy()
    if np.iscomplexobj(given):
        raise ValueError(f"{name} holds complex numbers; expected real ones. Take .real or .abs().")
    array = np.array(given, dtype=np.float64)
    return np.where(np.ma.getmaskarray(given), np.nan, array)


def as_steps(values: ArrayLike, *axes: int | str) -> Array:
    """Whole numbers, each greater than the one before."""
    steps = as_array("steps", values, *axes)
    if (np.diff(steps) <= 0).any():
        raise ValueError("steps do not increase; expected each to be later than the one before.")
    broken = steps[steps != steps.round()]
    if len(broken):
        raise ValueError(
            f"steps hold {broken[0]:g}; expected whole numbers. Of epochs, give the steps at which "
            "they end."
        )
    return steps


def as_array(name: str, values: ArrayLike, *axes: int | str) -> Array:
    """A copy; an axis given as a number must be that long, one given as a word is free."""
    array = as_doubles(name, values)
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


def as_array_with_gaps(name: str, values: Values, *axes: int | str) -> Array:
    """The same, with NaN where there is none: None or NaN."""
    given = as_doubles(name, values)
    missing = np.isnan(given)
    there = as_array(name, np.where(missing, 0.0, given), *axes)
    return np.where(missing, np.nan, there)


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


def counted(n: int, thing: str) -> str:
    """``1 run``, ``3 runs``."""
    return f"{n:,} {thing}{'' if n == 1 else 's'}"


def least_to_most(counts: Iterable[int]) -> str:
    """``3``, or ``2 to 60`` where they differ."""
    low, *others = sorted({*counts})
    return f"{low} to {others[-1]}" if others else f"{low}"


def spread_of_runs(runs: Iterable[Array]) -> str:
    """What lines and bands of runs ``(runs, n)`` are, on a line of its own; of single runs none."""
    counts = [len(given) for given in runs]
    return f"\nmedian and range of {least_to_most(counts)} runs" if max(counts) > 1 else ""


def alone(y: Array) -> Array:
    """Values that have no neighbor along the first axis, which a line would not show; NaN else."""
    there = np.isfinite(y)
    gap = np.zeros((1, *y.shape[1:]), dtype=bool)
    beside = np.concatenate([there[1:], gap]) | np.concatenate([gap, there[:-1]])
    return np.where(there & ~beside, y, np.nan)


def joined(parts: Sequence[str]) -> str:
    """``a, b and c``."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def color_name(color: Array) -> str:
    """The named color that is nearest to one ``(3,)``."""
    named = named_colors(*COLOR_NAMES).numpy()
    return COLOR_NAMES[int(np.square(named - color).sum(-1).argmin())].replace("_", " ")


def hue_name(hue: float) -> str:
    """The named hue that is nearest to one in turns."""
    return [*HUES][round(hue * len(HUES)) % len(HUES)]


def edges(z: Array, colors: Array, view: tuple[int, ...]) -> str:
    """Which colors' latents lie outermost, as they are seen from one side."""
    right, up = z[:, view[:2]].T
    outermost = {"top": up.argmax(), "right": right.argmax()}
    outermost |= {"bottom": up.argmin(), "left": right.argmin()}
    return joined([f"{color_name(colors[k])} at the {where}" for where, k in outermost.items()])
