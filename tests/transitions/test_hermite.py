import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from refusals import refuses

from latent_anchors.transitions import (
    hermite,
    linear,
    max_slope,
    minimum_jerk,
    pchip,
    quintic,
    smoothstep,
)

both = pytest.mark.parametrize("transition", [pchip, quintic])
shares = st.floats(0.0, 1.0)


@both
@given(start=shares, end=shares)
def test_a_hermite_piece_has_exact_ends_the_given_slopes_and_never_turns_back(
    transition, start, end
):
    most, h = max_slope(transition), 1e-6
    through = hermite(transition, start * most, end * most)
    assert (through(-1.0), through(0.0), through(2.0)) == (0.0, 0.0, 1.0)
    assert through(h) / h == pytest.approx(start * most, abs=1e-5)
    assert (1.0 - through(1.0 - h)) / h == pytest.approx(end * most, abs=1e-5)
    assert (np.diff(through(np.linspace(0.0, 1.0, 500))) >= -1e-15).all()


@given(start=shares, end=shares)
def test_a_quintic_piece_has_no_acceleration_at_its_ends(start, end):
    through, h = hermite(quintic, 1.25 * start, 1.25 * end), 1e-4
    # the remainder of a second-order difference has the size of h, not 1
    assert abs(through(2 * h) - 2 * through(h)) / h**2 < 100 * h
    assert abs(1.0 - 2 * through(1 - h) + through(1 - 2 * h)) / h**2 < 100 * h


@pytest.mark.parametrize(("transition", "above"), [(pchip, 3.01), (quintic, 2.2)])
def test_a_steeper_piece_would_turn_back(transition, above):
    if transition is pchip:
        walked = [above * t + (3 - 3 * above) * t**2 + (2 * above - 2) * t**3 for t in grid()]
    else:
        c = (10 - 10 * above, 15 * above - 15, 6 - 6 * above)
        walked = [above * t + c[0] * t**3 + c[1] * t**4 + c[2] * t**5 for t in grid()]
    assert min(np.diff(walked)) < 0.0


def grid() -> np.ndarray:
    return np.linspace(0.0, 1.0, 2001)


@pytest.mark.parametrize(("transition", "rested"), [(pchip, smoothstep), (quintic, minimum_jerk)])
def test_a_piece_with_slopes_zero_is_an_easing(transition, rested):
    tau = np.linspace(0.0, 1.0, 101)
    np.testing.assert_allclose(hermite(transition, 0.0, 0.0)(tau), rested(tau), atol=1e-15)


@both
def test_a_piece_with_slopes_one_is_a_straight_line(transition):
    tau = np.linspace(0.0, 1.0, 101)
    np.testing.assert_allclose(hermite(transition, 1.0, 1.0)(tau), tau, atol=1e-15)


@pytest.mark.parametrize(
    ("transition", "slopes", "message"),
    [
        (pchip, (3.1, 0.0), "slope at the start is 3.1; expected a number from 0.0 to 3.0"),
        (quintic, (0.0, 1.3), "slope at the end is 1.3; expected a number from 0.0 to 1.25"),
        (linear, (0.0, 0.0), "expected pchip or quintic, whose ends can have slopes"),
        (pchip, (0.0, -1.0), "slope at the end is -1.0; expected"),
    ],
)
def test_a_slope_out_of_the_transitions_range_is_refused(transition, slopes, message):
    with refuses(ValueError, message):
        hermite(transition, *slopes)
