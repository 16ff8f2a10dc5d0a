"""The best of many attackers: which brings a network to the goal first, and what it reaches."""

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from latent_anchors._runs import seeds_of
from latent_anchors.audits._finetune import (
    PATIENCE,
    Attack,
    Checks,
    Goal,
    MakeOptimizer,
    lasting,
)


def soonest(
    network: nn.Module,
    attack: Attack,
    optimizers: Mapping[str, MakeOptimizer],
    rates: Sequence[float],
    goal: Goal,
    limit: int,
    sign: int = 0,
) -> tuple[Float[Tensor, " runs"], list[Tensor], tuple[str, ...]]:
    """Each run's steps under its best optimizer and rate, its values meanwhile, and which it is.

    Values are those of the attacker that is there first, or if none is, comes nearest by the end;
    with a ``sign`` the best of all at each check: the greatest if it is 1, the least if it is -1.
    """
    attackers = [(name, rate) for name in optimizers for rate in rates]
    tried: list[Checks] = []
    steps = torch.full((len(attackers), len(seeds_of(network))), torch.inf, dtype=torch.float64)
    for k, (name, rate) in enumerate(attackers):
        # later than the last of the other attackers' arrivals, this one cannot be the best
        within = min(float(limit), float(steps.amin(0).max()) + PATIENCE * goal.every)
        tried.append(attack(network, optimizers[name], rate, int(within)))
        steps[k] = tried[-1].first(goal.every)
    at, first = steps.min(0)
    ends = torch.stack([each.values[-1] for each in tried])
    chosen = [int(k) for k in first.where(at.isfinite(), _nearest(ends, sign))]
    values = [tried[k].values[:, run] for run, k in enumerate(chosen)]
    if sign:
        longest = max(len(each.values) for each in tried)
        values = [*best_of([lasting(each, longest).values for each in tried], sign).unbind(1)]
    return at, values, tuple(f"{attackers[k][0]} at {attackers[k][1]:g}" for k in chosen)


def _nearest(ends: Float[Tensor, "attackers runs"], sign: int) -> Int[Tensor, " runs"]:
    """Under which attacker a run ends best; without a sign, the first where it is finite."""
    value = sign * ends if sign else torch.zeros_like(ends)
    return value.masked_fill(~ends.isfinite(), -torch.inf).argmax(0)


def best_of(
    values: Sequence[Float[Tensor, "checks runs"]], sign: int
) -> Float[Tensor, "checks runs"]:
    """The greatest (1) or the least (-1) of several; NaN only where none is a number."""
    signed = sign * torch.stack([*values])
    unknown = signed.isnan()
    best = sign * signed.masked_fill(unknown, -torch.inf).amax(0)
    return best.masked_fill(unknown.all(0), torch.nan)
