"""Play a timeline with triggers that react to measurements."""

from collections.abc import Mapping, Sequence
from itertools import takewhile
from types import MappingProxyType
from typing import Any

from latent_anchors._checks import check_count, check_name, listed
from latent_anchors.curriculum._json import check_keys
from latent_anchors.curriculum._playhead._actions import EndPhase, ExtendPhase, Stop
from latent_anchors.curriculum._playhead._played_timeline import PlayedTimeline, applied
from latent_anchors.curriculum._playhead._trigger_state import (
    Fired,
    TriggerState,
    evaluated,
    fired_from_json,
    fired_to_json,
    measured,
)
from latent_anchors.curriculum._playhead._triggers import Trigger, check_fits
from latent_anchors.curriculum._timeline import Phase, Timeline, check_timeline

STATE = ("step", "runs", "triggers", "trigger_states", "log")

PlayedRow = Mapping[str, float | tuple[float, ...]]
"""The values of all tracks at one step: a number for all runs, or one for each run."""


class Playhead:
    """Plays a timeline, and lets triggers change what follows.

    Before a step, read its row; after it, pass the measurements to :meth:`observe`. A trigger takes
    effect from the next step, so ``row(step)`` of a past step never changes; that of a later step
    is the current plan. The result depends on nothing but the measurements.

    Steps are observed in order, each at most once; some may be left out. A measurement is a number
    for all runs, or a sequence, array or tensor with one for each. None, NaN and infinity leave a
    run out, such as one that is frozen. Patience counts observations, not steps.

    Args:
        timeline: The plan.
        triggers: Evaluated in this order at every observation.
        runs: How many runs are trained together.

    Raises:
        TypeError: If ``timeline`` is not a timeline, or ``runs`` not an integer.
        ValueError: If ``runs`` is less than 1, or a trigger acts on a track or phase that the
            timeline does not have, or moves a track in log space to 0 or below.

    Examples:
        >>> from latent_anchors.curriculum import Below, Keyframe, Phase, Stop, Track
        >>> plan = Timeline({"lr": Track([Keyframe(0, 0.1)])}, [Phase("all", 0)], steps=100)
        >>> playhead = Playhead(plan, [Trigger("recon", Below(0.01, patience=2), Stop())])
        >>> while playhead.step < playhead.steps:
        ...     recon = playhead.row(playhead.step)["lr"] / (1 + playhead.step)
        ...     fired = playhead.observe(playhead.step, {"recon": recon})
        >>> playhead.log[0].why
        'recon below 0.01 for 2 observations in a row (0.00833333)'
        >>> playhead.as_timeline().steps
        12
    """

    def __init__(self, timeline: Timeline, triggers: Sequence[Trigger] = (), runs: int = 1) -> None:
        check_timeline(timeline)
        check_count("runs", runs)
        self.timeline: Timeline = timeline
        self.triggers: tuple[Trigger, ...] = tuple(triggers)
        for trigger in self.triggers:
            check_fits(trigger, timeline)
        self.runs: int = runs
        self._begin()

    def _begin(self) -> None:
        self._now = PlayedTimeline.planned(self.timeline)
        self._states = [TriggerState.initial(trigger, self.runs) for trigger in self.triggers]
        self._log: list[Fired] = []
        self._step = 0

    @property
    def step(self) -> int:
        """The first step that has not been observed.

        Examples:
            >>> Playhead(Timeline({}, [Phase("hues", 9)])).step
            0
        """
        return self._step

    @property
    def steps(self) -> int:
        """The current number of steps of the training.

        Examples:
            >>> Playhead(Timeline({}, [Phase("hues", 9)])).steps
            10
        """
        return self._now.steps

    @property
    def log(self) -> tuple[Fired, ...]:
        """The triggers that fired, with when and why.

        Examples:
            >>> Playhead(Timeline({}, [Phase("hues", 9)])).log
            ()
        """
        return tuple(self._log)

    def row(self, step: int) -> PlayedRow:
        """The values of all tracks at a step; beyond the end, those of the last step.

        A value is a number if all runs share it, or a tuple with one for each run if a trigger has
        retargeted the track in any of them.

        Raises:
            TypeError: If the step is not an integer.
            ValueError: If it is negative.

        Examples:
            >>> from latent_anchors.curriculum import Above, Keyframe, Retarget, Track
            >>> plan = Timeline({"lr": Track([Keyframe(0, 0.5)])}, steps=9)
            >>> rule = Trigger("recon", Above(1.0), Retarget("lr", 0.1, over=0))
            >>> playhead = Playhead(plan, [rule], runs=2)
            >>> _ = playhead.observe(0, {"recon": [0.7, 3.0]})
            >>> dict(playhead.row(0)), dict(playhead.row(1))
            ({'lr': 0.5}, {'lr': (0.5, 0.1)})
        """
        check_count("The step", step, least=0)
        at = min(step, self.steps - 1)
        return MappingProxyType({name: self._value(name, at) for name in self.timeline.names})

    def _value(self, name: str, step: int) -> float | tuple[float, ...]:
        if self.runs == 1 or step < self._now.parted.get(name, self._now.steps):
            return self._now.track(name, 0)(step)
        return tuple(self._now.track(name, run)(step) for run in range(self.runs))

    def phase(self, step: int) -> Phase | None:
        """The phase at a step, with its current start; None before the first.

        Raises:
            TypeError: If the step is not an integer.
            ValueError: If it is negative.

        Examples:
            >>> Playhead(Timeline({}, [Phase("hues", 9)])).phase(9)
            Phase(name='hues', start=9)
        """
        check_count("The step", step, least=0)
        return self._now.phase(step)

    def ends(self, step: int) -> int:
        """The step after the current end of the phase at a step.

        Raises:
            TypeError: If the step is not an integer.
            ValueError: If it is negative.

        Examples:
            >>> Playhead(Timeline({}, [Phase("hues", 0), Phase("all", 9)])).ends(3)
            9
        """
        check_count("The step", step, least=0)
        return self._now.ends(step)

    def actions(self, step: int) -> tuple[str, ...]:
        """The names of the actions at exactly this step: planned ones, then those of triggers.

        Raises:
            TypeError: If the step is not an integer.
            ValueError: If it is negative.

        Examples:
            >>> Playhead(Timeline({}, actions={9: ["anchor"]})).actions(9)
            ('anchor',)
        """
        check_count("The step", step, least=0)
        return self._now.actions(step)

    def observe(self, step: int, measurements: Mapping[str, object]) -> tuple[Fired, ...]:
        """Evaluate the triggers on the measurements after a step; returns those that fired.

        Raises:
            TypeError: If the step is not an integer, or a measurement not a number.
            ValueError: If the step was observed already or is after the end, or a measurement that
                a trigger watches is missing or has another number of runs.

        Examples:
            >>> from latent_anchors.curriculum import Above, RunAction
            >>> plan = Timeline({}, steps=9)
            >>> playhead = Playhead(plan, [Trigger("recon", Above(1.0), RunAction("save"))])
            >>> playhead.observe(3, {"recon": 2.0})[0].words
            "step 3: recon above 1 (2), so 'save' runs"
            >>> playhead.actions(4)
            ('save',)
        """
        self._check_observable(step)
        given = [measured(measurements, rule.watch, self.runs) for rule in self.triggers]
        may_fire = [self._may_fire(rule, step) for rule in self.triggers]
        already = len(self._log)
        self._step = step + 1
        for k, rule in enumerate(self.triggers):
            self._states[k], runs = evaluated(rule, self._states[k], given[k], may_fire[k])
            if runs:
                self._fire(step, k, runs, sum(v is not None for v in given[k]))
            if runs and isinstance(rule.then, Stop):
                break
        return tuple(self._log[already:])

    def _check_observable(self, step: int) -> None:
        check_count("The step", step, least=0)
        if not self._step <= step < self.steps:
            raise ValueError(
                f"Step {step} was observed; expected one from {self._step} on, in order and each "
                f"once, and before the end at {self.steps}."
            )

    def _may_fire(self, rule: Trigger, step: int) -> bool:
        phase = self._now.phase(step)
        named = rule.during is None or (phase is not None and phase.name == rule.during)
        return named and (rule.last is None or step >= self._now.ends(step) - rule.last)

    def _fire(self, step: int, index: int, runs: tuple[int, ...], voting: int) -> None:
        rule, observed = self.triggers[index], self._states[index].observed
        values = tuple(observed[run].mean for run in runs)
        of = f", in {len(runs)} of {voting} runs" if self.runs > 1 else ""
        shown = ", ".join(f"{value:g}" for value in values[:3]) + ", ..." * (len(values) > 3)
        why = f"{rule.watch} {rule.when.words}{of} ({shown})"
        self._apply(Fired(step, index, runs, values, why, rule.then))

    def _apply(self, fired: Fired) -> None:
        ended = isinstance(fired.action, ExtendPhase) and self._has_ended(fired.step)
        self._log.append(fired)
        if not ended:  # what was skipped would come back
            self._now = applied(self._now, fired.action, fired.step, fired.runs)

    def _has_ended(self, step: int) -> bool:
        """Whether a trigger that fired at this step has ended the phase."""
        latest = takewhile(lambda fired: fired.step == step, reversed(self._log))
        return any(isinstance(fired.action, EndPhase) for fired in latest)

    def as_timeline(self, run: int = 0) -> Timeline:
        """The timeline as one run played it, without triggers.

        At every step its row is the playhead's: those that were played, then the current plan. A
        track that a trigger has moved has a key at each step, with linear interpolation.

        Raises:
            ValueError: If there is no such run.

        Examples:
            >>> plan = Timeline({}, [Phase("hues", 9)])
            >>> Playhead(plan).as_timeline() == plan
            True
        """
        check_name("run", run, range(self.runs))
        return self._now.as_timeline(run)

    def state_dict(self) -> dict[str, Any]:
        """The state as plain values for JSON.

        It has the log rather than the current plan, which follows from it.

        Examples:
            >>> Playhead(Timeline({}, [Phase("hues", 9)])).state_dict()["step"]
            0
        """
        return {
            "step": self._step,
            "runs": self.runs,
            "triggers": [repr(rule) for rule in self.triggers],
            "trigger_states": [state.to_json() for state in self._states],
            "log": [fired_to_json(fired) for fired in self._log],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what :meth:`state_dict` returned, with the same timeline and triggers.

        Raises:
            TypeError: If the state is not a mapping.
            ValueError: If a key is missing or unknown, or the state is of other triggers or another
                number of runs.

        Examples:
            >>> plan = Timeline({}, [Phase("hues", 9)])
            >>> playhead, other = Playhead(plan), Playhead(plan)
            >>> _ = playhead.observe(4, {})
            >>> other.load_state_dict(playhead.state_dict())
            >>> other.step
            5
        """
        self._check_state(state)
        self._begin()
        self._step = state["step"]
        self._states = [TriggerState.from_json(each) for each in state["trigger_states"]]
        for fired in state["log"]:
            self._apply(fired_from_json(fired, self.triggers))

    def _check_state(self, state: Mapping[str, Any]) -> None:
        check_keys("playhead's state", state, STATE)
        own = [repr(rule) for rule in self.triggers]
        if list(state["triggers"]) != own:
            raise ValueError(
                f"The state is of the triggers {listed(state['triggers'])}; expected {listed(own)}."
            )
        if state["runs"] != self.runs:
            raise ValueError(f"The state is of {state['runs']} runs; expected {self.runs}.")
        _check_trigger_states(state, len(self.triggers))

    def to_json(self) -> dict[str, Any]:
        """Timeline, triggers and state as plain values for JSON.

        Raises:
            ValueError: If a trigger has a :class:`Predicate`, or a track a transition without a
                name.

        Examples:
            >>> Playhead(Timeline({}, [Phase("hues", 9)])).to_json()["triggers"]
            []
        """
        return {
            "timeline": self.timeline.to_json(),
            "triggers": [rule.to_json() for rule in self.triggers],
            "state": self.state_dict(),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Playhead":
        """Construct the playhead that :meth:`to_json` wrote, in its state at that time.

        Raises:
            TypeError: If the data, or a part of it, is not a mapping.
            ValueError: If a key is missing or unknown, or the constructor refuses a value.

        Examples:
            >>> playhead = Playhead(Timeline({}, [Phase("hues", 9)]))
            >>> _ = playhead.observe(4, {})
            >>> Playhead.from_json(playhead.to_json()).step
            5
        """
        check_keys("playhead", data, ("timeline", "triggers", "state"))
        check_keys("playhead's state", data["state"], STATE)
        triggers = [Trigger.from_json(rule) for rule in data["triggers"]]
        runs = data["state"]["runs"]
        _check_trigger_states(data["state"], len(triggers))  # before it allocates that many
        playhead = cls(Timeline.from_json(data["timeline"]), triggers, runs)
        playhead.load_state_dict(data["state"])
        return playhead

    def __repr__(self) -> str:
        return f"Playhead(step={self._step}, steps={self.steps}, runs={self.runs}, {self.timeline})"


def _check_trigger_states(state: Mapping[str, Any], triggers: int) -> None:
    """Refuse a state that does not have one entry for each trigger and run."""
    given = [len(each["observed"]) for each in state["trigger_states"]]
    if given != [state["runs"]] * triggers:
        raise ValueError(
            f"The state has {given} runs for its triggers; expected {state['runs']} for each of "
            f"{triggers}, as state_dict() returns it."
        )
