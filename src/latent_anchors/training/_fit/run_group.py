"""A lane: runs stepped as one, their optimizer, and what to do when one goes non-finite."""

from collections.abc import Callable, Collection, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, TypeAlias

import torch
from torch import Tensor

from latent_anchors._streams import BLOCK, mixed
from latent_anchors.data import LabeledBatch
from latent_anchors.models import Population
from latent_anchors.training._constraints import Constraint, hold, holder
from latent_anchors.training._fit.backends import Backend
from latent_anchors.training._fit.optimizers import (
    Drive,
    MakeOptimizer,
    check_per_run,
    check_separable,
    check_steps_alone,
)
from latent_anchors.training._fit.schedule import Plan, Play
from latent_anchors.training._fit.step import Gradients, OfAllRuns, Step, of_one_run
from latent_anchors.training._fit.trace import Tensors
from latent_anchors.training._history import Failure, Log
from latent_anchors.training._losses.forward import Loss
from latent_anchors.training._losses.latent_hold import Bringing
from latent_anchors.training._objective import Objective
from latent_anchors.training._python_state.python_values import Found
from latent_anchors.training._python_state.watched import (
    Settings,
    Watched,
    check_shared,
    restore,
    settings_of,
)


@dataclass(frozen=True, eq=False)
class Stretch:
    """Consecutive steps: batches, weights and hyperparameters, and where to write what happened."""

    first: int
    batches: Sequence[LabeledBatch]
    weights: Tensor
    """``(steps, tracks, ...)``"""
    hyper: Mapping[str, Tensor]
    """``(steps, runs)``, on the CPU"""
    means: Tensor
    masses: Tensor
    """Views into the history ``(steps, parts, runs)``"""


class Lane:
    """Runs stepped as one. ``stacked`` tensors have an axis of runs; a single run's have none.

    The fast path never asks whether a number is finite. Only at the end of a stretch is that
    looked up, once; if a run failed, the stretch is played again from its beginning, guarded, and
    the run stays where it last was finite.
    """

    def __init__(
        self,
        runs: Sequence[int],
        parameters: Tensors,
        buffers: Tensors,
        gradients: Gradients,
        drive: Drive,
        names: Sequence[str],
        noise: int,
        constraint: Constraint | None = None,
        backend: Backend = "eager",
    ) -> None:
        self.runs, self.names, self.stacked = runs, names, drive.per_run
        self.parameters, self.buffers = parameters, buffers
        self.gradients, self.drive = gradients, drive
        self.alive = torch.ones(len(runs), dtype=torch.bool, device=_device(parameters))
        self.failures: list[Failure] = []
        self.noise = torch.Generator(self.alive.device).manual_seed(noise).get_state()
        self.constraint = constraint
        self.backend: Backend = backend
        self.rewind: Callable[[], None] = lambda: None
        """Puts back what Python held before a stretch that is played again."""
        self._hold = self._holder()

    def heed(self, acted: bool) -> None:
        """Before a stretch: what was traced goes on only as long as Python holds the same."""
        if isinstance(self.gradients, OfAllRuns) and self.gradients.replaying.heed(acted):
            self._hold = self._holder()

    def compare(self) -> None:
        """At the end: what was traced is still what the functions do."""
        if isinstance(self.gradients, OfAllRuns):
            self.gradients.replaying.compare()

    def play(self, stretch: Stretch) -> None:
        """All steps of a stretch, under the lane's own noise; the global generator is put back."""
        generator = _global_generator(self.alive.device)
        before = generator.get_state()
        generator.set_state(self.noise)
        try:
            self._play(stretch, generator)
            self.noise = generator.get_state()
        finally:
            generator.set_state(before)

    def constrain(self) -> None:
        """Write what the constraint, if there is one, makes of the parameters into them."""
        if self._hold is not None:
            self._hold()

    def recall(
        self,
        optimizer: Mapping[str, Any],
        noise: Tensor,
        failures: Sequence[Failure],
        driven: Collection[str] = (),
    ) -> None:
        """Go on from where an earlier training was stopped."""
        self.drive.recall(optimizer, driven)
        self.noise = noise.cpu()
        self.failures = [failure for failure in failures if failure.run in self.runs]
        for failure in self.failures:
            self.alive[self.runs.index(failure.run)] = False

    def _play(self, stretch: Stretch, generator: torch.Generator) -> None:
        if self.failures:
            self._guarded(stretch)
            return
        snapshot = self._snapshot()
        for index in range(len(stretch.batches)):
            step = self._step(stretch, index)
            stretch.means[index], stretch.masses[index] = self._shaped(step.means, step.masses)
            self._update(stretch, index)
        if not self._finite(stretch):
            self._restore(snapshot)
            self.rewind()
            generator.set_state(self.noise)
            self._guarded(stretch)

    def _step(self, stretch: Stretch, index: int) -> Step:
        step = self.gradients(
            self.parameters, self.buffers, stretch.batches[index], stretch.weights[index]
        )
        for name, parameter in self.parameters.items():
            parameter.grad = step.gradients[name]
        return step

    def _update(self, stretch: Stretch, index: int) -> None:
        self.drive.step({name: values[index] for name, values in stretch.hyper.items()})
        self.constrain()

    def _shaped(self, *parts: Tensor) -> list[Tensor]:
        return [part if self.stacked else part.unsqueeze(-1) for part in parts]

    def _guarded(self, stretch: Stretch) -> None:
        for index in range(len(stretch.batches)):
            before = {name: tensor.detach().clone() for name, tensor in self._tensors().items()}
            step = self._step(stretch, index)
            means, masses = self._shaped(step.means, step.masses)
            self._update(stretch, index)
            self._note_failures(stretch.first + index, means, step.gradients)
            self._freeze(before)
            stretch.means[index] = torch.where(self.alive, means, torch.nan)
            stretch.masses[index] = torch.where(self.alive, masses, 0.0)

    def _note_failures(self, step: int, means: Tensor, gradients: Tensors) -> None:
        finite = means.isfinite()
        sound = self._all_finite(gradients) & self._all_finite(self.parameters)
        newly = (self.alive & ~(finite.all(0) & sound)).cpu()
        for run in [run for run, fell in enumerate(newly) if fell]:
            broken = [name for name, ok in zip(self.names, finite[:, run], strict=True) if not ok]
            self.failures.append(Failure(self.runs[run], step, broken[0] if broken else "gradient"))
            self.alive[run] = False

    def _freeze(self, before: Tensors) -> None:
        with torch.no_grad():
            for name, tensor in self._tensors().items():
                alive = self.alive if self.stacked else self.alive[0]
                shape = (-1, *[1] * (tensor.ndim - 1)) if self.stacked else ()
                tensor.copy_(torch.where(alive.view(shape), tensor, before[name]))

    def _holder(self) -> Callable[[], None] | None:
        if self.constraint is None:
            return None
        if self.stacked:
            return holder(self.constraint, self._tensors(), self.backend)
        return partial(hold, self.constraint, self._tensors(), stacked=False)

    def _all_finite(self, tensors: Tensors) -> Tensor:
        if not self.stacked:
            return torch.stack([t.isfinite().all() for t in tensors.values()]).all().view(1)
        sound = [t.isfinite().reshape(len(t), -1).all(1) for t in tensors.values()]
        return torch.stack(sound).all(0)

    def _finite(self, stretch: Stretch) -> bool:
        return bool(stretch.means.isfinite().all() & self._all_finite(self.parameters).all())

    def _tensors(self) -> Tensors:
        return {**self.parameters, **self.buffers}

    def _snapshot(self) -> tuple[Tensors, dict[str, object]]:
        tensors = {name: tensor.detach().clone() for name, tensor in self._tensors().items()}
        return tensors, deepcopy(self.drive.optimizer.state_dict())

    def _restore(self, snapshot: tuple[Tensors, dict[str, object]]) -> None:
        tensors, state = snapshot
        with torch.no_grad():
            for name, tensor in self._tensors().items():
                tensor.copy_(tensors[name])
        self.drive.optimizer.load_state_dict(state)


def _device(parameters: Tensors) -> torch.device:
    return next(iter(parameters.values())).device


def _global_generator(device: torch.device) -> torch.Generator:
    on_gpu = device.type == "cuda"
    return torch.cuda.default_generators[device.index] if on_gpu else torch.default_generator


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
