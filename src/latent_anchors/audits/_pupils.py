"""Pupils: stacked networks with a lesson to learn, their gradients and their errors."""

from collections.abc import Callable
from copy import deepcopy
from functools import lru_cache

import torch
from torch import Tensor, nn
from torch.func import functional_call

from latent_anchors._streams import BLOCK, mixed
from latent_anchors.audits._lessons import Lesson
from latent_anchors.audits._starts import Tensors, parameters_of
from latent_anchors.data import Sampler
from latent_anchors.models import Population

BATCH = 64
CHUNK = 1024
"""Runs taken at a time: enough to share the overhead, few enough for the memory."""


class Pupil:
    """The seeds' architecture and lesson; whoever attacks brings parameters and names its seed.

    What is shown at a step depends on the seed alone, so that all attackers of a seed, and its
    fresh network, see the same. It is not what the network was trained on at that step.
    """

    def __init__(self, population: Population, lesson: Lesson) -> None:
        like = next(iter(parameters_of(population).values()))
        self.lesson: Lesson = lesson.to(like)
        self.learning = deepcopy(population.stacked).train()
        self.examined = deepcopy(population.stacked).eval()
        self.buffers = dict(population.stacked.named_buffers())
        self.streams = [mixed(seed, "relearning") for seed in population.seeds]
        self.sampler = Sampler(lesson.inputs, batch_size=BATCH)
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
        x, y = self.lesson.inputs[rows], self._own(self.lesson.targets)[seed.unsqueeze(1), rows]
        with torch.enable_grad():
            said = torch.vmap(self._says(self.learning))(leaves, self._fixed(seed), x)
            # runs do not touch: the gradient of the sum is each one's own
            loss = (said - y).square().flatten(1).mean(1).sum()
        return dict(zip(leaves, torch.autograd.grad(loss, [*leaves.values()]), strict=True))

    def goal_errors(self, parameters: Tensors, seed: Tensor) -> Tensor:
        """Each run's error where it matters ``(runs,)``."""
        return self._errors(parameters, seed, self.lesson.goal, self.lesson.goal_target)

    def exam_errors(self, parameters: Tensors, seed: Tensor) -> Tensor:
        """Each run's mean error over the exam ``(runs,)``."""
        return self._errors(parameters, seed, self.lesson.exam, self.lesson.exam_targets)

    def _errors(self, parameters: Tensors, seed: Tensor, x: Tensor, y: Tensor) -> Tensor:
        mapped = torch.vmap(self._says(self.examined), in_dims=(0, 0, None), chunk_size=CHUNK)
        with torch.no_grad():
            said = mapped(dict(parameters), self._fixed(seed), x).clamp(0.0, 1.0)
        return (said - self._own(y)[seed]).square().flatten(1).mean(1)

    def _own(self, targets: Tensor) -> Tensor:
        """What each seed is to say ``(seeds, n, channels)``, where all are to say the same too."""
        return targets.expand(len(self.streams), *targets.shape[-2:])

    def _says(self, model: nn.Module) -> Callable[[Tensors, Tensors, Tensor], Tensor]:
        return lambda parameters, buffers, x: functional_call(
            model, {**parameters, **buffers}, (x,)
        )

    def _fixed(self, seed: Tensor) -> dict[str, Tensor]:
        return {name: buffer[seed] for name, buffer in self.buffers.items()}

    def _rows_of_block(self, index: int) -> Tensor:
        rows = [self.sampler.rows(stream, index) for stream in self.streams]
        return torch.stack(rows).to(self.lesson.inputs.device)
