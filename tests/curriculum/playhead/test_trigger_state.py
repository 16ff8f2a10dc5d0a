import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from refusals import refuses

from latent_anchors.curriculum import Above, Below, Plateau, Predicate
from latent_anchors.curriculum._playhead._trigger_state import (
    Observed,
    after_firing,
    measured,
    observed_next,
)

numbers = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20)


def held(condition, values):
    observed, holds = Observed(), []
    for value in values:
        observed = observed_next(condition, observed, float(value))
        holds.append(observed.holds)
    return holds


def test_patience_counts_observations_in_a_row():
    assert held(Below(1, patience=3), [0, 0, 2, 0, 0, 0, 0]) == [0, 0, 0, 0, 0, 1, 1]


def test_a_fluctuating_measurement_fulfills_a_condition_once():
    trembling = [0.9, 1.1, 0.9, 1.1, 2.1, 1.1, 0.9]
    assert held(Below(1, clear=2), trembling) == [1, 1, 1, 1, 0, 0, 1]
    assert held(Below(1), trembling) == [1, 0, 1, 0, 0, 0, 1]


@given(values=numbers)
def test_above_mirrors_below(values):
    mirrored = [-value for value in values]
    assert held(Above(10, 2, 5, 0.5), values) == held(Below(-10, 2, -5, 0.5), mirrored)


def test_a_plateau_ends_with_an_improvement():
    values = [5, 4, 4, 3.9, 3, 3, 3, 3]
    assert held(Plateau(2, margin=0.5), values) == [0, 0, 0, 1, 0, 0, 1, 1]
    assert held(Plateau(2, margin=0.5, better="higher"), [-v for v in values]) == [
        0, 0, 0, 1, 0, 0, 1, 1,
    ]  # fmt: skip
    assert held(Plateau(3), [1, 1, 1, 1, 1]) == [0, 0, 0, 1, 1]


def test_a_plateau_counts_from_zero_after_firing():
    plateau = Plateau(2)
    observed = Observed()
    for value in (1.0, 1.0, 1.0):
        observed = observed_next(plateau, observed, value)
    again = after_firing(plateau, observed)
    assert (observed.holds, again.holds, again.best) == (True, False, 1)
    once = observed_next(plateau, again, 1.0)
    assert (once.holds, observed_next(plateau, once, 1.0).holds) == (False, True)
    assert after_firing(Below(2), observed) == observed


def test_a_predicate_is_true_while_its_function_is():
    assert held(Predicate(lambda value: value % 2 == 0), [0, 1, 2]) == [1, 0, 1]


@given(values=numbers, smoothing=st.sampled_from([0.0, 0.5, 0.99]))
def test_smoothing_is_a_mean_with_exponentially_decaying_weights(values, smoothing):
    observed = Observed()
    for value in values:
        observed = observed_next(Predicate(bool, smoothing), observed, value)
    weights = [smoothing**age for age in reversed(range(len(values)))]
    mean = sum(w * v for w, v in zip(weights, values, strict=True)) / sum(weights)
    assert observed.mean == pytest.approx(mean, rel=1e-9, abs=1e-6)
    assert smoothing or observed.mean == values[-1]


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
def test_a_measurement_is_one_number_for_each_run_or_one_for_all(given, each):
    assert measured({"recon": given}, "recon", 2) == each


def test_what_is_watched_must_be_measured():
    with refuses(ValueError, "watches 'recon', but the measurements are 'recno'; .* Pass None"):
        measured({"recno": 1.0}, "recon", 1)


def test_there_is_a_measurement_for_each_run():
    with refuses(ValueError, "'recon' was measured for 3 runs; expected .* each of 2"):
        measured({"recon": [1.0, 2.0, 3.0]}, "recon", 2)


@pytest.mark.parametrize("given", ["0.1", True, [[0.1], [0.2]]])
def test_a_measurement_is_a_number(given):
    with refuses(TypeError, "'recon' was measured as .*; expected a number"):
        measured({"recon": given}, "recon", 2)
