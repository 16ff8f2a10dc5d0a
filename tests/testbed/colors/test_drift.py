import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from refusals import refuses

from latent_anchors.testbed import drift, drifted

angles = st.lists(st.floats(-180, 180), min_size=3, max_size=3)


def at(degrees, radius=1.0, height=0.0):
    turned = torch.tensor(degrees).double().deg2rad()
    return torch.stack([radius * turned.cos(), radius * turned.sin(), height + 0 * turned], dim=-1)


class TestDrift:
    @given(was=angles, moved=st.lists(st.floats(-179, 179), min_size=3, max_size=3))
    def test_is_the_farthest_way_that_a_color_went_by_the_shorter_side(self, was, moved):
        now = [a + b for a, b in zip(was, moved, strict=True)]
        found = drift(at(was), at(now)).item()
        assert found == pytest.approx(max(map(abs, moved)), abs=1e-4)

    def test_is_round_the_axis_only(self):
        assert drift(at([10.0, 90.0]), at([10.0, 90.0], radius=0.2, height=3.0)).item() < 1e-9

    def test_of_a_wheel_that_turns_as_a_whole_is_its_turn(self):
        assert drift(at([0.0, 120.0]), at([40.0, 160.0])).item() == pytest.approx(40.0)

    def test_is_in_the_plane_asked_for(self):
        assert drift(at([0.0]), at([90.0]), plane=(1, 0)).item() == pytest.approx(90.0)
        assert drift(at([0.0], height=1.0), at([0.0], height=-1.0), plane=(0, 2)) == 90.0

    def test_is_of_each_run(self):
        before, after = at([[0.0, 5.0], [0.0, 5.0]]), at([[0.0, 6.0], [-30.0, 5.0]])
        torch.testing.assert_close(drift(before, after), torch.tensor([1.0, 30.0]).double())

    def test_is_of_the_same_colors(self):
        for measure in (drift, drifted):
            with refuses(ValueError, r"shapes \(2, 3\) and \(1, 3\).*the same colors"):
                measure(at([0.0, 1.0]), at([0.0]))


class TestDrifted:
    @pytest.mark.parametrize(("degrees", "expected"), [(0.0, 0.0), (14.9, 0.0), (-15.1, 1.0)])
    def test_is_more_than_fifteen_degrees_of_any_color(self, degrees, expected):
        before, after = at([200.0, 100.0]), at([200.0, 100.0 + degrees])
        assert drifted(before, after).item() == expected

    def test_is_what_a_latent_that_is_not_there_counts_as(self):
        assert drift(at([math.nan, 0.0]), at([0.0, 0.0])).isnan()
        assert drifted(at([math.nan, 0.0]), at([0.0, 0.0])).item() == 1.0
