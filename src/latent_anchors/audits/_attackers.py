"""The attackers of all seeds side by side, and which of them are still in the race."""

from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor

from latent_anchors.audits._lessons import Lesson
from latent_anchors.audits._pupils import Pupil
from latent_anchors.audits._starts import Tensors
from latent_anchors.audits._updates import Rules, State, update
from latent_anchors.models import Population

SETTINGS = tuple(
    (optimizer, rate) for optimizer in ("Adam", "SGD") for rate in (0.001, 0.003, 0.01, 0.03, 0.1)
)
GOAL, EXAM, STAY = 0.01, 1e-3, 20
"""The errors that count as learnt, and for how many steps they have to hold."""

NOBODY = -1


class Attackers:
    """One attacker for each start, setting and seed, numbered in this order, seeds fastest."""

    def __init__(
        self, population: Population, starts: Mapping[str, Tensors], lesson: Lesson
    ) -> None:
        self.pupil = Pupil(population, lesson)
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
        self.arrived = some.new_full((self.runs,), torch.inf)
        self.first = self.active.new_full((self.runs,), NOBODY)
        self.log: list[Tensor] = []

    @property
    def seed(self) -> Tensor:
        """By position, for each that is still in the race."""
        return self.active % self.runs

    def all_arrived(self) -> bool:
        """Whether somebody was there for each seed."""
        return bool(self.arrived.isfinite().all())

    def measure(self, step: int) -> None:
        """Note the goal's error, and who has been there for long enough."""
        errors = self.pupil.goal_errors(self.state.parameters, self.seed)
        row = errors.new_full((len(self.rules.rate),), torch.nan)
        self.log.append(row.index_put((self.active,), errors))
        there = self._passing(errors)
        streak = torch.zeros_like(self.streak)
        streak[there] = self.streak[there] + 1
        self.streak = streak
        stayed = there[streak[there] == STAY].flip(0)  # of several, the one written last counts
        self.first[self.seed[stayed]] = self.active[stayed]
        self.arrived[self.seed[stayed]] = step - STAY + 1.0

    def sweep(self) -> None:
        """Whoever can no longer be first leaves; the first go on."""
        first = self.first[self.seed]
        kept = ((first == NOBODY) | (first == self.active)).nonzero().squeeze(1)
        if len(kept) < len(self.active):
            self.state = self.state.keep(kept)
            self.active, self.streak = self.active[kept], self.streak[kept]

    def train(self, step: int) -> None:
        """One step of everybody."""
        gradients = self.pupil.gradients(self.state.parameters, self.seed, step)
        self.state = update(self.state, gradients, self.rules.keep(self.active), step + 1)

    def best(self) -> Tensor:
        """Each seed's first attacker ``(seeds,)``; the nearest one where nobody was there."""
        at_last = self.log[-1].nan_to_num(torch.inf, torch.inf).view(-1, self.runs)
        seeds = torch.arange(self.runs, device=self.first.device)
        return self.first.where(self.first != NOBODY, at_last.argmin(0) * self.runs + seeds)

    def told(self, attackers: Tensor) -> tuple[str, ...]:
        """Starts, optimizers and rates in words."""
        said: list[str] = []
        for index in cast("list[int]", (attackers // self.runs).tolist()):
            start, setting = divmod(index, len(SETTINGS))
            optimizer, rate = SETTINGS[setting]
            said.append(f"{self.names[start]}, {optimizer} at {rate:g}")
        return tuple(said)

    def _passing(self, errors: Tensor) -> Tensor:
        """Who reaches the goal and passes the exam, which is the dearer one, by place."""
        racing = self.first[self.seed] == NOBODY
        near = ((errors < GOAL) & racing).nonzero().squeeze(1)
        if not len(near):
            return near
        tensors = {name: tensor[near] for name, tensor in self.state.parameters.items()}
        return near[self.pupil.exam_errors(tensors, self.seed[near]) < EXAM]

    def _rules(self, like: Tensor) -> Rules:
        each = [setting for _ in self.names for setting in SETTINGS for _ in range(self.runs)]
        adam = torch.tensor([optimizer == "Adam" for optimizer, _ in each], device=like.device)
        return Rules(adam, like.new_tensor([rate for _, rate in each]))
