import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latent_anchors import transitions
from latent_anchors.transitions import (
    cosine,
    linear,
    minimum_jerk,
    named,
    pchip,
    quintic,
    smoothness,
    smoothstep,
    step_end,
)

EASINGS = ["linear", "smoothstep", "minimum-jerk", "cosine", "step-end", "pchip", "quintic"]
every_easing = pytest.mark.parametrize("easing", [named(name) for name in EASINGS], ids=EASINGS)
fractions = st.floats(0.0, 1.0)


@every_easing
def test_an_easing_starts_at_0_and_ends_at_1_exactly(easing):
    assert [easing(0.0), easing(1.0), easing(0), easing(1)] == [0.0, 1.0, 0.0, 1.0]


@every_easing
@given(beyond=st.floats(0.0, exclude_min=True))
def test_an_easing_is_constant_outside_the_unit_interval(easing, beyond):
    assert (easing(-beyond), easing(1.0 + beyond)) == (0.0, 1.0)


@every_easing
@given(tau=fractions)
def test_an_easing_never_leaves_the_unit_interval(easing, tau):
    assert 0.0 <= easing(tau) <= 1.0


@every_easing
@given(first=st.integers(0, 5000), second=st.integers(0, 5000))
def test_an_easing_never_turns_back(easing, first, second):
    early, late = sorted((first, second))
    assert easing(early / 5000) <= easing(late / 5000)


@pytest.mark.parametrize("easing", [linear, smoothstep, minimum_jerk, cosine])
@given(tau=fractions)
def test_a_continuous_easing_is_symmetric(easing, tau):
    assert easing(1.0 - tau) == pytest.approx(1.0 - easing(tau), abs=1e-14)


@every_easing
def test_a_number_gives_a_float_and_an_array_the_same_numbers(easing):
    tau = np.linspace(-0.5, 1.5, 201).reshape(3, 67)
    one_by_one = [easing(each) for each in tau.ravel().tolist()]
    assert {type(value) for value in one_by_one} == {float}
    exact = 0.0 if easing is not cosine else 1e-15
    np.testing.assert_allclose(easing(tau).ravel(), one_by_one, rtol=0.0, atol=exact)


@every_easing
def test_an_easing_does_not_change_its_argument(easing):
    tau = np.array([-1.0, 0.5, 2.0])
    easing(tau)[:] = 7.0
    assert tau.tolist() == [-1.0, 0.5, 2.0]


@every_easing
def test_exactly_as_many_derivatives_vanish_at_the_ends_as_declared(easing):
    # an error of order h^(k+1) has k vanishing derivatives, and one that does not vanish
    order, h = smoothness(easing) + 1, 1e-4
    departure, arrival = easing(h), 1.0 - easing(1.0 - h)
    assert 0.5 < max(departure, arrival) / h**order < 11.0


@pytest.mark.parametrize("easing", [linear, smoothstep, minimum_jerk, cosine])
def test_a_continuous_easing_does_not_jump(easing):
    moves = np.diff(easing(np.linspace(0.0, 1.0, 10_001)))
    assert moves.max() < 2.0 / 10_000


def test_a_step_jumps_at_the_very_end():
    assert [step_end(np.nextafter(1.0, 0.0)), step_end(1.0)] == [0.0, 1.0]


@pytest.mark.parametrize(
    ("easing", "rest"),
    [(linear, 0), (smoothstep, 1), (minimum_jerk, 2)],
    ids=lambda x: getattr(x, "__name__", x),
)
def test_a_polynomial_easing_is_the_lowest_that_rests_at_both_ends(easing, rest):
    # unknowns c_0..c_n; one equation per end and derivative up to the order of rest
    powers = np.arange(2 * rest + 2)
    rows, goal = [], []
    for derivative in range(rest + 1):
        falling = np.prod([powers**0, *(powers - k for k in range(derivative))], axis=0)
        rows += [falling * (powers == derivative), falling]
        goal += [0.0, float(derivative == 0)]
    coefficients = np.linalg.solve(np.array(rows), goal)
    tau = np.linspace(0.0, 1.0, 11)
    expected = np.polynomial.polynomial.polyval(tau, coefficients)
    np.testing.assert_allclose(easing(tau), expected, atol=1e-12)


@pytest.mark.parametrize(
    ("tau", "value", "velocity", "acceleration"),
    [
        (0.1, 0.00856, 0.243, 4.32),
        (0.25, 0.103515625, 1.0546875, 5.625),
        (0.5, 0.5, 1.875, 0.0),
        (0.75, 0.896484375, 1.0546875, -5.625),
        (0.9, 0.99144, 0.243, -4.32),
    ],
)
def test_minimum_jerk_has_the_published_values_and_derivatives(tau, value, velocity, acceleration):
    h = 1e-4
    before, at, after = (minimum_jerk(tau + shift) for shift in (-h, 0.0, h))
    assert at == pytest.approx(value, abs=1e-12)
    assert (after - before) / (2 * h) == pytest.approx(velocity, abs=1e-6)
    assert (after - 2 * at + before) / h**2 == pytest.approx(acceleration, abs=1e-5)


def test_every_easing_has_a_name():
    offered = {transitions.named(name) for name in EASINGS}
    assert offered == {linear, smoothstep, minimum_jerk, cosine, step_end, pchip, quintic}
