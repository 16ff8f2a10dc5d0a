"""The functions that a track can follow while it is played, and moves between them."""

import math
from dataclasses import dataclass

from latent_anchors.curriculum._keyframe import Keyframe
from latent_anchors.curriculum._track import Track
from latent_anchors.transitions import MovingValue, step_end

# Backward differences over six points: exact for polynomials of the fifth degree.
_FIRST = (137 / 60, -5.0, 5.0, -10 / 3, 5 / 4, -1 / 5)
_SECOND = (15 / 4, -77 / 6, 107 / 6, -13.0, 61 / 12, -5 / 6)


@dataclass(frozen=True)
class Planned:
    """The planned track, ``shift`` steps later than planned."""

    track: Track
    shift: int = 0

    def __call__(self, step: int) -> float:
        """The value at a step."""
        return self.track(max(step - self.shift, 0))

    def jumps_next(self, step: int) -> bool:
        """Whether it holds its value at this step until it jumps at the next key."""
        key = key_before(self.track, step - self.shift + 1)
        return key is not None and key != self.track.keyframes[-1] and key.leave is step_end

    def motion(self, step: int) -> tuple[float, float]:
        """Velocity and acceleration just before a step; in log space, of the logarithm."""
        at = step - self.shift
        key = key_before(self.track, at)
        if key is None or key.leave is step_end or at > self.track.keyframes[-1].step:
            return 0.0, 0.0
        width = min(1.0, (at - key.step) / 5)
        past = [position(self.track(at - i * width), self.track.space) for i in range(6)]
        if len(set(past)) == 1:
            return 0.0, 0.0
        first = sum(share * y for share, y in zip(_FIRST, past, strict=True))
        second = sum(share * y for share, y in zip(_SECOND, past, strict=True))
        return first / width, second / width**2


@dataclass(frozen=True)
class Held:
    """A constant value; ``jumping`` if it waits for a key at which it jumps."""

    value: float
    jumping: bool = False

    def __call__(self, step: int) -> float:  # noqa: ARG002 -- the shape of the family
        """The value at any step."""
        return self.value

    def jumps_next(self, step: int) -> bool:  # noqa: ARG002 -- the shape of the family
        """Whether it holds its value until it jumps at the next key."""
        return self.jumping

    def motion(self, step: int) -> tuple[float, float]:  # noqa: ARG002 -- the shape of the family
        """Velocity and acceleration: none."""
        return 0.0, 0.0


@dataclass(frozen=True, eq=False)
class Moved:
    """A move that a trigger started."""

    moving: MovingValue

    def __call__(self, step: int) -> float:
        """The value at a step."""
        return self.moving(step)

    def jumps_next(self, step: int) -> bool:  # noqa: ARG002 -- the shape of the family
        """Whether it holds its value until it jumps at the next key: no."""
        return False

    def motion(self, step: int) -> tuple[float, float]:
        """Velocity and acceleration at a step; in log space, of the logarithm."""
        return self.moving.velocity(step), self.moving.acceleration(step)


Curve = Planned | Held | Moved


def position(value: float, space: str) -> float:
    """A value, or in log space its logarithm."""
    return math.log(value) if space == "log" else value


def key_before(track: Track, at: int) -> Keyframe | None:
    """The last key before a step of the plan."""
    return next((key for key in reversed(track.keyframes) if key.step < at), None)


def move(
    track: Track, curve: Curve, step: int, goal: float | int, over: int, overshoot: str
) -> Curve:
    """The curve from another curve's value and motion at a step to a goal."""
    value = curve(step)
    low, high = _range(track, value, goal)
    if (value == goal and curve.motion(step) == (0.0, 0.0)) or low == high:
        return Held(float(goal))
    if overshoot == "allow":
        low, high = -math.inf, math.inf
    moving = MovingValue(value, space=track.space, bounds=(low, high), overshoot=overshoot)
    velocity, acceleration = curve.motion(step)
    moving.load_state_dict(
        {
            "start": float(step),
            "position": position(value, track.space),
            "velocity": velocity,
            "acceleration": acceleration,
            "target": float(goal),
            "duration": float(over),
        }
    )
    return Moved(moving)


def _range(track: Track, *values: float) -> tuple[float, float]:
    everything = [*(key.value for key in track.keyframes), *values]
    return min(everything), max(everything)
