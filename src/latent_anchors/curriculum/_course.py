"""One track as it is played: what the triggers made of its way, and what is left of the plan."""

from bisect import bisect_right
from dataclasses import dataclass, replace

from latent_anchors.curriculum._curves import Curve, Held, Moved, Planned, key_before, set_out
from latent_anchors.curriculum._keyframe import Keyframe
from latent_anchors.curriculum._track import Track
from latent_anchors.transitions import max_slope, step_end


@dataclass(frozen=True)
class Border:
    """The end of the phase in force, and where it moves.

    ``at`` is its step in the plan. By ``before`` steps the phase in force is later than planned,
    by ``after`` what follows was until now, and by ``moved`` it is from now on.
    """

    at: int
    before: int
    after: int
    moved: int

    def step(self, key: Keyframe) -> int:
        """At which step a key was to be played until now."""
        return key.step + (self.before if key.step < self.at else self.after)


@dataclass(frozen=True)
class Course:
    """Curves, each from the step where it sets in; past steps keep theirs."""

    track: Track
    firsts: tuple[int, ...]
    curves: tuple[Curve, ...]

    @classmethod
    def planned(cls, track: Track) -> "Course":
        """As planned, from the first step on."""
        return cls(track, (0,), (Planned(track),))

    def at(self, step: int) -> Curve:
        """The curve in force at a step."""
        return self.curves[bisect_right(self.firsts, step) - 1]

    def __call__(self, step: int) -> float:
        """The value at a step."""
        return self.at(step)(step)

    def until(self, step: int) -> "Course":
        """Without what sets in later."""
        kept = bisect_right(self.firsts, step)
        return Course(self.track, self.firsts[:kept], self.curves[:kept])

    def then(self, first: int, curve: Curve) -> "Course":
        """Another curve, from a step on."""
        kept = self.until(first - 1)
        return Course(self.track, (*kept.firsts, first), (*kept.curves, curve))


def retargeted(course: Course, step: int, goal: float | int, over: int, overshoot: str) -> Course:
    """To a value of its own, from the next step on, for good."""
    curve = set_out(course.track, course.at(step), step, goal, over, overshoot)
    return course.then(step + 1, curve)


def ended(course: Course, step: int, border: Border) -> Course:
    """On into the rest of the plan, which begins at the next step."""
    rest, now = Planned(course.track, border.moved), course.at(step)
    if now.jumps_next(step):
        return course.then(step + 1, rest)
    goal, arrival = _landing(course.track, border)
    if arrival <= step:
        # The key is over; what is on its way to it, by an earlier trigger, still arrives.
        arrival = round(now.moving.arrival) if isinstance(now, Moved) else step
        return course.then(max(arrival, step) + 1, rest)
    way = set_out(course.track, now, step, goal, arrival - step, "clamp")
    return course.then(step + 1, way).then(arrival + 1, rest)


def _landing(track: Track, border: Border) -> tuple[float, int]:
    """The value with which a track is back on the plan, and the step."""
    passed = [key for key in track.keyframes if key.step <= border.at]
    later = [key for key in track.keyframes if key.step > border.at]
    if later and not (passed and passed[-1].leave is step_end):
        return later[0].value, later[0].step + border.moved
    held = passed[-1]
    left = border.step(held)
    return held.value, min([left, *(key.step + border.moved - 1 for key in later[:1])])


def extended(course: Course, step: int, border: Border) -> Course:
    """With more time for the way across the border."""
    track, rest = course.track, Planned(course.track, border.moved)
    leaves = key_before(track, border.at)
    comes = next((key for key in track.keyframes if key.step >= border.at), None)
    if comes is None:
        return course
    if leaves is None:
        return course.then(step + 1, rest)
    old, new = border.step(comes), comes.step + border.moved
    if leaves.leave is step_end:
        return course.then(old, Held(leaves.value, jumping=True)).then(new, rest)
    depart = border.step(leaves)
    if depart > step and not max_slope(leaves.leave):
        keys = [replace(leaves, step=depart), replace(comes, step=new)]
        return course.then(depart + 1, Planned(Track(keys, track.space))).then(new + 1, rest)
    depart = max(depart, step)
    way = set_out(track, course.at(depart), depart, comes.value, new - depart, "clamp")
    return course.then(depart + 1, way).then(new + 1, rest)
