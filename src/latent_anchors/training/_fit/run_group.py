"""A group of runs stepped as one: their optimizer, and what happens when one goes non-finite."""

from collections.abc import Callable, Collection, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, TypeAlias

import torch
from torch import Tensor

from latent_anchors._streams import mixed
from latent_anchors.data import LabeledBatch
from latent_anchors.models import Population
from latent_anchors.training._constraints import Constraint, hold, holder
from latent_anchors.training._fit.optimizers import (
    DrivenOptimizer,
    MakeOptimizer,
    check_per_run,
    check_separable,
    check_steps_alone,
)
from latent_anchors.training._fit.schedule import Schedule
from latent_anchors.training._fit.step import Gradients, OfAllRuns, Step, of_one_run
from latent_anchors.training._fit.trace import Backend, Outside, Tensors
from latent_anchors.training._history import Failure
from latent_anchors.training._python_state.watched import Watched
from latent_anchors.training._schedulers import check_setting


@dataclass(frozen=True, eq=False)
class StepBatch:
    """Consecutive steps: batches, weights, hyperparameters, and where to write the results."""

    first: int
    batches: Sequence[LabeledBatch]
    weights: Tensor
    """``(steps, tracks, ...)``"""
    hyper: Mapping[str, Tensor]
    """``(steps, runs)``, on the CPU"""
    means: Tensor
    masses: Tensor
    """Views into the history ``(steps, parts, runs)``"""


class RunGroup:
    """Runs stepped as one. ``stacked`` tensors have an axis of runs; a single run's have none.

    Whether all numbers are finite is checked once at the end of a step batch, not at each step. If
    a run failed, the step batch is repeated from its beginning with a check at each step, and the
    run is frozen where it last was finite.
    """

    def __init__(
        self,
        runs: Sequence[int],
        parameters: Tensors,
        buffers: Tensors,
        gradients: Gradients,
        driven: DrivenOptimizer,
        names: Sequence[str],
        noise: int,
        constraint: Constraint | None = None,
        backend: Backend = "eager",
    ) -> None:
        self.runs, self.names, self.stacked = runs, names, driven.per_run
        self.parameters, self.buffers = parameters, buffers
        # averages that a forward pass writes; others may hold infinities, such as a mask
        self.counted: Tensors = {name: b for name, b in buffers.items() if b.isfinite().all()}
        self.gradients, self.driven = gradients, driven
        self.alive = torch.ones(len(runs), dtype=torch.bool, device=_device(parameters))
        self.failures: list[Failure] = []
        self.noise = torch.Generator(self.alive.device).manual_seed(noise).get_state()
        self.constraint = constraint
        self.backend: Backend = backend
        self.rewind: Callable[[], None] = lambda: None
        """Restores the Python values from before a step batch that is repeated."""
        self._hold, self._outside = self._holder()

    def heed(self, acted: bool) -> None:
        """Before a step batch: drop the trace if Python values changed."""
        if not isinstance(self.gradients, OfAllRuns):
            return
        if self.gradients.replaying.heed(acted, self._outside):
            self._hold, self._outside = self._holder()

    def compare(self) -> None:
        """At the end: compare the trace with the untraced step."""
        if isinstance(self.gradients, OfAllRuns):
            self.gradients.replaying.compare()

    def play(self, steps: StepBatch) -> None:
        """All steps of a step batch, with the group's own noise; the global one is restored."""
        generator = _global_generator(self.alive.device)
        before = generator.get_state()
        generator.set_state(self.noise)
        try:
            self._play(steps, generator)
            self.noise = generator.get_state()
        finally:
            generator.set_state(before)

    def constrain(self) -> None:
        """Apply the constraint to the parameters, if there is one."""
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
        self.driven.recall(optimizer, driven)
        self.noise = noise.cpu()
        self.failures = [failure for failure in failures if failure.run in self.runs]
        for failure in self.failures:
            self.alive[self.runs.index(failure.run)] = False

    def write_back(self, population: Population) -> None:
        """Copy a single run's tensors into the population, which stacked ones are part of."""
        if self.stacked:
            return
        with torch.no_grad():
            rows = population.tensors()
            for name, tensor in self._tensors().items():
                rows[name][self.runs[0]].copy_(tensor)

    def _play(self, steps: StepBatch, generator: torch.Generator) -> None:
        if self.failures:
            self._guarded(steps)
            return
        snapshot = self._snapshot()
        for index in range(len(steps.batches)):
            step = self._step(steps, index)
            steps.means[index], steps.masses[index] = self._shaped(step.means, step.masses)
            self._update(steps, index)
        if not self._finite(steps):
            self._restore(snapshot)
            self.rewind()
            generator.set_state(self.noise)
            self._guarded(steps)

    def _step(self, steps: StepBatch, index: int) -> Step:
        step = self.gradients(
            self.parameters, self.buffers, steps.batches[index], steps.weights[index]
        )
        for name, parameter in self.parameters.items():
            parameter.grad = step.gradients[name]
        return step

    def _update(self, steps: StepBatch, index: int) -> None:
        self.driven.step({name: values[index] for name, values in steps.hyper.items()})
        self.constrain()

    def _shaped(self, *parts: Tensor) -> list[Tensor]:
        return [part if self.stacked else part.unsqueeze(-1) for part in parts]

    def _guarded(self, steps: StepBatch) -> None:
        for index in range(len(steps.batches)):
            before = {name: tensor.detach().clone() for name, tensor in self._tensors().items()}
            step = self._step(steps, index)
            means, masses = self._shaped(step.means, step.masses)
            self._update(steps, index)
            self._note_failures(steps.first + index, means)
            self._freeze(before)
            steps.means[index] = torch.where(self.alive, means, torch.nan)
            steps.masses[index] = torch.where(self.alive, masses, 0.0)

    def _note_failures(self, step: int, means: Tensor) -> None:
        finite, weights = means.isfinite(), self._all_finite(self.parameters)
        newly = (self.alive & ~(finite.all(0) & weights & self._all_finite(self.counted))).cpu()
        for run in [run for run, fell in enumerate(newly) if fell]:
            broken = [name for name, ok in zip(self.names, finite[:, run], strict=True) if not ok]
            broken += ["buffer" if weights[run] else "gradient"]
            self.failures.append(Failure(self.runs[run], step, broken[0]))
            self.alive[run] = False

    def _freeze(self, before: Tensors) -> None:
        with torch.no_grad():
            for name, tensor in self._tensors().items():
                alive = self.alive if self.stacked else self.alive[0]
                shape = (-1, *[1] * (tensor.ndim - 1)) if self.stacked else ()
                tensor.copy_(torch.where(alive.view(shape), tensor, before[name]))

    def _holder(self) -> tuple[Callable[[], None] | None, Outside | None]:
        if self.constraint is None:
            return None, None
        if self.stacked:
            return holder(self.constraint, self._tensors(), self.backend)
        return partial(hold, self.constraint, self._tensors(), stacked=False), None

    def _all_finite(self, tensors: Tensors) -> Tensor:
        if not tensors:
            return torch.ones_like(self.alive)
        if not self.stacked:
            return torch.stack([t.isfinite().all() for t in tensors.values()]).all().view(1)
        sound = [t.isfinite().reshape(len(t), -1).all(1) for t in tensors.values()]
        return torch.stack(sound).all(0)

    def _finite(self, steps: StepBatch) -> bool:
        sound = self._all_finite({**self.parameters, **self.counted})
        return bool(steps.means.isfinite().all() & sound.all())

    def _tensors(self) -> Tensors:
        return {**self.parameters, **self.buffers}

    def _snapshot(self) -> tuple[Tensors, dict[str, Any]]:
        tensors = {name: tensor.detach().clone() for name, tensor in self._tensors().items()}
        return tensors, deepcopy(self.driven.optimizer.state_dict())

    def _restore(self, snapshot: tuple[Tensors, dict[str, Any]]) -> None:
        tensors, state = snapshot
        with torch.no_grad():
            for name, tensor in self._tensors().items():
                tensor.copy_(tensors[name])
        self.driven.restore(state)


def _device(parameters: Tensors) -> torch.device:
    return next(iter(parameters.values())).device


def _global_generator(device: torch.device) -> torch.Generator:
    on_gpu = device.type == "cuda"
    return torch.cuda.default_generators[device.index] if on_gpu else torch.default_generator


Execution: TypeAlias = Literal["vmap", "sequential"]


def make_run_groups(
    population: Population,
    watched: Watched,
    make_optimizer: MakeOptimizer,
    execution: Execution,
    schedule: Schedule,
    backend: Backend,
) -> list[RunGroup]:
    """One group of all runs, or a group for each."""
    if execution == "sequential":
        gradients = of_one_run(watched, schedule.names)
        groups = [
            _run_group(population, [run], watched, make_optimizer, gradients)
            for run in range(len(population))
        ]
        _check_settings(groups, schedule)
        return groups
    check_separable(make_optimizer)
    gradients = OfAllRuns(watched, schedule.names, schedule.steps, backend)
    runs = list(range(len(population)))
    group = _run_group(population, runs, watched, make_optimizer, gradients, backend)
    for name in schedule.hyperparameters(group.driven.optimizer.defaults):
        check_per_run(name, schedule.differs(name), make_optimizer)
    _check_settings([group], schedule)
    return [group]


def _check_settings(groups: Sequence[RunGroup], schedule: Schedule) -> None:
    """Refuse a track that would write over a switch, or over what groups have of their own."""
    for optimizer in (group.driven.optimizer for group in groups):
        for name in schedule.hyperparameters(optimizer.defaults):
            check_setting(optimizer, name)


def _run_group(
    population: Population,
    runs: Sequence[int],
    watched: Watched,
    make_optimizer: MakeOptimizer,
    gradients: Gradients,
    backend: Backend | None = None,
) -> RunGroup:
    stacked = backend is not None
    parameters, buffers = _tensors_of(population, None if stacked else runs[0])
    driven = DrivenOptimizer(make_optimizer(parameters.values()), per_run=stacked)
    check_steps_alone(driven.optimizer)
    return RunGroup(
        runs,
        parameters,
        buffers,
        gradients,
        driven,
        watched.objective.names,
        mixed(population.seeds[runs[0]], "noise"),
        watched.constraint,
        backend or "eager",
    )


def _tensors_of(population: Population, run: int | None) -> tuple[Tensors, Tensors]:
    """The population's own tensors for all runs, or leaves of one run's; frozen ones as buffers."""
    trained: Tensors = {}
    fixed: Tensors = {}
    for name, tensor in population.tensors().items():
        own = tensor if run is None else tensor.detach()[run].clone()
        (trained if tensor.requires_grad else fixed)[name] = own.requires_grad_(
            tensor.requires_grad
        )
    return trained, fixed
