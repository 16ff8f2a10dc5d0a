"""Playheads in the place of a plan: rows as they come, and an end that may move."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from latent_anchors.curriculum import Playhead, Retarget, RunAction, Timeline, Trigger
from latent_anchors.training._objective import Objective
from latent_anchors.training._plan import Plan, check_alike, check_weights, planned

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
