"""The plan of a training: every track's value at every step, for every run."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

import numpy as np
import torch
from torch import Tensor

from latent_anchors._checks import check_count, check_name, listed
from latent_anchors._streams import BLOCK
from latent_anchors.curriculum import Playhead, Retarget, RunAction, Timeline, Trigger
from latent_anchors.training._callbacks import Every, Progress
from latent_anchors.training._history import History
from latent_anchors.training._objective import Objective


@dataclass(frozen=True, eq=False)
class Plan:
    """Names of the tracks and their table ``(steps, tracks, runs)``, in float64 on the CPU."""

    names: tuple[str, ...]
    table: Tensor
    other_tracks: tuple[str, ...]
    """Names of the tracks that weigh nothing."""
    by_step: Mapping[int, Sequence[str]]
    """What is to happen just before a step, by step."""

    @property
    def steps(self) -> int:
        """How many there are."""
        return len(self.table)

    @property
    def named(self) -> set[str]:
        """All actions."""
        return {name for names in self.by_step.values() for name in names}

    def values(self, name: str) -> Tensor:
        """One track ``(steps, runs)``."""
        return self.table[:, self.names.index(name)]

    def differs(self, name: str) -> bool:
        """Whether a track ever differs between runs."""
        values = self.values(name)
        return bool((values != values[:, :1]).any())

    def rows(self, first: int, stop: int) -> Tensor:
        """Some steps ``(steps, tracks, runs)``."""
        return self.table[first:stop]

    def actions(self, step: int) -> Sequence[str]:
        """What is to happen just before a step."""
        return self.by_step.get(step, ())

    def cut(self, first: int, stop: int) -> int:
        """Where a stretch has to end for what happens next."""
        return min([at for at in self.by_step if first < at] + [stop, self.steps])


def planned(
    timelines: Sequence[Timeline], objective: Objective, runs: int, steps: int | None
) -> Plan:
    """The table of one timeline for each run."""
    check_alike("timelines", timelines, runs)
    objective.check_tracks(timelines[0].names)
    count = timelines[0].steps if steps is None else steps
    check_count("steps", count)
    tables = {id(t): t.table(range(count)) for t in timelines}
    table = torch.from_numpy(np.stack([tables[id(t)] for t in timelines], axis=-1))
    plan = Plan(timelines[0].names, table, objective.other_tracks, timelines[0].actions_by_step)
    check_weights(objective, plan.names, table)
    return plan


def check_alike(kind: str, timelines: Sequence[Timeline], runs: int) -> None:
    """Refuse what runs cannot play side by side."""
    shapes = [(t.names, t.steps, tuple(t.actions_by_step.items())) for t in timelines]
    if len(timelines) != runs or len(set(shapes)) != 1:
        raise ValueError(
            f"{len(timelines)} {kind} were given for {runs} runs, with tracks, lengths and "
            f"actions {listed(dict.fromkeys(shapes))}; expected one for all runs, or one for each "
            "with the same tracks, length and actions."
        )


def check_actions(named: set[str], handlers: Iterable[str]) -> None:
    """Refuse actions that nobody handles, and handlers that no action calls."""
    if named != set(handlers):
        raise ValueError(
            f"The timeline has actions {listed(sorted(named))}; handlers were given for "
            f"{listed(sorted(handlers))}. Give one for each: actions={{'name': function}}."
        )


def check_weights(
    objective: Objective, names: Sequence[str], table: Tensor, first: int = 0
) -> None:
    """Refuse weights below 0, in rows ``(steps, tracks, runs)`` from a step on."""
    weighing = [name in objective.track_of.values() for name in names]
    wrong = (table < 0) & torch.tensor(weighing).view(-1, 1)
    if bool(wrong.any()):
        step, track, run = (int(place) for place in wrong.nonzero()[0])
        raise ValueError(
            f"Track {names[track]!r} weighs a term or loss and is {table[step, track, run]:g} at "
            f"step {first + step}; expected at least 0. To push the other way, use the anti-term."
        )


def stop_after(first: int, periods: Iterable[int]) -> int:
    """Where a stretch ends: within a block of draws, when the next of some periods is over."""
    return min(first + period - first % period for period in (BLOCK, *periods))


Numbers = list[object]
"""A measurement, one for each run; None leaves a run out."""


class Play:
    """One playhead for all runs, or one for each that moves nothing but values."""

    def __init__(self, playheads: Sequence[Playhead], objective: Objective, most: int | None):
        self.playheads, self.objective, self.most = tuple(playheads), objective, most
        self.names: tuple[str, ...] = playheads[0].timeline.names
        self.other_tracks: tuple[str, ...] = objective.other_tracks

    @property
    def steps(self) -> int:
        """How many there are, as things stand."""
        steps = self.playheads[0].steps
        return steps if self.most is None else min(steps, self.most)

    @property
    def triggers(self) -> list[Trigger]:
        """Those of all playheads."""
        return [rule for playhead in self.playheads for rule in playhead.triggers]

    @property
    def named(self) -> set[str]:
        """All actions, planned or to be fired."""
        given = self.playheads[0].timeline.actions_by_step.values()
        fired = {rule.then.action for rule in self.triggers if isinstance(rule.then, RunAction)}
        return fired | {name for names in given for name in names}

    @property
    def by_step(self) -> Mapping[int, Sequence[str]]:
        """What the timeline plans to happen, by step."""
        return self.playheads[0].timeline.actions_by_step

    @property
    def version(self) -> int:
        """How often something fired."""
        return sum(len(playhead.log) for playhead in self.playheads)

    def differs(self, name: str) -> bool:
        """Whether a track may come to differ between runs."""
        tracks = {playhead.timeline[name] for playhead in self.playheads}
        moved = {rule.then.track for rule in self.triggers if isinstance(rule.then, Retarget)}
        runs = sum(playhead.runs for playhead in self.playheads)
        return len(tracks) > 1 or (runs > 1 and name in moved)

    def rows(self, first: int, stop: int) -> Tensor:
        """Some steps ``(steps, tracks, runs)``, as things stand."""
        rows = [self._row(step) for step in range(first, stop)]
        shape = (len(rows), len(self.names), -1)
        table = torch.tensor(rows, dtype=torch.float64).reshape(shape)
        check_weights(self.objective, self.names, table, first)
        return table

    def _row(self, step: int) -> list[list[float]]:
        rows = [(playhead.row(step), playhead.runs) for playhead in self.playheads]
        return [
            [number for row, runs in rows for number in _spread(row[name], runs)]
            for name in self.names
        ]

    def actions(self, step: int) -> Sequence[str]:
        """What is to happen just before a step."""
        return self.playheads[0].actions(step)

    def ends(self, step: int) -> int:
        """The step after the last one of the phase in force."""
        return min(playhead.ends(step) for playhead in self.playheads)

    def cut(self, first: int, stop: int) -> int:
        """Where a stretch has to end for what happens next, or for the phase."""
        stop = min(stop, self.steps, self.ends(first))
        return next((at for at in range(first + 1, stop) if self.actions(at)), stop)

    def observe(self, step: int, measurements: Mapping[str, Numbers]) -> None:
        """Tell each playhead what was measured in its runs."""
        first = 0
        for playhead in self.playheads:
            own = slice(first, first + playhead.runs)
            playhead.observe(step, {name: each[own] for name, each in measurements.items()})
            first += playhead.runs


def make_plan(
    timeline: Timeline | Playhead | Sequence[Timeline] | Sequence[Playhead],
    objective: Objective,
    runs: int,
    steps: int | None,
) -> Plan | Play:
    """From one timeline or playhead for all runs, or from one for each."""
    if isinstance(timeline, Timeline):
        return planned([timeline] * runs, objective, runs, steps)
    given = [timeline] if isinstance(timeline, Playhead) else list(timeline)
    timelines = [each for each in given if isinstance(each, Timeline)]
    playheads = [each for each in given if isinstance(each, Playhead)]
    if not playheads:
        return planned(timelines, objective, runs, steps)
    _check_playheads(playheads, timelines, runs, shared=isinstance(timeline, Playhead))
    plans = [playhead.timeline for playhead in playheads]
    planned(plans, objective, len(plans), steps)  # refuses what is wrong in the plan itself
    play = Play(playheads, objective, steps)
    _check_goals(play)
    return play


def _check_playheads(
    playheads: Sequence[Playhead], timelines: Sequence[Timeline], runs: int, shared: bool
) -> None:
    if timelines:
        raise ValueError(
            f"{len(timelines)} timelines and {len(playheads)} playheads were given; expected one "
            "kind. A Playhead(timeline) without triggers plays a timeline as it is."
        )
    if shared:
        if playheads[0].runs != runs:
            raise ValueError(
                f"The playhead is one for {playheads[0].runs} runs and {runs} are to be trained; "
                f"expected Playhead(timeline, triggers, runs={runs})."
            )
        return
    check_alike("playheads", [playhead.timeline for playhead in playheads], runs)
    if len({id(playhead) for playhead in playheads}) != runs or {p.runs for p in playheads} != {1}:
        raise ValueError(
            "A playhead was given twice, or is one for several runs; expected one of its own for "
            f"each run, or a single Playhead(timeline, triggers, runs={runs}) for all."
        )
    _check_alone(playheads)


def _check_alone(playheads: Sequence[Playhead]) -> None:
    shared = [rule for p in playheads for rule in p.triggers if not isinstance(rule.then, Retarget)]
    if shared and len(playheads) > 1:
        raise ValueError(
            f"By the trigger '{shared[0].words}', in the playhead of a single run among "
            f"{len(playheads)}; expected nothing but Retarget there, since phases, actions and "
            f"length are the same for all runs. Give one Playhead(..., runs={len(playheads)}) for "
            "all, in which they are put to the vote."
        )


def _check_goals(play: Play) -> None:
    weighing = set(play.objective.track_of.values())
    for rule in play.triggers:
        then = rule.then
        if not isinstance(then, Retarget) or then.track not in weighing:
            continue
        if then.value < 0 and then.of != "difference":
            raise ValueError(
                f"By the trigger '{rule.words}', but that track weighs a term or loss; expected a "
                "value of at least 0. To push the other way, use the anti-term."
            )


def _spread(value: float | tuple[float, ...], runs: int) -> tuple[float, ...]:
    return value if isinstance(value, tuple) else (value,) * runs


Measure: TypeAlias = int | Every
"""A period; or a period and a function from the progress to measurements by name."""


def check_measure(measure: Measure | None, plan: Plan | Play, objective: Objective) -> None:
    """Refuse measurements that nobody waits for, and triggers that wait for none."""
    watched = [rule.watch for rule in plan.triggers] if isinstance(plan, Play) else []
    if (measure is None) == bool(watched):
        raise ValueError(
            f"Triggers watch {listed(dict.fromkeys(watched))}, and measure is {measure!r}; expected"
            " both or neither. Such as a Playhead with triggers, and measure=25 or "
            "measure=Every(25, function)."
        )
    if isinstance(measure, int):
        check_count("The period of measure", measure)
        for name in watched:
            check_name("term or loss", name, objective.names)


def period(measure: Measure) -> int:
    """After how many steps it is measured again."""
    return measure.steps if isinstance(measure, Every) else measure


def due(measure: Measure | None, plan: Plan | Play, step: int) -> bool:
    """Whether to measure when so many steps are done: at each period's end and each phase's."""
    if measure is None or isinstance(plan, Plan):
        return False
    return step % period(measure) == 0 or step == plan.ends(step - 1)


def measured(
    measure: Measure,
    objective: Objective,
    progress: Progress,
    since: int,
    frozen: Sequence[int],
) -> dict[str, Numbers]:
    """By name, a number for each run; none for those that are frozen."""
    found: dict[str, object] = {**_parts(objective, progress.history, since)}
    if isinstance(measure, Every):
        found |= _brought(measure.call(progress), found)
    runs = len(progress.population)
    return {name: _each(name, given, runs, frozen) for name, given in found.items()}


def _parts(objective: Objective, history: History, since: int) -> dict[str, list[float]]:
    """Means of each term and loss over some steps; where it counts by labels, weighed by them."""
    by_mass = {term.name for term in objective.terms if term.normalizer == "mass"}
    found: dict[str, list[float]] = {}
    for name in history.means:
        means = history.means[name][since:].double()
        masses = history.masses[name][since:].double()
        share = masses if name in by_mass else torch.ones_like(means)
        found[name] = ((means * share).sum(0) / share.sum(0)).tolist()
    return found


def _brought(given: object, parts: Mapping[str, object]) -> Mapping[str, object]:
    if not isinstance(given, Mapping) or set(cast("Mapping[str, object]", given)) & set(parts):
        raise ValueError(
            f"measure gave {given!r}; expected measurements by name, such as {{'grid': errors}}, "
            f"and none called {listed(parts)}, which are measured anyway."
        )
    return cast("Mapping[str, object]", given)


def _each(name: str, given: object, runs: int, frozen: Sequence[int]) -> Numbers:
    plain: object = cast("Any", given).tolist() if hasattr(given, "tolist") else given
    numbers: list[object] = [plain] * runs
    if isinstance(plain, Sequence):
        numbers = list(cast("Sequence[object]", plain))
    if len(numbers) != runs:
        raise ValueError(
            f"{name!r} was measured for {len(numbers)} runs; expected one number for each of "
            f"{runs}, or one for all."
        )
    return [None if run in frozen else number for run, number in enumerate(numbers)]
