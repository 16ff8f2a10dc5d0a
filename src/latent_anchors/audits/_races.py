"""Races: each seed's attackers side by side, until the first of them has taught the lesson."""

import statistics
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from latent_anchors._numerics import as_floats
from latent_anchors.audits._attackers import EXAM, GOAL, STAY, Attackers
from latent_anchors.audits._lessons import Lesson
from latent_anchors.audits._starts import Tensors
from latent_anchors.models import Population

PATIENCE = 10
"""How many times the median of fresh networks an attacker may need."""

LONGEST = 10_000
SWEEP = 10
"""Steps after which those that can no longer be first are sent home."""


@dataclass(frozen=True, eq=False)
class Race:
    """How soon each seed's best attacker was there.

    ``steps`` ``(seeds,)`` is the first step from which the lesson holds, infinite where nobody was
    there by the ``limit``; ``errors`` ``(steps, seeds)`` that of the goal under the ``best``.
    """

    steps: Float[Tensor, " seeds"]
    best: tuple[str, ...]
    errors: Float[Tensor, "steps seeds"]
    limit: float


def race(
    population: Population,
    starts: Mapping[str, Tensors],
    lesson: Lesson,
    limit: float | None = None,
    least: int = 0,
) -> Race:
    """Train every start under every setting on its seed's own stream; the first one counts.

    As soon as one attacker of a seed has arrived, the others are out: they can only be later. The
    ``limit`` is 10 times the median of this very race if None. The best go on for ``least`` steps,
    so that their curves can be drawn.
    """
    attackers = Attackers(population, starts, lesson)
    over = torch.inf if limit is None else limit
    for step in range(LONGEST):
        attackers.measure(step)
        if limit is None:
            over = PATIENCE * statistics.median(as_floats(attackers.arrived))
        if step >= least and (attackers.all_arrived() or step >= over + STAY - 1):
            best, steps = attackers.best(), attackers.arrived
            errors = torch.stack(attackers.log)[:, best]
            in_time = steps.where(steps <= over, torch.inf)
            return Race(in_time, attackers.told(best), errors, over)
        if step % SWEEP == 0:
            attackers.sweep()
        attackers.train(step)
    raise RuntimeError(
        f"After {LONGEST} steps only {int(attackers.arrived.isfinite().sum())} of "
        f"{len(population)} networks have learnt the lesson (error under {GOAL:g}, mean error "
        f"under {EXAM:g}); expected more than half, so that there is something to compare with."
    )
