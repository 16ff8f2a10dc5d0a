import math

import numpy as np
import pytest
from refusals import refuses

from latent_anchors.curriculum._measuring import measured


@pytest.mark.parametrize(
    ("given", "each"),
    [
        (2, [2.0, 2.0]),
        (None, [None, None]),
        (math.nan, [None, None]),
        ([0.5, None], [0.5, None]),
        ((0.5, math.inf), [0.5, None]),
        (np.array([0.5, np.nan]), [0.5, None]),
        (np.float32(0.5), [0.5, 0.5]),
    ],
)
def test_a_measurement_is_one_for_each_run_or_one_for_all(given, each):
    assert measured({"recon": given}, "recon", 2) == each


def test_what_is_watched_must_be_measured():
    with refuses(ValueError, "watches 'recon', but what was measured is 'recno'; .* Give None"):
        measured({"recno": 1.0}, "recon", 1)


def test_there_is_a_measurement_for_each_run():
    with refuses(ValueError, "'recon' was measured for 3 runs; expected .* each of 2"):
        measured({"recon": [1.0, 2.0, 3.0]}, "recon", 2)


@pytest.mark.parametrize("given", ["0.1", True, [[0.1], [0.2]]])
def test_a_measurement_is_a_number(given):
    with refuses(TypeError, "'recon' was measured as .*; expected a number"):
        measured({"recon": given}, "recon", 2)
