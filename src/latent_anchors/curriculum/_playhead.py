"""A timeline that is being played, and reacts to what is measured."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from latent_anchors._checks import check_count, check_name, listed
from latent_anchors.curriculum._actions import Stop
from latent_anchors.curriculum._fitting import check_fits
from latent_anchors.curriculum._measuring import measured
from latent_anchors.curriculum._phase import Phase
from latent_anchors.curriculum._realizing import realized
from latent_anchors.curriculum._standing import Fired, Standing, observed
from latent_anchors.curriculum._timeline import Timeline, check_timeline
from latent_anchors.curriculum._told import check_told
from latent_anchors.curriculum._triggers import Trigger
from latent_anchors.curriculum._unfolding import Unfolding, acted

STATE = ("step", "runs", "triggers", "standings", "log")

PlayedRow = Mapping[str, float | tuple[float, ...]]
"""The values of all tracks at one step: a number for all runs, or one for each."""


class Playhead:
    """A timeline being played with its triggers.

    Before a step, read its row; after it, tell what was measured. What fires takes effect from the
    next step on, so ``row(step)`` of a step that was played never changes; that of a later one is
    what the plan stands at now. The play depends on nothing but the measurements.

    Steps are observed in order, each at most once; some may be left out. A measurement is a number
    for all runs or a sequence with one for each, an array or tensor too; None or a number that is
    not finite leaves a run out, as one that is frozen. Patience counts observations, not steps.

    Args:
        timeline: the plan.
        triggers: asked in this order at every observation.
        runs: how many are trained at once.

    Raises:
        TypeError: if it is no timeline, or ``runs`` no whole number.
        ValueError: if ``runs`` is less than 1, or a trigger acts on a track or phase that the
            timeline does not have, or takes a track in log space to where it cannot be.

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
        for trigger in triggers:
            check_fits(trigger, timeline)
        self.timeline: Timeline = timeline
        self.triggers: tuple[Trigger, ...] = tuple(triggers)
        self.runs: int = runs
        self._begin()

    def _begin(self) -> None:
        self._now = Unfolding.planned(self.timeline)
        self._standings = [Standing.fresh(trigger, self.runs) for trigger in self.triggers]
        self._log: list[Fired] = []
        self._step = 0

    @property
    def step(self) -> int:
        """The first step that is not observed yet.

        Examples:
            >>> Playhead(Timeline({}, [Phase("hues", 9)])).step
            0
        """
        return self._step

    @property
    def steps(self) -> int:
        """How many steps the training has, as things stand.

        Examples:
            >>> Playhead(Timeline({}, [Phase("hues", 9)])).steps
            10
        """
        return self._now.steps

    @property
    def log(self) -> tuple[Fired, ...]:
        """What fired, when, and why.

        Examples:
            >>> Playhead(Timeline({}, [Phase("hues", 9)])).log
            ()
        """
        return tuple(self._log)

    def row(self, step: int) -> PlayedRow:
        """The values of all tracks at a step; from the end on, those of the last step.

        A number where all runs have the same; a tuple with one for each of several runs where a
        trigger has retargeted the track in any.

        Raises:
            TypeError: if the step is no whole number.
            ValueError: if it is negative.

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
            return self._now.course(name, 0)(step)
        return tuple(self._now.course(name, run)(step) for run in range(self.runs))

    def phase(self, step: int) -> Phase | None:
        """The phase at a step, with the start that it has now; None before the first.

        Raises:
            TypeError: if the step is no whole number.
            ValueError: if it is negative.

        Examples:
            >>> Playhead(Timeline({}, [Phase("hues", 9)])).phase(9)
            Phase(name='hues', start=9)
        """
        check_count("The step", step, least=0)
        return self._now.phase(step)

    def ends(self, step: int) -> int:
        """The step after the last one of the phase in force, as things stand.

        Raises:
            TypeError: if the step is no whole number.
            ValueError: if it is negative.

        Examples:
            >>> Playhead(Timeline({}, [Phase("hues", 0), Phase("all", 9)])).ends(3)
            9
        """
        check_count("The step", step, least=0)
        return self._now.ends(step)

    def actions(self, step: int) -> tuple[str, ...]:
        """What happens at exactly this step: what was planned, then what was fired.

        Raises:
            TypeError: if the step is no whole number.
            ValueError: if it is negative.

        Examples:
            >>> Playhead(Timeline({}, actions={9: ["anchor"]})).actions(9)
            ('anchor',)
        """
        check_count("The step", step, least=0)
        return self._now.actions(step)

    def observe(self, step: int, measurements: Mapping[str, object]) -> tuple[Fired, ...]:
        """Tell what was measured after a step, and learn what fired.

        Raises:
            TypeError: if the step is no whole number, or a measurement no number.
            ValueError: if the step was observed already or comes after the end, or what a trigger
                watches is missing or of another number of runs.

        Examples:
            >>> from latent_anchors.curriculum import Above, RunAction
            >>> plan = Timeline({}, steps=9)
            >>> playhead = Playhead(plan, [Trigger("recon", Above(1.0), RunAction("save"))])
            >>> playhead.observe(3, {"recon": 2.0})[0].words
            "step 3: 'save' happens, for recon above 1 (2)"
            >>> playhead.actions(4)
            ('save',)
        """
        self._check_observable(step)
        given = [measured(measurements, rule.watch, self.runs) for rule in self.triggers]
        may_fire = [self._may_fire(rule, step) for rule in self.triggers]
        already = len(self._log)
        self._step = step + 1
        for place, rule in enumerate(self.triggers):
            standing = self._standings[place]
            asked = observed(rule, standing, given[place], may_fire[place])
            self._standings[place], runs = asked
            if runs:
                self._fire(step, place, runs, sum(v is not None for v in given[place]))
            if runs and isinstance(rule.then, Stop):
                break
        return self.log[already:]

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

    def _fire(self, step: int, place: int, runs: tuple[int, ...], voting: int) -> None:
        rule, seen = self.triggers[place], self._standings[place].seen
        values = tuple(seen[run].mean for run in runs)
        of = f", in {len(runs)} of {voting} runs" if self.runs > 1 else ""
        told = ", ".join(f"{value:g}" for value in values[:3]) + ", ..." * (len(values) > 3)
        why = f"{rule.watch} {rule.when.words}{of} ({told})"
        self._do(Fired(step, place, runs, values, why, rule.then))

    def _do(self, line: Fired) -> None:
        self._log.append(line)
        self._now = acted(self._now, line.action, line.step, line.runs)

    def as_timeline(self, run: int = 0) -> Timeline:
        """The pure timeline that the play turned out to be, for one run.

        At every step its row is the playhead's: those that were played, then those to come as
        things stand. A track that was moved has a key at each step, with straight lines between.

        Raises:
            ValueError: if there is no such run.

        Examples:
            >>> plan = Timeline({}, [Phase("hues", 9)])
            >>> Playhead(plan).as_timeline() == plan
            True
        """
        check_name("run", run, range(self.runs))
        return realized(self._now, run)

    def state_dict(self) -> dict[str, Any]:
        """All there is to remember, as plain values for JSON.

        The log is most of it: what the triggers did follows from it.

        Examples:
            >>> Playhead(Timeline({}, [Phase("hues", 9)])).state_dict()["step"]
            0
        """
        return {
            "step": self._step,
            "runs": self.runs,
            "triggers": [repr(rule) for rule in self.triggers],
            "standings": [standing.state() for standing in self._standings],
            "log": [line.state() for line in self._log],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from where :meth:`state_dict` was taken, with the same timeline and triggers.

        Raises:
            TypeError: if the state is no names with values.
            ValueError: if a part of it is missing or unknown, or it is that of other triggers, or
                of another number of runs.

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
        self._standings = [Standing.from_state(each) for each in state["standings"]]
        for line in state["log"]:
            self._do(Fired.from_state(line, self.triggers))

    def _check_state(self, state: Mapping[str, Any]) -> None:
        check_told("playhead's state", state, STATE)
        own = [repr(rule) for rule in self.triggers]
        if list(state["triggers"]) != own:
            raise ValueError(
                f"The state is that of the triggers {listed(state['triggers'])}; "
                f"expected {listed(own)}."
            )
        if state["runs"] != self.runs:
            raise ValueError(f"The state is that of {state['runs']} runs; expected {self.runs}.")
        _check_standings(state, len(self.triggers))

    def to_json(self) -> dict[str, Any]:
        """Timeline, triggers and state, as plain values for JSON.

        Raises:
            ValueError: if a trigger asks a function of yours, or a track uses a transition without
                a name.

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
        """The playhead that :meth:`to_json` wrote, in the middle of its play.

        Raises:
            TypeError: if the data, or a part of them, are no names with values.
            ValueError: if a part is missing or unknown, or the data hold what a playhead refuses.

        Examples:
            >>> playhead = Playhead(Timeline({}, [Phase("hues", 9)]))
            >>> _ = playhead.observe(4, {})
            >>> Playhead.from_json(playhead.to_json()).step
            5
        """
        check_told("playhead", data, ("timeline", "triggers", "state"))
        check_told("playhead's state", data["state"], STATE)
        triggers = [Trigger.from_json(rule) for rule in data["triggers"]]
        runs = data["state"]["runs"]
        _check_standings(data["state"], len(triggers))  # before there is room made for so many
        playhead = cls(Timeline.from_json(data["timeline"]), triggers, runs)
        playhead.load_state_dict(data["state"])
        return playhead

    def __repr__(self) -> str:
        return f"Playhead(step={self._step}, steps={self.steps}, runs={self.runs}, {self.timeline})"


def _check_standings(state: Mapping[str, Any], triggers: int) -> None:
    """Refuse a state that does not remember something for each trigger and run."""
    given = [len(standing["seen"]) for standing in state["standings"]]
    if given != [state["runs"]] * triggers:
        raise ValueError(
            f"The state remembers {given} runs for its triggers; expected {state['runs']} for each "
            f"of {triggers}, as state_dict() gives it."
        )
