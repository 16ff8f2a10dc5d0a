"""One track as it is played: the plan, moves that triggers started, and what connects them."""

import math
from bisect import bisect_right
from dataclasses import dataclass, replace

from latent_anchors.curriculum._keyframe import Keyframe
from latent_anchors.curriculum._track import Track
from latent_anchors.transitions import MovingValue, max_slope, step_end

# backward differences over six points: exact for polynomials of the fifth degree
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
        key = _key_before(self.track, step - self.shift + 1)
        return key is not None and key != self.track.keyframes[-1] and key.leave is step_end

    def motion(self, step: int) -> tuple[float, float]:
        """Velocity and acceleration just before a step; in log space, of the logarithm."""
        at = step - self.shift
        key = _key_before(self.track, at)
        if key is None or key.leave is step_end or at > self.track.keyframes[-1].step:
            return 0.0, 0.0
        width = min(1.0, (at - key.step) / 5)
        past = [_position(self.track(at - i * width), self.track.space) for i in range(6)]
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


def _position(value: float, space: str) -> float:
    """A value, or in log space its logarithm."""
    return math.log(value) if space == "log" else value


def _key_before(track: Track, at: int) -> Keyframe | None:
    """The last key before a step of the plan."""
    return next((key for key in reversed(track.keyframes) if key.step < at), None)


def _move(
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
            "position": _position(value, track.space),
            "velocity": velocity,
            "acceleration": acceleration,
            "target": float(goal),
            "duration": float(over),
            "space": track.space,
        }
    )
    return Moved(moving)


def _range(track: Track, *values: float) -> tuple[float, float]:
    everything = [*(key.value for key in track.keyframes), *values]
    return min(everything), max(everything)


@dataclass(frozen=True)
class PhaseEnd:
    """The end of the current phase, and how it moves.

    ``at`` is its step in the plan. The other three are delays relative to the plan: ``before`` of
    the current phase, ``after`` of what follows until now, ``moved`` of what follows from now on.
    """

    at: int
    before: int
    after: int
    moved: int

    def step(self, key: Keyframe) -> int:
        """The step at which a key was to be played until now."""
        return key.step + (self.before if key.step < self.at else self.after)


@dataclass(frozen=True, eq=False)
class PlayedTrack:
    """Curves, each from its first step on; past steps keep theirs.

    What is played later only adds to the lists, which it shares, so that a change costs the same
    however many there were; of the lists, the first ``count`` are this track's.
    """

    track: Track
    firsts: list[int]
    curves: list[Curve]
    count: int = 1

    @classmethod
    def planned(cls, track: Track) -> "PlayedTrack":
        """As planned, from the first step on."""
        return cls(track, [0], [Planned(track)])

    def at(self, step: int) -> Curve:
        """The curve at a step."""
        return self.curves[bisect_right(self.firsts, step, hi=self.count) - 1]

    def __call__(self, step: int) -> float:
        """The value at a step."""
        return self.at(step)(step)

    def then(self, first: int, curve: Curve) -> "PlayedTrack":
        """With another curve from a step on."""
        kept = bisect_right(self.firsts, first - 1, hi=self.count)
        firsts, curves = self.firsts, self.curves
        if kept < len(firsts):  # the rest is that of another track, or of this one until now
            firsts, curves = firsts[:kept], curves[:kept]
        firsts.append(first)
        curves.append(curve)
        return PlayedTrack(self.track, firsts, curves, kept + 1)


def retargeted(
    played: PlayedTrack, step: int, goal: float | int, over: int, overshoot: str
) -> PlayedTrack:
    """To another value from the next step on."""
    curve = _move(played.track, played.at(step), step, goal, over, overshoot)
    return played.then(step + 1, curve)


def ended(played: PlayedTrack, step: int, end: PhaseEnd) -> PlayedTrack:
    """To the rest of the plan, which begins at the next step."""
    rest, now = Planned(played.track, end.moved), played.at(step)
    if now.jumps_next(step):
        return played.then(step + 1, rest)
    goal, arrival = _return(played.track, end)
    if arrival <= step:
        # The key is past. A move to it that an earlier trigger started still arrives.
        arrival = round(now.moving.arrival) if isinstance(now, Moved) else step
        return played.then(max(arrival, step) + 1, rest)
    curve = _move(played.track, now, step, goal, arrival - step, "clamp")
    return played.then(step + 1, curve).then(arrival + 1, rest)


def _return(track: Track, end: PhaseEnd) -> tuple[float, int]:
    """The value and the step at which a track is back on the plan."""
    passed = [key for key in track.keyframes if key.step <= end.at]
    later = [key for key in track.keyframes if key.step > end.at]
    if later and not (passed and passed[-1].leave is step_end):
        return later[0].value, later[0].step + end.moved
    held = passed[-1]
    left = end.step(held)
    return held.value, min([left, *(key.step + end.moved - 1 for key in later[:1])])


def extended(played: PlayedTrack, step: int, end: PhaseEnd) -> PlayedTrack:
    """With more time for the segment across the end of the phase."""
    track, rest = played.track, Planned(played.track, end.moved)
    start = _key_before(track, end.at)
    target = next((key for key in track.keyframes if key.step >= end.at), None)
    if target is None:
        return played
    if start is None:
        return played.then(step + 1, rest)
    old, new = end.step(target), target.step + end.moved
    if start.leave is step_end:
        return played.then(old, Held(start.value, jumping=True)).then(new, rest)
    depart = end.step(start)
    if depart > step and not max_slope(start.leave):
        keys = [replace(start, step=depart), replace(target, step=new)]
        return played.then(depart + 1, Planned(Track(keys, track.space))).then(new + 1, rest)
    depart = max(depart, step)
    curve = _move(track, played.at(depart), depart, target.value, new - depart, "clamp")
    return played.then(depart + 1, curve).then(new + 1, rest)
