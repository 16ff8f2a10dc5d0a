"""A value pinned to a step."""

from dataclasses import dataclass
from typing import Any

from latent_anchors._checks import check_count, check_finite
from latent_anchors.curriculum._told import check_told
from latent_anchors.transitions import Transition, check_transition, minimum_jerk, name_of, named


@dataclass(frozen=True, repr=False)
class Keyframe:
    """A value pinned to a step, and the way to leave it for the next one.

    The last keyframe of a track leaves for nowhere; its ``leave`` waits for a next one.

    Args:
        step: from 0.
        value: any finite number.
        leave: how to travel on; :func:`~latent_anchors.transitions.pchip` and
            :func:`~latent_anchors.transitions.quintic` pass through the keys between them.
        rest: whether to rest here even where the track would pass through.

    Raises:
        TypeError: if the step is no whole number, or ``leave`` no function.
        ValueError: if the step is negative, the value not finite, or an end of ``leave`` not exact.

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
            ValueError: if ``leave`` has no name to be written under.

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
        """The keyframe that :meth:`to_json` wrote.

        Raises:
            TypeError: if the data are no names with values.
            ValueError: if a part is missing or unknown, or no transition of that name is
                registered.

        Examples:
            >>> Keyframe.from_json({"step": 10, "value": 0.1, "leave": "linear"})
            Keyframe(10, 0.1, leave=linear)
        """
        check_told("keyframe", data, ("step", "value", "leave"), ("rest",))
        return cls(data["step"], data["value"], named(data["leave"]), data.get("rest", False))
