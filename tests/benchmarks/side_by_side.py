"""How comparisons are made: interleaved, in one process, on one thread; medians over rounds."""

import time
from collections.abc import Callable

import numpy as np
import torch
from scipy import stats

torch.set_num_threads(1)


def medians(*calls: Callable[[], object], rounds: int = 5) -> list[float]:
    """Median seconds of each call, a busy moment falling on all alike.

    Of processor time: what others do on the machine meanwhile counts as little as can be.
    """
    taken: list[list[float]] = [[] for _ in calls]
    for _ in range(rounds):
        for times, call in zip(taken, calls, strict=True):
            began = time.process_time()
            call()
            times.append(time.process_time() - began)
    return [float(np.median(times)) for times in taken]


def seconds(call: Callable[[], object]) -> float:
    # of the processor, not of the clock: waiting for other jobs is no cost of ours
    began = time.process_time()
    call()
    return time.process_time() - began


def upper_ends(
    pairs: int, plain: Callable[[], object], **others: Callable[[], object]
) -> list[float]:
    """How much dearer the others are in percent: of the median over pairs, the 95 % interval's."""
    ratios: dict[str, list[float]] = {name: [] for name in others}
    for call in (plain, *others.values()):
        call()
    before = seconds(plain)
    for _ in range(pairs):
        for name, other in others.items():
            # the plain step just before and the one just after saw the same busy moment
            taken, after = seconds(other), seconds(plain)
            ratios[name].append(2 * taken / (before + after))
            before = after
    print(f"\nover {plain.__name__}, {pairs} pairs:")
    return [shown(name, values) for name, values in ratios.items()]


def shown(name: str, ratios: list[float]) -> float:
    interval = stats.quantile_test(ratios, p=0.5).confidence_interval(0.95)
    middle, low, high = (100 * (float(end) - 1) for end in (np.median(ratios), *interval))
    print(f"  {name} {middle:+.2f} % ({low:+.2f} to {high:+.2f})")
    return high
