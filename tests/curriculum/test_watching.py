import pytest
from hypothesis import given
from hypothesis import strategies as st

from latent_anchors.curriculum import Above, Below, Plateau, Predicate
from latent_anchors.curriculum._watching import Seen, rearmed, watched

numbers = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20)


def held(condition, values):
    seen, holds = Seen(), []
    for value in values:
        seen = watched(condition, seen, float(value))
        holds.append(seen.holds)
    return holds


def test_patience_counts_observations_in_a_row():
    assert held(Below(1, patience=3), [0, 0, 2, 0, 0, 0, 0]) == [0, 0, 0, 0, 0, 1, 1]


def test_what_trembles_holds_once():
    trembling = [0.9, 1.1, 0.9, 1.1, 2.1, 1.1, 0.9]
    assert held(Below(1, clear=2), trembling) == [1, 1, 1, 1, 0, 0, 1]
    assert held(Below(1), trembling) == [1, 0, 1, 0, 0, 0, 1]


@given(values=numbers)
def test_above_is_the_mirror_image_of_below(values):
    mirrored = [-value for value in values]
    assert held(Above(10, 2, 5, 0.5), values) == held(Below(-10, 2, -5, 0.5), mirrored)


def test_a_plateau_ends_with_something_better():
    values = [5, 4, 4, 3.9, 3, 3, 3, 3]
    assert held(Plateau(2, margin=0.5), values) == [0, 0, 0, 1, 0, 0, 1, 1]
    assert held(Plateau(2, margin=0.5, better="higher"), [-v for v in values]) == [
        0, 0, 0, 1, 0, 0, 1, 1,
    ]  # fmt: skip
    assert held(Plateau(3), [1, 1, 1, 1, 1]) == [0, 0, 0, 1, 1]


def test_a_plateau_that_has_fired_begins_to_count_anew():
    plateau = Plateau(2)
    seen = Seen()
    for value in (1.0, 1.0, 1.0):
        seen = watched(plateau, seen, value)
    again = rearmed(plateau, seen)
    assert (seen.holds, again.holds, again.best) == (True, False, 1)
    once = watched(plateau, again, 1.0)
    assert (once.holds, watched(plateau, once, 1.0).holds) == (False, True)
    assert rearmed(Below(2), seen) == seen


def test_a_predicate_holds_while_it_says_yes():
    assert held(Predicate(lambda value: value % 2 == 0), [0, 1, 2]) == [1, 0, 1]


@given(values=numbers, smoothing=st.sampled_from([0.0, 0.5, 0.99]))
def test_smoothing_is_a_mean_of_what_was_with_fading_weights(values, smoothing):
    seen = Seen()
    for value in values:
        seen = watched(Predicate(bool, smoothing), seen, value)
    weights = [smoothing**age for age in reversed(range(len(values)))]
    mean = sum(w * v for w, v in zip(weights, values, strict=True)) / sum(weights)
    assert seen.mean == pytest.approx(mean, rel=1e-9, abs=1e-6)
    assert smoothing or seen.mean == values[-1]
