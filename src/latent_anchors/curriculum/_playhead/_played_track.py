"""One track as it is played: the curves that triggers made, and the rest of the plan."""

from bisect import bisect_right
from dataclasses import dataclass, replace

from latent_anchors.curriculum._keyframe import Keyframe
from latent_anchors.curriculum._playhead._curves import (
    Curve,
    Held,
    Moved,
    Planned,
    key_before,
    move,
)
from latent_anchors.curriculum._track import Track
from latent_anchors.transitions import max_slope, step_end


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


@dataclass(frozen=True)
class PlayedTrack:
    """Curves, each from its first step on; past steps keep theirs."""

    track: Track
    firsts: tuple[int, ...]
    curves: tuple[Curve, ...]

    @classmethod
    def planned(cls, track: Track) -> "PlayedTrack":
        """As planned, from the first step on."""
        return cls(track, (0,), (Planned(track),))

    def at(self, step: int) -> Curve:
        """The curve at a step."""
        return self.curves[bisect_right(self.firsts, step) - 1]

    def __call__(self, step: int) -> float:
        """The value at a step."""
        return self.at(step)(step)

    def then(self, first: int, curve: Curve) -> "PlayedTrack":
        """With another curve from a step on."""
        kept = bisect_right(self.firsts, first - 1)
        return PlayedTrack(self.track, (*self.firsts[:kept], first), (*self.curves[:kept], curve))


def retargeted(
    played: PlayedTrack, step: int, goal: float | int, over: int, overshoot: str
) -> PlayedTrack:
    """To another value from the next step on."""
    curve = move(played.track, played.at(step), step, goal, over, overshoot)
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
    curve = move(played.track, now, step, goal, arrival - step, "clamp")
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
    start = key_before(track, end.at)
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
    curve = move(track, played.at(depart), depart, target.value, new - depart, "clamp")
    return played.then(depart + 1, curve).then(new + 1, rest)
