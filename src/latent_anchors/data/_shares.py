"""Weights turned into draws: cumulative shares, to be searched with numbers from 0 to 1."""

from collections.abc import Sequence

import torch
from torch import Tensor

from latent_anchors.data._scheduled import ScheduledWeights, Values, distinct, weights_of

MOST = 2**24
"""Cumulative shares made at a time, 128 MiB: a block of a larger data set comes in pieces."""


def shares(weights: Tensor, where: str = "") -> Tensor:
    """Cumulative shares ``(n,)``, in float64 on the CPU."""
    exact = weights.detach().cpu().double()
    total = float(exact.sum())
    if not (bool((exact >= 0).all()) and 0 < total < float("inf")):
        raise ValueError(
            f"The weights{where} run from {exact.min():g} to {exact.max():g}; expected finite "
            "numbers of at least 0, not all of them 0. Give each sample its share of the draws."
        )
    sums = exact.cumsum(0)
    return sums / sums[-1]


def shares_at(weights: ScheduledWeights, values: Sequence[Values], begin: int, n: int) -> Tensor:
    """Cumulative shares ``(steps, n)`` from a step on; ``(n,)`` where all steps are alike."""
    rows, which = distinct(values)
    made = weights_of(weights, rows)
    check_shape(made, (len(rows), n), f"from step {begin} on")
    first = [begin + which.tolist().index(k) for k in range(len(rows))]
    each = [shares(row, f" at step {step}") for row, step in zip(made, first, strict=True)]
    return each[0] if len(each) == 1 else torch.stack(each)[which]


def check_shape(weights: Tensor, expected: tuple[int, ...], when: str) -> None:
    """Refuse what a function made, unless it is a weight for each sample."""
    if tuple(weights.shape) != expected:
        raise ValueError(
            f"The weights {when} have shape {tuple(weights.shape)}; expected {expected}, the last "
            "axis for the samples. A function of many steps at once says so by vectorized=True."
        )


def pieces(steps: int, n: int) -> list[slice]:
    """So many steps, few enough at a time for the number of samples."""
    size = max(1, MOST // n)
    return [slice(k, min(k + size, steps)) for k in range(0, steps, size)]
