import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from refusals import refuses

from latent_anchors.interventions import ConeFalloff

CONE = ConeFalloff(inner=10.0, outer=30.0)


def at_degrees(*degrees):
    return torch.tensor(degrees, dtype=torch.float64).deg2rad().cos()


def test_within_the_inner_angle_all_beyond_the_outer_nothing():
    assert CONE(at_degrees(0.0, 9.999, 30.001, 180.0)).tolist() == [1.0, 1.0, 0.0, 0.0]


@given(progress=st.floats(0.001, 0.999))
def test_it_is_as_far_from_one_end_as_from_the_other(progress):
    there, back = CONE(at_degrees(10 + 20 * progress, 30 - 20 * progress))
    assert float(there + back) == pytest.approx(1)


def test_it_leaves_and_arrives_without_a_jerk():
    # the first two derivatives vanish at both ends: within 1 % of the way only some p^3 happens
    near = CONE(at_degrees(29.8, 10.2))
    assert near.tolist() == pytest.approx([1e-5, 1 - 1e-5], abs=1e-6)


@pytest.mark.parametrize(
    ("inner", "outer", "message"),
    [
        (30.0, 30.0, "inner is 30 and outer is 30 degrees; expected inner below outer"),
        (-1.0, 30.0, "inner is -1.0; expected a number from 0.0 to 180.0"),
        (0.0, math.nan, "outer is nan; expected a number from 0.0 to 180.0"),
    ],
)
def test_cones_that_cannot_be_are_refused(inner, outer, message):
    with refuses(ValueError, message):
        ConeFalloff(inner, outer)
