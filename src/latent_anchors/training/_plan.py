"""The plan of a training: every track's value at every step, for every run."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from latent_anchors._checks import check_count, listed
from latent_anchors._streams import BLOCK
from latent_anchors.curriculum import Timeline
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
