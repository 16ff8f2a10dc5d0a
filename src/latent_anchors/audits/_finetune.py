"""Fine-tuning until a goal is reached: by losses, or by a training step of the caller's."""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from latent_anchors._runs import architecture, eval_mode, seeds_of
from latent_anchors._streams import mixed, seeded
from latent_anchors.curriculum import Above, Keyframe, Playhead, Stop, Timeline, Track, Trigger
from latent_anchors.data import Sampler
from latent_anchors.models import Population
from latent_anchors.training import Constraint, Every, Loss, Objective, Progress, constrain, fit

TrainStep: TypeAlias = Callable[[nn.Module, int], Tensor]
"""A model in training mode and the number of the step to the loss of that step."""

MakeOptimizer: TypeAlias = Callable[..., torch.optim.Optimizer]
"""Parameters and ``lr`` to an optimizer."""

PATIENCE = 2
"""Checks in a row at which the goal has to be reached."""


@dataclass(frozen=True, eq=False)
class Checks:
    """Measured values and whether the goal was reached, each ``(checks, runs)``."""

    values: Float[Tensor, "checks runs"]
    reached: Bool[Tensor, "checks runs"]

    def first(self, every: int) -> Float[Tensor, " runs"]:
        """The step of the first check of two in a row that reach the goal; infinite if none."""
        lasting = self.reached & self.reached.roll(-1, 0)
        lasting[-1] = False
        first = lasting.double().argmax(0).double() * every
        return first.where(lasting.any(0), torch.inf)


@dataclass(frozen=True, eq=False)
class Goal:
    """What is measured every so many steps, and when it counts as reached."""

    measure: Callable[[nn.Module], Any] | None
    reached: Callable[[Any], Any]
    every: int

    def check(self, model: nn.Module) -> Checks:
        """One check; values are 0 or 1 where nothing is measured."""
        with eval_mode(model):
            measured = model if self.measure is None else self.measure(model)
            reached = torch.as_tensor(self.reached(measured)).cpu().reshape(1, -1)
        runs = len(seeds_of(model))
        if reached.dtype != torch.bool or reached.shape[1] != runs:
            raise ValueError(
                f"reached returned {reached.shape[1]} values of type {reached.dtype} for {runs} "
                "runs; expected a bool for each run, such as measured > 0.9."
            )
        values = reached if self.measure is None else torch.as_tensor(measured).cpu()
        return Checks(values.reshape(1, -1).double(), reached)


Attack: TypeAlias = Callable[[nn.Module, MakeOptimizer, float, int], Checks]
"""A network, an optimizer, its rate and the most steps, to the checks meanwhile."""


def by_losses(
    losses: Mapping[str, Loss], sampler: Sampler, goal: Goal, constraint: Constraint | None
) -> Attack:
    """All runs at once with :func:`latent_anchors.fit`, on other batches than in training."""

    def attack(network: nn.Module, optimizer: MakeOptimizer, rate: float, limit: int) -> Checks:
        checks = [goal.check(network)]

        def check(progress: Progress) -> dict[str, Tensor]:
            if progress.step % goal.every == 0:  # fit measures once more at the limit
                checks.append(goal.check(progress.population))
            return {"reached": checks[-1].reached[0].double()}

        tracks = {name: Track([Keyframe(0, 1.0)]) for name in losses}
        tracks["lr"] = Track([Keyframe(0, rate)])
        over = Trigger("reached", Above(0.5, patience=PATIENCE), Stop())
        streams = [mixed(seed, "relearning") for seed in seeds_of(network)]
        fit(
            Population(deepcopy(architecture(network)), streams),
            Objective([], losses=[*losses], tracks=[*tracks], other_tracks=["lr"]),
            Playhead(Timeline(tracks, steps=limit), [over], runs=len(streams)),
            sampler,
            losses=dict(losses),
            optimizer=optimizer,
            constraint=constraint,
            measure=Every(goal.every, check),
            progress=False,
        )
        return joined(checks, 0)

    return attack


def by_steps(train_step: TrainStep, goal: Goal, constraint: Constraint | None) -> Attack:
    """One run after another, in a plain loop; what it draws is a function of the run's seed."""

    def attack(network: nn.Module, optimizer: MakeOptimizer, rate: float, limit: int) -> Checks:
        found: list[Checks] = []
        for seed, run in zip(seeds_of(network), copies(network), strict=True):
            chosen = optimizer(run.parameters(), lr=rate)
            with seeded(seed, "relearning"):
                found.append(_trained(run, train_step, chosen, goal, constraint, limit))
        longest = max(len(each.values) for each in found)
        return joined([lasting(each, longest) for each in found], 1)

    return attack


def _trained(
    model: nn.Module,
    train_step: TrainStep,
    optimizer: torch.optim.Optimizer,
    goal: Goal,
    constraint: Constraint | None,
    limit: int,
) -> Checks:
    checks = [goal.check(model)]
    for step in range(limit):
        model.train()
        optimizer.zero_grad()
        train_step(model, step).backward()
        optimizer.step()
        if constraint is not None:
            constrain(model, constraint)
        if (step + 1) % goal.every == 0:
            checks.append(goal.check(model))
            if all(bool(each.reached) for each in checks[-PATIENCE:]):
                break
    return joined(checks, 0)


def joined(checks: Sequence[Checks], dim: int) -> Checks:
    """Checks one after the other (0), or runs side by side (1)."""
    values = torch.cat([each.values for each in checks], dim)
    return Checks(values, torch.cat([each.reached for each in checks], dim))


def lasting(checks: Checks, n: int) -> Checks:
    """As many checks as asked for: the last one lasts."""
    last = Checks(checks.values[-1:], checks.reached[-1:])
    return joined([checks, *[last] * (n - len(checks.values))], 0)


def copies(network: nn.Module) -> list[nn.Module]:
    """Ordinary models, one for each run, without hooks."""
    return [*network] if isinstance(network, Population) else [deepcopy(network)]
