"""The plan of a training: every track's value at every step, for every run."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from latent_anchors._checks import check_count, listed
from latent_anchors._streams import BLOCK
from latent_anchors.curriculum import Timeline
from latent_anchors.training._callbacks import Every
from latent_anchors.training._objective import Objective


@dataclass(frozen=True, eq=False)
class Plan:
    """Names of the tracks and their table ``(steps, tracks, runs)``, in float64 on the CPU."""

    names: tuple[str, ...]
    table: Tensor
    elsewhere: tuple[str, ...]
    """Names of the tracks that weigh nothing."""
    actions: Mapping[int, Sequence[str]]
    """What is to happen just before a step, by step."""

    @property
    def steps(self) -> int:
        """How many there are."""
        return len(self.table)

    def values(self, name: str) -> Tensor:
        """One track ``(steps, runs)``."""
        return self.table[:, self.names.index(name)]


def make_plan(
    timeline: Timeline | Sequence[Timeline], objective: Objective, runs: int, steps: int | None
) -> Plan:
    """A table from one timeline for all runs, or from one for each."""
    timelines = [timeline] * runs if isinstance(timeline, Timeline) else list(timeline)
    shapes = [(t.names, t.steps, tuple(t.actions_by_step.items())) for t in timelines]
    if len(timelines) != runs or len(set(shapes)) != 1:
        raise ValueError(
            f"{len(timelines)} timelines were given for {runs} runs, with tracks, lengths and "
            f"actions {listed(dict.fromkeys(shapes))}; expected one for all runs, or one for each "
            "with the same tracks, length and actions."
        )
    objective.check_tracks(timelines[0].names)
    check_count("steps", timelines[0].steps if steps is None else steps)
    count = range(timelines[0].steps if steps is None else steps)
    tables = {id(t): t.table(count) for t in timelines}
    table = torch.from_numpy(np.stack([tables[id(t)] for t in timelines], axis=-1))
    plan = Plan(timelines[0].names, table, objective.elsewhere, timelines[0].actions_by_step)
    _check_weights(plan, objective)
    return plan


def check_actions(plan: Plan, handlers: Iterable[str]) -> None:
    """Refuse actions that nobody handles, and handlers that no action calls."""
    named = {name for names in plan.actions.values() for name in names}
    if named != set(handlers):
        raise ValueError(
            f"The timeline has actions {listed(sorted(named))}; handlers were given for "
            f"{listed(sorted(handlers))}. Give one for each: actions={{'name': function}}."
        )


def _check_weights(plan: Plan, objective: Objective) -> None:
    for name in set(objective.track_of.values()) & set(plan.names):
        wrong = (plan.values(name) < 0).nonzero()
        if len(wrong):
            step = int(wrong[0, 0])
            raise ValueError(
                f"Track {name!r} weighs a term or loss and is {plan.values(name)[step].min():g} at "
                f"step {step}; expected at least 0. To push the other way, use the anti-term."
            )


def stretches(
    steps: int, callbacks: Sequence[Every], actions: Iterable[int] = ()
) -> Iterator[tuple[int, int]]:
    """First step and stop of each stretch: within a block of draws, up to what happens next."""
    stops = {*range(BLOCK, steps, BLOCK), *(at for at in actions if 0 < at < steps), steps}
    for every in callbacks:
        stops |= {*range(every.steps, steps, every.steps)}
    first = 0
    for stop in sorted(stops):
        yield first, stop
        first = stop
