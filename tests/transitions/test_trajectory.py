import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latent_anchors.transitions._trajectory import Motion, trajectory

numbers = st.floats(-10.0, 10.0)
motions = st.builds(Motion, numbers, numbers, numbers)


@given(motion=motions, end=numbers, duration=st.floats(0.5, 20.0))
def test_a_trajectory_fulfills_its_six_boundary_conditions(motion, end, duration):
    powers = np.arange(6)
    first = duration ** (powers - 1.0) * powers
    second = duration ** (powers - 2.0) * powers * (powers - 1)
    rows = [*np.diag([1.0, 1.0, 2.0])[:, :3], duration ** (powers * 1.0), first, second]
    system = np.array([np.pad(row, (0, 6 - len(row))) for row in rows])
    coefficients = np.linalg.solve(system, [*motion, end, 0.0, 0.0])
    path = trajectory(motion, end, duration)
    at = np.linspace(0.0, duration, 9)
    expected = np.polynomial.polynomial.polyval(at, coefficients)
    scale = 10.0 * (1.0 + duration + duration**2)
    np.testing.assert_allclose([path.at(t).position for t in at], expected, atol=1e-9 * scale)


@given(motion=motions, end=numbers, duration=st.floats(0.5, 20.0))
def test_velocity_and_acceleration_are_the_derivatives_of_the_position(motion, end, duration):
    path, h = trajectory(motion, end, duration), 1e-5 * duration
    for t in np.linspace(0.1, 0.9, 5) * duration:
        before, at, after = (path.at(t + shift) for shift in (-h, 0.0, h))
        scale = 100.0 * (1.0 + duration) ** 2
        slope = (after.position - before.position) / (2 * h)
        assert at.velocity == pytest.approx(slope, abs=1e-7 * scale)
        slope = (after.velocity - before.velocity) / (2 * h)
        assert at.acceleration == pytest.approx(slope, abs=1e-6 * scale)


@given(motion=motions, end=numbers, duration=st.floats(0.5, 20.0))
def test_extrema_are_the_highest_and_lowest_points(motion, end, duration):
    path = trajectory(motion, end, duration)
    walked = [path.at(t).position for t in np.linspace(0.0, duration, 400)]
    turns = [motion.position, end, *path.extrema()]
    scale = 10.0 * (1.0 + duration + duration**2)
    assert max(turns) == pytest.approx(max(walked), abs=1e-3 * scale)
    assert min(turns) == pytest.approx(min(walked), abs=1e-3 * scale)
    assert max(turns) >= max(walked) - 1e-9 * scale
    assert min(turns) <= min(walked) + 1e-9 * scale


@given(velocity=st.floats(0.1, 10.0), distance=st.floats(0.1, 10.0))
def test_a_value_at_constant_velocity_overshoots_beyond_2_5_distances(velocity, distance):
    limit = 2.5 * distance / velocity
    start = Motion(0.0, velocity)
    assert trajectory(start, distance, 0.999 * limit).stays(-np.inf, np.inf)
    assert not trajectory(start, distance, 1.001 * limit).stays(-np.inf, np.inf)


def test_a_trajectory_that_starts_backwards_does_not_overshoot_but_can_leave_its_bounds():
    away = trajectory(Motion(2.0, 3.0), 1.0, 1.0)
    assert away.stays(-np.inf, np.inf)
    assert not away.stays(0.0, 2.1)
