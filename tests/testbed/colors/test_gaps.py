import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from testbed.colors.stubs import Wheel

from latent_anchors.colorspace import HUES, named_colors
from latent_anchors.models import Population, SphericalAutoencoder
from latent_anchors.testbed import hue_gaps

ALL = named_colors(*HUES)
EVEN = [i / 12 for i in range(12)]
PLANE = (0, 2)


class TestGaps:
    @pytest.mark.parametrize("start", [0.0, 0.4])
    @pytest.mark.parametrize("way", [1, -1])
    def test_follow_each_color_whichever_way_the_wheel_goes_round(self, start, way):
        turns = [0.0, 0.01, 0.03, 0.06, 0.1, 0.15, 0.21, 0.28, 0.36, 0.45, 0.55, 0.66]
        found = hue_gaps(Wheel([start + way * turn for turn in turns]), ALL, PLANE)
        expected = [*(360 * 0.01 * k for k in range(1, 12)), 360 * 0.34]
        assert found[0].tolist() == pytest.approx(expected, abs=1e-3)

    def test_of_colors_left_out_are_the_gap_that_they_leave(self):
        kept = [*range(5), *range(8, 12)]
        found = hue_gaps(Wheel(EVEN), ALL[kept], PLANE)
        assert found.argmax(1).tolist() == [4]
        assert found.amax(1).tolist() == pytest.approx([120.0], abs=1e-3)

    def test_are_sectors_without_any_color_be_hues_out_of_order(self):
        found = hue_gaps(Wheel([*EVEN[:4], EVEN[5], EVEN[4], *EVEN[6:]]), ALL, PLANE)
        assert found[0].tolist() == pytest.approx([30.0] * 12, abs=1e-3)

    @given(turns=st.lists(st.floats(0, 1), min_size=12, max_size=12))
    def test_make_up_the_whole_circle(self, turns):
        found = hue_gaps(Wheel(turns), ALL, PLANE)
        assert (found >= 0).all()
        assert found.sum().item() == pytest.approx(360.0, abs=1e-3)

    def test_of_a_single_color_is_everything(self):
        assert hue_gaps(Wheel(EVEN), ALL[:1], PLANE).tolist() == [[pytest.approx(360.0)]]

    def test_of_latents_that_are_not_there_are_not_there(self):
        assert hue_gaps(Wheel([math.nan] * 12), ALL, PLANE).isnan().all()

    def test_are_of_each_run(self):
        models = [SphericalAutoencoder(hidden=4) for _ in range(3)]
        each = torch.cat([hue_gaps(model, ALL) for model in models])
        found = hue_gaps(Population.from_models(models), ALL)
        torch.testing.assert_close(found, each, rtol=1e-3, atol=1e-2)
