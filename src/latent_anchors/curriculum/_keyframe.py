"""A value at a step."""

from dataclasses import dataclass
from typing import Any

from latent_anchors._checks import check_count, check_finite
from latent_anchors.curriculum._json import check_keys
from latent_anchors.transitions import Transition, check_transition, minimum_jerk, name_of, named


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
        TypeError: If the step is not an integer, or ``leave`` not a function.
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
        object.__setattr__(self, "value", float(self.value))
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
