"""How comparisons are made: interleaved, in one process, on one thread; medians over rounds."""

import time
from collections.abc import Callable

import numpy as np
import torch

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
