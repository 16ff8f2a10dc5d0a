"""A timeline as it is played: immutable, with a function that applies an action."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from latent_anchors.curriculum._keyframe import Keyframe
from latent_anchors.curriculum._playhead._actions import (
    Action,
    EndPhase,
    ExtendPhase,
    Retarget,
    RunAction,
)
from latent_anchors.curriculum._playhead._played_track import (
    PhaseEnd,
    PlayedTrack,
    ended,
    extended,
    retargeted,
)
from latent_anchors.curriculum._timeline import Phase, Timeline
from latent_anchors.curriculum._track import Track
from latent_anchors.transitions import linear


@dataclass(frozen=True)
class PlayedTimeline:
    """The current starts of phases, length, and tracks.

    ``own`` has the tracks of the runs in which one was retargeted; the first of these runs parted
    from the others at the step in ``parted``. All other runs use the ``shared`` tracks.
    """

    timeline: Timeline
    starts: tuple[int, ...]
    steps: int
    shared: Mapping[str, PlayedTrack]
    own: Mapping[str, Mapping[int, PlayedTrack]] = field(
        default_factory=dict[str, Mapping[int, PlayedTrack]]
    )
    parted: Mapping[str, int] = field(default_factory=dict[str, int])
    fired: Mapping[int, tuple[str, ...]] = field(default_factory=dict[int, tuple[str, ...]])

    @classmethod
    def planned(cls, timeline: Timeline) -> "PlayedTimeline":
        """Everything as planned."""
        shared = {name: PlayedTrack.planned(timeline[name]) for name in timeline.names}
        return cls(timeline, tuple(p.start for p in timeline.phases), timeline.steps, shared)

    def track(self, name: str, run: int) -> PlayedTrack:
        """A track of a run."""
        return self.own.get(name, {}).get(run, self.shared[name])

    def started(self, step: int) -> int:
        """How many phases have started."""
        return bisect_right(self.starts, step)

    def ends(self, step: int) -> int:
        """The step after the last one of the current phase."""
        return (*self.starts, self.steps)[self.started(step)]

    def phase(self, step: int) -> Phase | None:
        """The current phase; None before the first."""
        started = self.started(step)
        if not started:
            return None
        return Phase(self.timeline.phases[started - 1].name, self.starts[started - 1])

    def actions(self, step: int) -> tuple[str, ...]:
        """Planned actions, then those that triggers run."""
        if step >= self.steps:
            return ()
        end, delay, _ = self.phase_end(step)
        # the steps by which a phase was extended are not in the plan
        planned = self.timeline.actions(step - delay) if step - delay < end else ()
        return planned + self.fired.get(step, ())

    def phase_end(self, step: int) -> tuple[int, int, int]:
        """The planned end of the current phase, its delay and that of the next phase."""
        started = self.started(step)
        at = (*(phase.start for phase in self.timeline.phases), self.timeline.steps)[started]
        return at, self._delay(started), self.ends(step) - at

    def _delay(self, started: int) -> int:
        return self.starts[started - 1] - self.timeline.phases[started - 1].start if started else 0

    def as_timeline(self, run: int) -> Timeline:
        """The tracks of one run, and the phases and actions of all."""
        starts = zip(self.timeline.phases, self.starts, strict=True)
        actions = {step: self.actions(step) for step in range(self.steps)}
        return Timeline(
            {name: _keyed(self.track(name, run), self.steps) for name in self.timeline.names},
            [Phase(phase.name, start) for phase, start in starts if start < self.steps],
            {step: names for step, names in actions.items() if names},
            self.steps,
        )


def _keyed(played: PlayedTrack, steps: int) -> Track:
    """A track with a key at each step, except within constant stretches."""
    if played.count == 1 and played.track.keyframes[-1].step < steps:
        return played.track
    values = [played(step) for step in range(steps)]
    keys = [
        Keyframe(step, value, leave=linear)
        for step, value in enumerate(values)
        if not values[max(step - 1, 0)] == value == values[min(step + 1, steps - 1)]
        or step in (0, steps - 1)
    ]
    return Track(keys, played.track.space)


def applied(now: PlayedTimeline, action: Action, step: int, runs: Sequence[int]) -> PlayedTimeline:
    """After an action that fired at a step, for some runs or for all."""
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


def _shifted(now: PlayedTimeline, step: int, by: int) -> PlayedTimeline:
    """With the end of the current phase, and all that follows, later by ``by`` steps."""
    if by == 0:
        return now
    at, before, after = now.phase_end(step)
    end, change = PhaseEnd(at, before, after, after + by), ended if by < 0 else extended
    started = now.started(step)
    return replace(
        now,
        starts=(*now.starts[:started], *(start + by for start in now.starts[started:])),
        steps=now.steps + by,
        shared={name: change(track, step, end) for name, track in now.shared.items()},
    )


def _retargeted(
    now: PlayedTimeline, action: Retarget, step: int, runs: Sequence[int]
) -> PlayedTimeline:
    name, how = action.track, (action.over, action.overshoot)
    before = {run: now.track(name, run) for run in runs}
    tracks = {
        run: retargeted(track, step, action.goal(track(step)), *how)
        for run, track in before.items()
    }
    own = {**now.own, name: {**now.own.get(name, {}), **tracks}}
    return replace(now, own=own, parted={name: step + 1, **now.parted})
