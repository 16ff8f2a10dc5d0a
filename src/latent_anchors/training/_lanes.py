"""A lane: runs stepped as one, their optimizer, and what to do when one goes non-finite."""

from collections.abc import Callable, Collection, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from latent_anchors.data import LabeledBatch
from latent_anchors.training._backends import Backend
from latent_anchors.training._constraints import Constraint, hold, holder
from latent_anchors.training._gradients import Gradients, OfAllRuns, Step
from latent_anchors.training._history import Failure
from latent_anchors.training._optimizers import Drive
from latent_anchors.training._replaying import Tensors


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
