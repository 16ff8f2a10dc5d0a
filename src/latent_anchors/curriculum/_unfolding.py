"""A timeline as it stands in the middle of its play: pure functions from one to the next."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from latent_anchors.curriculum._actions import Action, EndPhase, ExtendPhase, Retarget, RunAction
from latent_anchors.curriculum._course import Border, Course, ended, extended, retargeted
from latent_anchors.curriculum._phase import Phase
from latent_anchors.curriculum._timeline import Timeline


@dataclass(frozen=True)
class Unfolding:
    """Where phases start now, how long it is now, and the course of each track.

    ``own`` are the courses of the runs in which a track was retargeted, the first of them from
    the step in ``parted`` on; the others share one.
    """

    timeline: Timeline
    starts: tuple[int, ...]
    steps: int
    shared: Mapping[str, Course]
    own: Mapping[str, Mapping[int, Course]] = field(default_factory=dict[str, Mapping[int, Course]])
    parted: Mapping[str, int] = field(default_factory=dict[str, int])
    fired: Mapping[int, tuple[str, ...]] = field(default_factory=dict[int, tuple[str, ...]])

    @classmethod
    def planned(cls, timeline: Timeline) -> "Unfolding":
        """All as planned."""
        shared = {name: Course.planned(timeline[name]) for name in timeline.names}
        return cls(timeline, tuple(p.start for p in timeline.phases), timeline.steps, shared)

    def course(self, name: str, run: int) -> Course:
        """That of a track in a run."""
        return self.own.get(name, {}).get(run, self.shared[name])

    def index(self, step: int) -> int:
        """How many phases have begun."""
        return bisect_right(self.starts, step)

    def ends(self, step: int) -> int:
        """The step after the last one of the phase in force."""
        return (*self.starts, self.steps)[self.index(step)]

    def phase(self, step: int) -> Phase | None:
        """The phase in force; None before the first."""
        started = self.index(step)
        if not started:
            return None
        return Phase(self.timeline.phases[started - 1].name, self.starts[started - 1])

    def actions(self, step: int) -> tuple[str, ...]:
        """What happens: what was planned for here, then what was fired."""
        if step >= self.steps:
            return ()
        end, later, _ = self.border(step)
        # A phase that was extended has steps that the plan does not know.
        planned = self.timeline.actions(step - later) if step - later < end else ()
        return planned + self.fired.get(step, ())

    def border(self, step: int) -> tuple[int, int, int]:
        """The end of the phase in force in the plan, and how much later it and the next come."""
        begun = self.index(step)
        at = (*(phase.start for phase in self.timeline.phases), self.timeline.steps)[begun]
        return at, self._shift(begun), self.ends(step) - at

    def _shift(self, begun: int) -> int:
        return self.starts[begun - 1] - self.timeline.phases[begun - 1].start if begun else 0


def acted(now: Unfolding, action: Action, step: int, runs: Sequence[int]) -> Unfolding:
    """What becomes of it when an action fires after a step, for some runs or for all."""
    match action:
        case EndPhase():
            return _shifted(now, step, step + 1 - now.ends(step))
        case ExtendPhase():
            return _shifted(now, step, action.steps)
        case Retarget():
            return _retargeted(now, action, step, runs)
        case RunAction():
            names = (*now.fired.get(step + 1, ()), action.action)
            return replace(now, fired={**now.fired, step + 1: names})
        case _:
            return replace(now, steps=step + 1)


def _shifted(now: Unfolding, step: int, by: int) -> Unfolding:
    """The border after the phase in force, and all that follows, later by so many steps."""
    if by == 0:
        return now
    at, before, after = now.border(step)
    border, change = Border(at, before, after, after + by), ended if by < 0 else extended
    begun = now.index(step)
    return replace(
        now,
        starts=(*now.starts[:begun], *(start + by for start in now.starts[begun:])),
        steps=now.steps + by,
        shared={name: change(course, step, border) for name, course in now.shared.items()},
    )


def _retargeted(now: Unfolding, action: Retarget, step: int, runs: Sequence[int]) -> Unfolding:
    name, how = action.track, (action.over, action.overshoot)
    before = {run: now.course(name, run) for run in runs}
    courses = {
        run: retargeted(course, step, action.goal(course(step)), *how)
        for run, course in before.items()
    }
    own = {**now.own, name: {**now.own.get(name, {}), **courses}}
    return replace(now, own=own, parted={name: step + 1, **now.parted})
