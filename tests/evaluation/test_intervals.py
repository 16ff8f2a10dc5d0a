import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from refusals import refuses
from scipy import stats

from latent_anchors.evaluation import t_interval, wilson_interval
from latent_anchors.evaluation._intervals import student_t95

SIZES = [*range(2, 35), 60, 61, 100, 1001]


@pytest.mark.parametrize("n", SIZES)
def test_a_mean_has_students_interval(n):
    expected = stats.t.interval(0.95, n - 1, loc=3.0, scale=2.0 / math.sqrt(n))
    assert t_interval(3.0, 2.0, n) == pytest.approx(expected, abs=1e-9)
    assert student_t95(n - 1) == pytest.approx(stats.t.ppf(0.975, n - 1), abs=1e-9)


@pytest.mark.parametrize("n", [1, *SIZES])
def test_a_share_has_wilsons_interval(n):
    for successes in sorted({0, 1, n // 3, n // 2, n - 1, n}):
        test = stats.binomtest(successes, n).proportion_ci(method="wilson")
        found = wilson_interval(successes / n, n)
        assert found == pytest.approx((test.low, test.high), abs=1e-9)


@given(share=st.floats(0, 1), n=st.integers(1, 500))
def test_the_interval_of_a_share_holds_it_and_stays_within_0_and_1(share, n):
    low, high = wilson_interval(share, n)
    assert 0 <= low <= share + 1e-9
    assert share - 1e-9 <= high <= 1


@pytest.mark.parametrize("n", [1, *SIZES])
def test_of_nobody_the_interval_begins_at_0_exactly_and_of_everybody_it_ends_at_1(n):
    nobody, everybody = wilson_interval(0.0, n), wilson_interval(1.0, n)
    assert (nobody[0], everybody[1]) == (0.0, 1.0)
    assert nobody[1] == pytest.approx(1 - everybody[0])
    assert 0 < nobody[1] < 1


def test_too_few_values_have_no_interval():
    assert (t_interval(1.0, 0.0, 1), t_interval(1.0, 0.0, 0)) == (None, None)
    assert wilson_interval(0.0, 0) is None
    assert wilson_interval(0.0, 1) is not None


@pytest.mark.parametrize("share", [-0.1, 1.1, math.nan])
def test_a_share_is_from_0_to_1(share):
    with refuses(ValueError, f"share is {share}; expected a number from 0.0 to 1.0"):
        wilson_interval(share, 3)


def test_a_spread_has_at_least_one_degree_of_freedom():
    with refuses(ValueError, "freedom is 0; expected at least 1"):
        student_t95(0)
    with refuses(TypeError, "freedom is 2.5; expected a whole number"):
        student_t95(2.5)
