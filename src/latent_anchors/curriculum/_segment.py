"""What a track does between two neighboring keyframes, at one step and at many.

Rounding never takes a value past its key; only a transition that overshoots does.
"""

import math
from collections.abc import Callable
from math import exp

import numpy as np
from numpy.typing import NDArray

from latent_anchors._checks import check_finite
from latent_anchors.curriculum._keyframe import Keyframe
from latent_anchors.curriculum._slopes import Slopes
from latent_anchors.transitions import Transition, hermite, minimum_jerk, tabulate

Segment = Callable[[float | int], float]


def held(key: Keyframe) -> Segment:
    """The keyed value at any step."""
    value = float(key.value)
    return lambda _: value


def between(start: Keyframe, end: Keyframe, space: str, slopes: Slopes) -> Segment:
    """The way from one key to the next, in linear or log space.

    It runs at every training step, so everything but the step is worked out beforehand.
    """
    change = change_between(start, end, space)
    if start.leave is minimum_jerk:
        least_jerk = _least_jerk_in_log if space == "log" else _least_jerk
        return least_jerk(start, end, change)
    leave = hermite(start.leave, *slopes) if any(slopes) else start.leave
    return (_in_log if space == "log" else _linear)(start, end, change, leave)


def _linear(start: Keyframe, end: Keyframe, change: float, leave: Transition) -> Segment:
    first, span = start.step, end.step - start.step
    y0 = float(start.value)
    low, high = sorted((y0, float(end.value)))

    def linear(step: float | int) -> float:
        w = leave((step - first) / span)
        y = y0 + change * w
        return y if low <= y <= high else _past(y, w, low, high)

    return linear


def _in_log(start: Keyframe, end: Keyframe, change: float, leave: Transition) -> Segment:
    first, span = start.step, end.step - start.step
    y0 = float(start.value)
    low, high = sorted((y0, float(end.value)))

    def log(step: float | int) -> float:
        w = leave((step - first) / span)
        y = y0 * exp(change * w)
        return y if low <= y <= high else _past(y, w, low, high)

    return log


def _least_jerk(start: Keyframe, end: Keyframe, change: float) -> Segment:
    """:func:`minimum_jerk` written out: called, it would cost three times as much."""
    first, span = start.step, end.step - start.step
    y0 = float(start.value)
    low, high = sorted((y0, float(end.value)))

    def linear(step: float | int) -> float:
        tau = (step - first) / span
        w = tau * tau * tau * (10.0 + tau * (6.0 * tau - 15.0))
        y = y0 + change * w if w < 1.0 else y0 + change
        return y if low <= y <= high else low if y < low else high

    return linear


def _least_jerk_in_log(start: Keyframe, end: Keyframe, change: float) -> Segment:
    first, span = start.step, end.step - start.step
    y0 = float(start.value)
    low, high = sorted((y0, float(end.value)))

    def log(step: float | int) -> float:
        tau = (step - first) / span
        w = tau * tau * tau * (10.0 + tau * (6.0 * tau - 15.0))
        y = y0 * exp(change * w if w < 1.0 else change)
        return y if low <= y <= high else low if y < low else high

    return log


def table_between(
    start: Keyframe, end: Keyframe, space: str, slopes: Slopes, steps: NDArray[np.float64]
) -> NDArray[np.float64]:
    """:func:`between` on an array of steps, by the same arithmetic."""
    tau = (steps - start.step) / (end.step - start.step)
    w = hermite(start.leave, *slopes)(tau) if any(slopes) else tabulate(start.leave, tau)
    moved = change_between(start, end, space) * w
    y = start.value * np.exp(moved) if space == "log" else start.value + moved
    low, high = sorted((start.value, end.value))
    kept = np.minimum(np.maximum(y, low), high)
    return kept if np.array_equal(kept, y) else np.where((w >= 0) & (w <= 1), kept, y)


def change_between(start: Keyframe, end: Keyframe, space: str) -> float:
    """The change of the value, or in log space of its logarithm."""
    if space == "log":
        return math.log(end.value) - math.log(start.value)
    change = float(end.value - start.value)
    check_finite(f"The change from {start.value} to {end.value}", change)
    return change


def _past(y: float, w: float, low: float, high: float) -> float:
    return min(max(y, low), high) if 0 <= w <= 1 else y
