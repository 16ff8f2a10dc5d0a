"""Training of stacked networks side by side, each run with its own optimizer and rate."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, fields
from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor, nn

from latent_anchors._runs import call_with
from latent_anchors._streams import BLOCK, mixed
from latent_anchors.audits._perturbation import parameters_of, per_run
from latent_anchors.data import Sampler
from latent_anchors.models import Population

Tensors = Mapping[str, Tensor]
"""Stacked parameters by name ``(runs, ...)``."""


@dataclass(frozen=True, eq=False)
class Task:
    """Inputs, targets, and the two errors that say whether they are learned.

    Attributes:
        inputs: Training inputs ``(n, channels)``, each as often.
        targets: Their targets ``(n, channels)``, or for each run ``(runs, n, channels)``.
        goal: The input that has to be learned ``(1, channels)``.
        goal_target: Its target ``(1, channels)``.
        check: Inputs over which the mean error must be small too ``(m, channels)``.
        check_targets: Their targets ``(m, channels)`` or ``(runs, m, channels)``.
    """

    inputs: Float[Tensor, "n channels"]
    targets: Float[Tensor, "*runs n channels"]
    goal: Float[Tensor, "1 channels"]
    goal_target: Float[Tensor, "1 channels"]
    check: Float[Tensor, "m channels"]
    check_targets: Float[Tensor, "*runs m channels"]

    def to(self, like: Tensor) -> "Task":
        """The same task in another tensor's type and device."""
        return Task(*(getattr(self, field.name).to(like) for field in fields(self)))


BATCH = 64
CHUNK = 1024
"""Runs taken at a time: enough to share the overhead, few enough for the memory."""


class StackedTraining:
    """The seeds' architecture and task; attackers give parameters and the seed they belong to.

    What is shown at a step depends on the seed alone, so that all attackers of a seed, and its
    fresh network, see the same. It is not what the network was trained on at that step.
    """

    def __init__(self, population: Population, task: Task) -> None:
        like = next(iter(parameters_of(population).values()))
        self.task: Task = task.to(like)
        self.trained = deepcopy(population.stacked).train()
        self.evaluated = deepcopy(population.stacked).eval()
        self.buffers = dict(population.stacked.named_buffers())
        self.streams = [mixed(seed, "relearning") for seed in population.seeds]
        self.sampler = Sampler(task.inputs, batch_size=BATCH)
        self._rows = lru_cache(maxsize=1)(self._rows_of_block)

    def gradients(self, parameters: Tensors, seed: Tensor, step: int) -> dict[str, Tensor]:
        """Of the mean squared error on each seed's batch; parameters ``(runs, ...)``."""
        rows = self._rows(step // BLOCK)[seed, step % BLOCK]
        parts: list[dict[str, Tensor]] = []
        for begin in range(0, len(seed), CHUNK):
            part = slice(begin, begin + CHUNK)
            own = {name: p[part] for name, p in parameters.items()}
            parts.append(self._gradients(own, seed[part], rows[part]))
        return {name: torch.cat([part[name] for part in parts]) for name in parameters}

    def _gradients(self, parameters: Tensors, seed: Tensor, rows: Tensor) -> dict[str, Tensor]:
        leaves = {name: p.detach().requires_grad_() for name, p in parameters.items()}
        x, y = self.task.inputs[rows], self._per_seed(self.task.targets)[seed.unsqueeze(1), rows]
        with torch.enable_grad():
            output = torch.vmap(self._forward(self.trained))(leaves, self._fixed(seed), x)
            # runs are independent: the gradient of the sum is that of each
            loss = (output - y).square().flatten(1).mean(1).sum()
        return dict(zip(leaves, torch.autograd.grad(loss, [*leaves.values()]), strict=True))

    def goal_errors(self, parameters: Tensors, seed: Tensor) -> Tensor:
        """Each run's error where it matters ``(runs,)``."""
        return self._errors(parameters, seed, self.task.goal, self.task.goal_target)

    def check_errors(self, parameters: Tensors, seed: Tensor) -> Tensor:
        """Each run's mean error over the check ``(runs,)``."""
        return self._errors(parameters, seed, self.task.check, self.task.check_targets)

    def _errors(self, parameters: Tensors, seed: Tensor, x: Tensor, y: Tensor) -> Tensor:
        mapped = torch.vmap(self._forward(self.evaluated), in_dims=(0, 0, None), chunk_size=CHUNK)
        with torch.no_grad():
            output = mapped(dict(parameters), self._fixed(seed), x).clamp(0.0, 1.0)
        return (output - self._per_seed(y)[seed]).square().flatten(1).mean(1)

    def _per_seed(self, targets: Tensor) -> Tensor:
        """What each seed is to say ``(seeds, n, channels)``, where all are to say the same too."""
        return targets.expand(len(self.streams), *targets.shape[-2:])

    def _forward(self, model: nn.Module) -> Callable[[Tensors, Tensors, Tensor], Tensor]:
        return lambda parameters, buffers, x: call_with(model, {**parameters, **buffers}, (x,))

    def _fixed(self, seed: Tensor) -> dict[str, Tensor]:
        return {name: buffer[seed] for name, buffer in self.buffers.items()}

    def _rows_of_block(self, index: int) -> Tensor:
        rows = [self.sampler.rows(stream, index) for stream in self.streams]
        return torch.stack(rows).to(self.task.inputs.device)


BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


@dataclass(frozen=True, eq=False)
class Rules:
    """What each run is trained with: whether it is Adam, else SGD; and its rate, ``(runs,)``."""

    adam: Tensor
    rate: Tensor

    def keep(self, runs: Tensor) -> "Rules":
        """Those of some of the runs, by index."""
        return Rules(self.adam[runs], self.rate[runs])


@dataclass(frozen=True, eq=False)
class State:
    """A stack of runs in training: parameters, first and second moments, by name."""

    parameters: Mapping[str, Tensor]
    first: Mapping[str, Tensor]
    second: Mapping[str, Tensor]

    @classmethod
    def begin(cls, parameters: Mapping[str, Tensor]) -> "State":
        """Before the first step."""
        zeros = {name: torch.zeros_like(tensor) for name, tensor in parameters.items()}
        return cls(parameters, zeros, zeros)

    def keep(self, runs: Tensor) -> "State":
        """Some of the runs, by index."""
        return State(*({name: t[runs] for name, t in part.items()} for part in self._parts()))

    def _parts(self) -> tuple[Mapping[str, Tensor], ...]:
        return self.parameters, self.first, self.second


def update(state: State, gradients: Mapping[str, Tensor], rules: Rules, step: int) -> State:
    """One step of every run by its own rule; ``step`` counts from 1.

    Both rules move along a first moment, 0.9 of it kept: SGD adds the gradient to it, Adam a tenth
    of the gradient, and divides by the root of the second moment.
    """
    added = torch.ones_like(rules.rate).masked_fill(rules.adam, 1 - BETA1)
    parameters: dict[str, Tensor] = {}
    first: dict[str, Tensor] = {}
    second: dict[str, Tensor] = {}
    for name, p in state.parameters.items():
        g = gradients[name]
        m = BETA1 * state.first[name] + per_run(added, g) * g
        v = BETA2 * state.second[name] + (1 - BETA2) * g * g
        scaled = m / (1 - BETA1**step) / ((v / (1 - BETA2**step)).sqrt() + EPSILON)
        move = torch.where(per_run(rules.adam, p), scaled, m)
        parameters[name], first[name], second[name] = p - per_run(rules.rate, p) * move, m, v
    return State(parameters, first, second)
