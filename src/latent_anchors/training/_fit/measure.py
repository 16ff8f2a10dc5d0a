"""What triggers watch: the parts of the objective, and what a function of the user's returns."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias, cast

import torch

from latent_anchors._checks import check_count, check_name, listed
from latent_anchors.training._callbacks import Every, Progress
from latent_anchors.training._fit.schedule import Numbers, Schedule
from latent_anchors.training._history import History
from latent_anchors.training._objective import Objective

Measure: TypeAlias = int | Every
"""A period; or a period and a function from the progress to measurements by name."""


def check_measure(measure: Measure | None, schedule: Schedule, objective: Objective) -> None:
    """Refuse measurements without triggers, and triggers without what they watch."""
    watched = [rule.watch for rule in schedule.triggers]
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


def due(measure: Measure, schedule: Schedule, step: int) -> bool:
    """Whether to measure after so many steps: at the end of each period and of each phase."""
    return step % period(measure) == 0 or step == schedule.phase_end(step - 1)


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
        found |= _returned(measure.call(progress), found)
    runs = len(progress.population)
    return {name: _each(name, given, runs, frozen) for name, given in found.items()}


def _parts(objective: Objective, history: History, since: int) -> dict[str, list[float]]:
    """Means of each term and loss over some steps; where it counts by labels, weighed by them."""
    by_mass = {term.name for term in objective.terms if term.reduction == "mass"}
    found: dict[str, list[float]] = {}
    for name in history.means:
        means = history.means[name][since:].double()
        masses = history.masses[name][since:].double()
        share = masses if name in by_mass else torch.ones_like(means)
        found[name] = ((means * share).sum(0) / share.sum(0)).tolist()
    return found


def _returned(given: object, parts: Mapping[str, object]) -> Mapping[str, object]:
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
