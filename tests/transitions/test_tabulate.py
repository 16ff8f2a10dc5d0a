import math

import numpy as np
import pytest

from latent_anchors.transitions import minimum_jerk, tabulate


def scalar_only(progress: float) -> float:
    return 0.5 - 0.5 * math.cos(math.pi * progress)


@pytest.mark.parametrize("transition", [minimum_jerk, scalar_only, int], ids=lambda f: f.__name__)
@pytest.mark.parametrize("shape", [(6,), (2, 3), (0,), ()])
def test_a_table_holds_what_single_calls_give(transition, shape):
    progress = np.linspace(0.0, 1.0, math.prod(shape)).reshape(shape)
    table = tabulate(transition, progress)
    assert (table.shape, table.dtype) == (shape, np.float64)
    assert table.ravel().tolist() == [transition(tau) for tau in progress.ravel().tolist()]
