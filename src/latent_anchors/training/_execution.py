"""How runs are executed: all together in one lane, or in turn, each in a lane of its own."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Literal, TypeAlias

import torch

from latent_anchors._streams import BLOCK, mixed
from latent_anchors.data import LabeledBatch
from latent_anchors.models import Population
from latent_anchors.training._backends import Backend
from latent_anchors.training._captured import Bringing
from latent_anchors.training._constraints import Constraint
from latent_anchors.training._gradients import OfAllRuns, of_one_run
from latent_anchors.training._guards import Watched
from latent_anchors.training._lanes import Lane, Stretch
from latent_anchors.training._log import Log
from latent_anchors.training._losses import Loss
from latent_anchors.training._objective import Objective
from latent_anchors.training._optimizers import (
    Drive,
    MakeOptimizer,
    check_per_run,
    check_separable,
    check_steps_alone,
)
from latent_anchors.training._plan import Plan
from latent_anchors.training._play import Play
from latent_anchors.training._python_values import Found
from latent_anchors.training._settings import Settings, check_shared, restore, settings_of

Execution: TypeAlias = Literal["vmap", "sequential"]


def make_lanes(
    population: Population,
    objective: Objective,
    losses: Mapping[str, Loss],
    make_optimizer: MakeOptimizer,
    execution: Execution,
    plan: Plan | Play,
    backend: Backend,
    constraint: Constraint | None,
) -> list[Lane]:
    """One lane for all runs, or one for each."""
    together = execution == "vmap"
    if together:
        check_separable(make_optimizer)
    watched = Watched(population.stacked, objective, losses, constraint)
    gradients = (
        OfAllRuns(watched, plan.names, plan.steps, backend)
        if together
        else of_one_run(watched, plan.names)
    )
    runs = list(range(len(population)))
    lanes: list[Lane] = []
    for group in [runs] if together else [[run] for run in runs]:
        parameters, buffers = _lane_tensors(population, None if together else group[0])
        drive = Drive(make_optimizer(parameters.values()), per_run=together)
        check_steps_alone(drive.optimizer)
        noise = mixed(population.seeds[group[0]], "noise")
        names = objective.names
        lanes.append(
            Lane(group, parameters, buffers, gradients, drive, names, noise, constraint, backend)
        )
        if together:
            for name in _hyperparameters(drive, plan):
                check_per_run(name, plan.differs(name), make_optimizer)
    return lanes


def _lane_tensors(
    population: Population, run: int | None
) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    """The population's own tensors for all runs, or leaves of one run's; frozen ones as buffers."""
    trained: dict[str, torch.Tensor] = {}
    fixed: dict[str, torch.Tensor] = {}
    for name, tensor in population.tensors().items():
        own = tensor if run is None else tensor.detach()[run].clone()
        (trained if tensor.requires_grad else fixed)[name] = own.requires_grad_(
            tensor.requires_grad
        )
    return trained, fixed


def constrain(lanes: Sequence[Lane], population: Population) -> None:
    """What is to hold after each step holds before the first one, too."""
    for lane in lanes:
        lane.constrain()
        if not lane.stacked:
            _write_back(population, lane)


def _hyperparameters(drive: Drive, plan: Plan | Play) -> list[str]:
    settings = {*plan.other_tracks} & {*drive.optimizer.defaults}
    return [name for name in plan.names if name in settings]


def play(
    lanes: Sequence[Lane],
    drawn: Sequence[LabeledBatch],
    watched: Watched,
    population: Population,
    plan: Plan | Play,
    log: Log,
    first: int,
    stop: int,
) -> None:
    """One stretch in every lane; what single runs came to goes back into the population."""
    memory = brought(watched.losses)
    log.table[first:stop] = plan.rows(first, stop)
    before: Settings = settings_of(watched.model) if len(lanes) > 1 else {}
    left: Found | None = None
    for lane in lanes:
        lane.rewind = partial(restore, watched.model, before)
        lane.rewind()
        lane.play(_stretch(lane, drawn, memory, plan, log, first, stop))
        if not lane.stacked:
            _write_back(population, lane)
        if len(lanes) > 1:
            now = watched.look()
            check_shared(lane.runs[0], left or now, now)
            left = left or now


def _stretch(
    lane: Lane,
    drawn: Sequence[LabeledBatch],
    memory: Mapping[str, torch.Tensor],
    plan: Plan | Play,
    log: Log,
    first: int,
    stop: int,
) -> Stretch:
    offset = first % BLOCK
    within = slice(offset, offset + stop - first)
    runs = slice(lane.runs[0], lane.runs[-1] + 1)
    rows = log.table[first:stop]
    weights = rows.to(log.means)
    return Stretch(
        first,
        _lane_batches(drawn, memory, within, lane, log.means.device),
        weights[..., runs] if lane.stacked else weights[..., lane.runs[0]],
        {
            name: rows[:, plan.names.index(name), runs]
            for name in _hyperparameters(lane.drive, plan)
        },
        log.means[first:stop, :, runs],
        log.masses[first:stop, :, runs],
    )


def _lane_batches(
    drawn: Sequence[LabeledBatch],
    memory: Mapping[str, torch.Tensor],
    within: slice,
    lane: Lane,
    device: torch.device,
) -> list[LabeledBatch]:
    """The batches of a stretch, step by step; stacked over runs where the lane is."""
    drawn = [drawn[run] for run in lane.runs]
    if not lane.stacked:
        whole = drawn[0].map(lambda tensor: tensor[within].to(device))
    else:
        names = (tuple(drawn[0].labels), tuple(drawn[0].extras))
        whole = LabeledBatch(
            torch.stack([batch.inputs[within] for batch in drawn], 1).to(device),
            {n: torch.stack([b.labels[n][within] for b in drawn], 1).to(device) for n in names[0]},
            {n: torch.stack([b.extras[n][within] for b in drawn], 1).to(device) for n in names[1]},
        )
    steps = [whole.map(lambda tensor, i=i: tensor[i]) for i in range(len(whole.inputs))]
    own = {name: kept if lane.stacked else kept[lane.runs[0]] for name, kept in memory.items()}
    return [LabeledBatch(each.inputs, each.labels, {**each.extras, **own}) for each in steps]


def brought(losses: Mapping[str, Loss]) -> dict[str, torch.Tensor]:
    """What losses bring along for each run ``(runs, ...)``, by the name under which it travels."""
    each = [loss.memory() for loss in losses.values() if isinstance(loss, Bringing)]
    return {name: tensor for kept in each for name, tensor in kept.items()}


def _write_back(population: Population, lane: Lane) -> None:
    with torch.no_grad():
        stacked = population.tensors()
        for name, tensor in {**lane.parameters, **lane.buffers}.items():
            stacked[name][lane.runs[0]].copy_(tensor)
