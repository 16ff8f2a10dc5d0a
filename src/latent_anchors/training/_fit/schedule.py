"""The schedule of a training: playheads, each of which plays a timeline for one run or for all."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from latent_anchors._checks import check_count, listed
from latent_anchors._streams import BLOCK
from latent_anchors.curriculum import Playhead, Retarget, RunAction, Timeline, Trigger
from latent_anchors.training._objective import Objective
from latent_anchors.training._schedulers import LR

Numbers = list[object]
"""A measurement, one for each run; None leaves a run out."""


class Schedule:
    """One playhead for all runs, or one for each that moves nothing but values.

    Without triggers, all rows are known beforehand and stand in a table.

    Args:
        playheads: They cover the runs in order.
        objective: Which tracks weigh its terms and losses.
        table: What is planned ``(steps, tracks, runs)``, in float64 on the CPU.
        limit: The number of steps that the user asked for, if any.
        leads: Whether playheads were given: data with scheduled weights follow them, and their
            state is saved.
    """

    def __init__(
        self,
        playheads: Sequence[Playhead],
        objective: Objective,
        table: Tensor,
        limit: int | None,
        leads: bool,
    ) -> None:
        self.playheads: tuple[Playhead, ...] = tuple(playheads)
        self.objective, self.limit, self.leads = objective, limit, leads
        self.names: tuple[str, ...] = playheads[0].timeline.names
        self.triggers: list[Trigger] = [rule for each in playheads for rule in each.triggers]
        self._table: Tensor | None = None if self.triggers else table

    @property
    def steps(self) -> int:
        """How many there are; triggers may change that."""
        if self._table is not None:
            return len(self._table)
        steps = self.playheads[0].steps
        return steps if self.limit is None else min(steps, self.limit)

    @property
    def stateful(self) -> tuple[Playhead, ...]:
        """Those whose state is saved with the training."""
        return self.playheads if self.leads else ()

    @property
    def actions_by_step(self) -> Mapping[int, Sequence[str]]:
        """The actions of the timeline; those of triggers come on top."""
        return self.playheads[0].timeline.actions_by_step

    @property
    def named_actions(self) -> set[str]:
        """All actions, those of triggers included."""
        triggered = {rule.then.action for rule in self.triggers if isinstance(rule.then, RunAction)}
        return triggered | {name for names in self.actions_by_step.values() for name in names}

    @property
    def version(self) -> int:
        """How often a trigger has fired."""
        return sum(len(playhead.log) for playhead in self.playheads)

    def differs(self, name: str) -> bool:
        """Whether a track differs between runs, or a trigger may make it differ."""
        if self._table is not None:
            values = self._table[:, self.names.index(name)]
            return bool((values != values[:, :1]).any())
        tracks = {playhead.timeline[name] for playhead in self.playheads}
        moved = {rule.then.track for rule in self.triggers if isinstance(rule.then, Retarget)}
        runs = sum(playhead.runs for playhead in self.playheads)
        return len(tracks) > 1 or (runs > 1 and name in moved)

    def hyperparameters(self, settings: Iterable[str]) -> list[str]:
        """The tracks that an optimizer with these settings reads."""
        read = {*self.objective.other_tracks} & {*settings}
        return [name for name in self.names if name in read]

    def rows(self, first: int, stop: int) -> Tensor:
        """Some steps ``(steps, tracks, runs)``; from the end on, the last one."""
        if self._table is not None:
            return self._table[torch.arange(first, stop).clamp(max=len(self._table) - 1)]
        rows = [self._row(step) for step in range(first, stop)]
        shape = (len(rows), len(self.names), -1)
        table = torch.tensor(rows, dtype=torch.float64).reshape(shape)
        _check_weights(self.objective, self.names, table, first)
        return table

    def _row(self, step: int) -> list[list[float]]:
        rows = [(playhead.row(step), playhead.runs) for playhead in self.playheads]
        return [
            [number for row, runs in rows for number in _spread(row[name], runs)]
            for name in self.names
        ]

    def actions(self, step: int) -> Sequence[str]:
        """The actions just before a step."""
        return self.playheads[0].actions(step)

    def phase_end(self, step: int) -> int:
        """The step after the last one of the current phase."""
        return min(playhead.ends(step) for playhead in self.playheads)

    def cut(self, first: int, stop: int) -> int:
        """Where steps in a row have to end: at an action, the end or, with triggers, a phase's."""
        stop = min(stop, self.steps, self.phase_end(first) if self.triggers else stop)
        return next((at for at in range(first + 1, stop) if self.actions(at)), stop)

    def observe(self, step: int, measurements: Mapping[str, Numbers]) -> None:
        """Pass each playhead the measurements of its runs."""
        first = 0
        for playhead in self.playheads:
            own = slice(first, first + playhead.runs)
            playhead.observe(step, {name: each[own] for name, each in measurements.items()})
            first += playhead.runs


def make_schedule(
    timeline: Timeline | Playhead | Sequence[Timeline | Playhead],
    objective: Objective,
    runs: int,
    steps: int | None,
) -> Schedule:
    """From one timeline or playhead for all runs, or from one for each."""
    given = [timeline] if isinstance(timeline, Timeline | Playhead) else [*timeline]
    if isinstance(timeline, Timeline | Playhead):
        playheads = [timeline if isinstance(timeline, Playhead) else Playhead(timeline, runs=runs)]
        _check_runs(playheads[0], runs)
    else:
        playheads = [p if isinstance(p, Playhead) else Playhead(p) for p in given]
        _check_alike([playhead.timeline for playhead in playheads], runs)
        _check_single_runs(playheads)
    objective.check_tracks(playheads[0].timeline.names)
    table = _planned(playheads, objective, steps)
    leads = any(isinstance(each, Playhead) for each in given)
    schedule = Schedule(playheads, objective, table, steps, leads)
    _check_goals(schedule)
    return schedule


def check_actions(named: set[str], handlers: Iterable[str]) -> None:
    """Refuse actions without a handler, and handlers without an action."""
    if named != set(handlers):
        raise ValueError(
            f"The timeline has actions {listed(sorted(named))}; handlers were given for "
            f"{listed(sorted(handlers))}. Give one for each: actions={{'name': function}}."
        )


def stop_after(first: int, periods: Iterable[int]) -> int:
    """Where steps in a row end: within a block of draws, when the next of some periods is over."""
    return min(first + period - first % period for period in (BLOCK, *periods))


def _planned(playheads: Sequence[Playhead], objective: Objective, steps: int | None) -> Tensor:
    """What the timelines hold at each step ``(steps, tracks, runs)``."""
    timelines = [playhead.timeline for playhead in playheads for _ in range(playhead.runs)]
    count = timelines[0].steps if steps is None else steps
    check_count("steps", count)
    tables = {id(each): each.table(range(count)) for each in timelines}
    table = torch.from_numpy(np.stack([tables[id(each)] for each in timelines], axis=-1))
    _check_weights(objective, timelines[0].names, table)
    return table


def _check_weights(
    objective: Objective, names: Sequence[str], table: Tensor, first: int = 0
) -> None:
    """Refuse weights and rates below 0, in rows ``(steps, tracks, runs)`` from a step on."""
    weighing = {*objective.track_of.values()}
    rates = {LR} & {*objective.other_tracks}
    positive = [name in weighing | rates for name in names]
    wrong = (table < 0) & torch.tensor(positive).view(-1, 1)
    if bool(wrong.any()):
        step, track, run = (int(place) for place in wrong.nonzero()[0])
        weighs = names[track] in weighing
        raise ValueError(
            f"Track {names[track]!r} {'weighs a term or loss' if weighs else 'is a rate'} and is "
            f"{table[step, track, run]:g} at step {first + step}; expected at least 0."
            f"{' To push the other way, use the anti-term.' if weighs else ''}"
        )


def _check_runs(playhead: Playhead, runs: int) -> None:
    if playhead.runs != runs:
        raise ValueError(
            f"The playhead is one for {playhead.runs} runs and {runs} are to be trained; "
            f"expected Playhead(timeline, triggers, runs={runs})."
        )


def _check_alike(timelines: Sequence[Timeline], runs: int) -> None:
    """Refuse timelines that runs cannot play side by side."""
    shapes = [(t.names, t.steps, tuple(t.actions_by_step.items())) for t in timelines]
    if len(timelines) != runs or len(set(shapes)) != 1:
        raise ValueError(
            f"{len(timelines)} timelines or playheads were given for {runs} runs, with tracks, "
            f"lengths and actions {listed(dict.fromkeys(shapes))}; expected one for all runs, or "
            "one for each with the same tracks, length and actions."
        )


def _check_single_runs(playheads: Sequence[Playhead]) -> None:
    """Refuse playheads that are not each one run's own."""
    runs = len(playheads)
    if len({id(playhead) for playhead in playheads}) != runs or {p.runs for p in playheads} != {1}:
        raise ValueError(
            "A playhead was given twice, or is one for several runs; expected a separate one for "
            f"each run, or a single Playhead(timeline, triggers, runs={runs}) for all."
        )
    shared = [rule for p in playheads for rule in p.triggers if not isinstance(rule.then, Retarget)]
    if shared and runs > 1:
        raise ValueError(
            f"By the trigger '{shared[0].words}', in the playhead of a single run among {runs}; "
            "expected only Retarget there, since phases, actions and length are the same for all "
            f"runs. Give one Playhead(..., runs={runs}) for all, in which the runs vote."
        )


def _check_goals(schedule: Schedule) -> None:
    weighing = set(schedule.objective.track_of.values())
    for rule in schedule.triggers:
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
