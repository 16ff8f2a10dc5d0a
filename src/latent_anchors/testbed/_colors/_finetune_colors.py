"""Fine-tuning attacks on stacked autoencoders: every start, optimizer and rate side by side."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor

from latent_anchors._checks import listed
from latent_anchors._numerics import as_floats
from latent_anchors.audits._fresh import fresh
from latent_anchors.audits._perturbation import by_layer, norm, parameters_of, per_run
from latent_anchors.models import Population
from latent_anchors.testbed._colors._stacked_training import (
    Rules,
    StackedTraining,
    State,
    Task,
    Tensors,
    update,
)

AS_IT_IS, RESCALED = "as it is", "rescaled"

SETTINGS = tuple(
    (optimizer, rate) for optimizer in ("Adam", "SGD") for rate in (0.001, 0.003, 0.01, 0.03, 0.1)
)
GOAL, CHECK, HOLD = 0.01, 1e-3, 20
"""Errors that count as learned, of the goal and in the mean, and for how many steps in a row."""

NONE = -1

PATIENCE = 10
"""How many times the median of fresh networks an attacker may need."""

LONGEST = 10_000
DROP_EVERY = 10
"""Steps between two looks for attackers that can no longer be first."""


def as_it_is(population: Population) -> dict[str, Tensors]:
    """One start only."""
    return {AS_IT_IS: parameters_of(population)}


def starts(edited: Population, parts: Sequence[str]) -> dict[str, Tensors]:
    """As it is, with one part re-initialized, and with its layers rescaled to fresh ones' norms."""
    old, new = parameters_of(edited), parameters_of(fresh(edited))
    found: dict[str, Tensors] = {AS_IT_IS: old}
    for part in parts:
        _check_part(part, old)
        found[f"new {part}"] = {n: new[n] if _within(n, part) else old[n] for n in old}
    found[RESCALED] = _rescaled(old, new)
    return found


def _check_part(part: str, tensors: Tensors) -> None:
    if not any(_within(name, part) for name in tensors):
        tops = dict.fromkeys(name.split(".")[0] for name in tensors)
        raise ValueError(
            f"No parameter lies in the part {part!r}; expected parts such as {listed(tops)}. Name "
            "those that an attacker may re-initialize: parts=(...)."
        )


def _within(name: str, part: str) -> bool:
    return name.startswith(f"{part}.")


def _rescaled(old: Tensors, new: Tensors) -> Tensors:
    found: dict[str, Tensor] = {}
    for names in by_layer(old).values():
        length = norm([old[name] for name in names])
        wanted = norm([new[name] for name in names])
        # a layer of zeros has no direction to rescale
        factor = torch.where(length > 0, wanted / torch.where(length > 0, length, 1.0), 1.0)
        found |= {name: old[name] * per_run(factor, old[name]) for name in names}
    return found


class Attackers:
    """One attacker for each start, setting and seed, numbered in this order, seeds fastest."""

    def __init__(self, population: Population, starts: Mapping[str, Tensors], task: Task) -> None:
        self.training = StackedTraining(population, task)
        self.names, self.runs = tuple(starts), len(population)
        parameters = {
            name: torch.cat([start[name] for start in starts.values() for _ in SETTINGS])
            for name in next(iter(starts.values()))
        }
        self.state = State.begin(parameters)
        some = next(iter(parameters.values()))
        self.active = torch.arange(len(some), device=some.device)
        self.streak = torch.zeros_like(self.active)
        self.rules = self._rules(some)
        # half precision would round the steps
        self.steps = some.new_full((self.runs,), torch.inf, dtype=torch.float64)
        self.first = self.active.new_full((self.runs,), NONE)
        self.log: list[Tensor] = []

    @property
    def seed(self) -> Tensor:
        """The seed of each attacker that is still trained, by position."""
        return self.active % self.runs

    def all_there(self) -> bool:
        """Whether some attacker of each seed has reached the goal."""
        return bool(self.steps.isfinite().all())

    def measure(self, step: int) -> None:
        """Log the goal's error, and note attackers that have held it for long enough."""
        errors = self.training.goal_errors(self.state.parameters, self.seed)
        row = errors.new_full((len(self.rules.rate),), torch.nan)
        self.log.append(row.index_put((self.active,), errors))
        there = self._passing(errors)
        streak = torch.zeros_like(self.streak)
        streak[there] = self.streak[there] + 1
        self.streak = streak
        stayed = there[streak[there] == HOLD].flip(0)  # of several, the one written last counts
        self.first[self.seed[stayed]] = self.active[stayed]
        self.steps[self.seed[stayed]] = step - HOLD + 1.0

    def drop_beaten(self) -> None:
        """Stop training attackers that can no longer be first."""
        first = self.first[self.seed]
        kept = ((first == NONE) | (first == self.active)).nonzero().squeeze(1)
        if len(kept) < len(self.active):
            self.state = self.state.keep(kept)
            self.active, self.streak = self.active[kept], self.streak[kept]

    def train(self, step: int) -> None:
        """One training step of every attacker."""
        gradients = self.training.gradients(self.state.parameters, self.seed, step)
        self.state = update(self.state, gradients, self.rules.keep(self.active), step + 1)

    def best(self) -> Tensor:
        """Each seed's first attacker ``(seeds,)``; the nearest one where none got there."""
        at_last = self.log[-1].nan_to_num(torch.inf, torch.inf).view(-1, self.runs)
        seeds = torch.arange(self.runs, device=self.first.device)
        return self.first.where(self.first != NONE, at_last.argmin(0) * self.runs + seeds)

    def names_of(self, attackers: Tensor) -> tuple[str, ...]:
        """Starts, optimizers and rates in words."""
        output: list[str] = []
        for index in cast("list[int]", (attackers // self.runs).tolist()):
            start, setting = divmod(index, len(SETTINGS))
            optimizer, rate = SETTINGS[setting]
            output.append(f"{self.names[start]}, {optimizer} at {rate:g}")
        return tuple(output)

    def _passing(self, errors: Tensor) -> Tensor:
        """Positions of attackers that reach the goal and pass the more expensive check."""
        open_seed = self.first[self.seed] == NONE
        near = ((errors < GOAL) & open_seed).nonzero().squeeze(1)
        if not len(near):
            return near
        tensors = {name: tensor[near] for name, tensor in self.state.parameters.items()}
        return near[self.training.check_errors(tensors, self.seed[near]) < CHECK]

    def _rules(self, like: Tensor) -> Rules:
        each = [setting for _ in self.names for setting in SETTINGS for _ in range(self.runs)]
        adam = torch.tensor([optimizer == "Adam" for optimizer, _ in each], device=like.device)
        return Rules(adam, like.new_tensor([rate for _, rate in each]))


@dataclass(frozen=True, eq=False)
class Finetuned:
    """How soon each seed's best attacker reached the goal.

    ``steps`` ``(seeds,)`` is the first step from which the task holds, infinite where the
    ``limit`` came first; ``errors`` ``(steps, seeds)`` that of the goal under the ``best``.
    """

    steps: Float[Tensor, " seeds"]
    best: tuple[str, ...]
    errors: Float[Tensor, "steps seeds"]
    limit: float


def finetune(
    population: Population,
    starts: Mapping[str, Tensors],
    task: Task,
    limit: float | None = None,
    least: int = 0,
) -> Finetuned:
    """Train every start under every setting on its seed's own stream; the first one counts.

    As soon as one attacker of a seed has reached the goal, the others are dropped, as they can only
    be later. The ``limit`` is 10 times the median of this call's steps if None. The best go on for
    ``least`` steps, so that their curves can be drawn.
    """
    attackers = Attackers(population, starts, task)
    over = torch.inf if limit is None else limit
    for step in range(LONGEST):
        attackers.measure(step)
        if limit is None:
            over = PATIENCE * statistics.median(as_floats(attackers.steps))
        if step >= least and (attackers.all_there() or step >= over + HOLD - 1):
            best, steps = attackers.best(), attackers.steps
            errors = torch.stack(attackers.log)[:, best]
            in_time = steps.where(steps <= over, torch.inf)
            return Finetuned(in_time, attackers.names_of(best), errors, over)
        if step % DROP_EVERY == 0:
            attackers.drop_beaten()
        attackers.train(step)
    raise RuntimeError(
        f"After {LONGEST} steps only {int(attackers.steps.isfinite().sum())} of "
        f"{len(population)} networks have learned the task (error under {GOAL:g}, mean error "
        f"under {CHECK:g}); expected more than half, so that there is something to compare with."
    )
