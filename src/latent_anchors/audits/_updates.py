"""Adam and SGD with momentum, side by side: each run with its own rule and rate."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from latent_anchors.audits._starts import per_run

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
