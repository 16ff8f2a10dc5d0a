"""A value at a step, and the curve between two of them."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latent_anchors._checks import check_count, check_finite
from latent_anchors.curriculum._json import as_number, check_keys
from latent_anchors.transitions import (
    Transition,
    check_transition,
    cosine,
    hermite,
    linear,
    minimum_jerk,
    name_of,
    named,
    pchip,
    quintic,
    smoothstep,
    step_end,
)


@dataclass(frozen=True, repr=False)
class Keyframe:
    """A value at a step, and the transition from it to the next keyframe.

    The last keyframe of a track has no next one; its ``leave`` is unused.

    Args:
        step: From 0.
        value: Any finite number.
        leave: The transition to the next keyframe. With
            :func:`~latent_anchors.transitions.pchip` and
            :func:`~latent_anchors.transitions.quintic` a track passes through its inner keys
            without stopping.
        rest: Whether to stop here even where the track would pass through.

    Raises:
        TypeError: If the step is not an integer, the value no number, ``leave`` not a function, or
            ``rest`` neither True nor False.
        ValueError: If the step is negative, the value not finite, or an end of ``leave`` not exact.

    Examples:
        >>> Keyframe(10, 0.1)
        Keyframe(10, 0.1, leave=minimum_jerk)
    """

    step: int
    value: float | int
    leave: Transition = minimum_jerk
    rest: bool = False

    def __post_init__(self) -> None:
        check_count("A keyframe's step", self.step, least=0)
        object.__setattr__(self, "value", as_number(f"value at step {self.step}", self.value))
        if not isinstance(self.rest, bool):  # pyright: ignore[reportUnnecessaryIsInstance] -- "false" would be true
            raise TypeError(f"rest is {self.rest!r}; expected True or False.")
        check_finite(f"The value at step {self.step}", self.value)
        check_transition(self.leave)

    def __repr__(self) -> str:
        leave = getattr(self.leave, "__name__", repr(self.leave))
        rest = ", rest=True" if self.rest else ""
        return f"Keyframe({self.step}, {self.value!r}, leave={leave}{rest})"

    def to_json(self) -> dict[str, Any]:
        """Plain values for JSON.

        Raises:
            ValueError: If ``leave`` has no name.

        Examples:
            >>> Keyframe(10, 0.1).to_json()
            {'step': 10, 'value': 0.1, 'leave': 'minimum-jerk'}
        """
        try:
            leave = name_of(self.leave)
        except ValueError as error:
            raise ValueError(f"{self!r} cannot be written: {error}") from error
        rest = {"rest": True} if self.rest else {}
        return {"step": self.step, "value": self.value, "leave": leave, **rest}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Keyframe":
        """Construct the keyframe that :meth:`to_json` wrote.

        Raises:
            TypeError: If the data is not a mapping.
            ValueError: If a key is missing or unknown, or no transition of that name is registered.

        Examples:
            >>> Keyframe.from_json({"step": 10, "value": 0.1, "leave": "linear"})
            Keyframe(10, 0.1, leave=linear)
        """
        check_keys("keyframe", data, ("step", "value", "leave"), ("rest",))
        return cls(data["step"], data["value"], named(data["leave"]), data.get("rest", False))


Segment = Callable[[float | int], float]

Range = tuple[float, float]
"""The lower and the higher of two keyed values."""

Slopes = tuple[float, float]
"""At the start and the end of a segment, as multiples of its mean slope."""

_ON_ARRAYS = (linear, smoothstep, minimum_jerk, cosine, step_end, pchip, quintic)
"""Transitions that also take arrays; a user's function takes one number."""


def constant(key: Keyframe) -> Segment:
    """The key's value at any step."""
    value = float(key.value)
    return lambda _: value


def segment(start: Keyframe, end: Keyframe, space: str, slopes: Slopes) -> Segment:
    """The function from step to value between two keys, in linear or log space.

    It runs at every training step, so everything but the step is computed here.
    """
    y0, y1 = float(start.value), float(end.value)
    change = change_between(y0, y1, space)
    leave = hermite(start.leave, *slopes) if any(slopes) else start.leave
    when = start.step, end.step - start.step, leave
    if space == "linear":
        return _linear(y0, change, _range(y0, y1), *when)
    logarithm = _linear(0.0, change, _range(0.0, change), *when)
    return _exponential(y0, _range(y0, y1), logarithm, _range(0.0, change))


def _linear(
    y0: float, change: float, keyed: Range, first: int, span: int, leave: Transition
) -> Segment:
    low, high = keyed

    def least_jerk(step: float | int) -> float:
        tau = (step - first) / span
        # minimum_jerk written out: with calls, a row of a timeline takes 1.5 times as long
        w = tau * tau * tau * (10.0 + tau * (6.0 * tau - 15.0))
        y = y0 + change * w if w < 1.0 else y0 + change
        return y if low <= y <= high else low if y < low else high

    def eased(step: float | int) -> float:
        w = leave((step - first) / span)
        y = y0 + change * w
        return y if low <= y <= high or not 0 <= w <= 1 else low if y < low else high

    return least_jerk if leave is minimum_jerk else eased


def _exponential(y0: float, keyed: Range, logarithm: Segment, changes: Range) -> Segment:
    """Log space: the value from its logarithm, which starts at 0."""
    low, high = keyed
    least, most = changes

    def value(step: float | int) -> float:
        x = logarithm(step)
        y = y0 * math.exp(x)
        return y if low <= y <= high or not least <= x <= most else low if y < low else high

    return value


def _range(first: float, second: float) -> Range:
    return (first, second) if first <= second else (second, first)


def segment_table(
    start: Keyframe, end: Keyframe, space: str, slopes: Slopes, steps: NDArray[np.float64]
) -> NDArray[np.float64]:
    """:func:`segment` on an array of steps, by the same arithmetic."""
    w = _eased(start, slopes, (steps - start.step) / (end.step - start.step))
    moved = change_between(start.value, end.value, space) * w
    y = start.value * np.exp(moved) if space == "log" else start.value + moved
    low, high = _range(start.value, end.value)
    kept = np.minimum(np.maximum(y, low), high)
    return kept if np.array_equal(kept, y) else np.where((w >= 0) & (w <= 1), kept, y)


def change_between(start: float, end: float, space: str) -> float:
    """The change of the value, or in log space of its logarithm."""
    if space == "log":
        return math.log(end) - math.log(start)
    change = end - start
    check_finite(f"The change from {start} to {end}", change)
    return change


def _eased(start: Keyframe, slopes: Slopes, tau: NDArray[np.float64]) -> NDArray[np.float64]:
    if any(slopes):
        return hermite(start.leave, *slopes)(tau)
    for easing in _ON_ARRAYS:
        if start.leave is easing:
            return easing(tau)
    return np.array([float(start.leave(each)) for each in tau.tolist()], dtype=np.float64)
