import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from refusals import refuses
from testbed.colors.stubs import Broken, Damaged, Profile
from torch import nn

from latent_anchors.colorspace import HUES, hsv_to_rgb, hue_distance, hue_of, named_colors
from latent_anchors.models import Population, SphericalAutoencoder
from latent_anchors.testbed import color_errors, hue_sweep, sharpness
from latent_anchors.testbed._colors._sharpness import fall, first_under

HUE = torch.arange(360, dtype=torch.float64) / 360


def bump(center, low, high, top=0.2):
    """Errors that are full within ``low`` degrees, and gone from ``high`` degrees on."""
    away = 360 * hue_distance(HUE, center)
    return (top * ((high - away) / (high - low)).clamp(0, 1)).float()


class TestSweep:
    def test_is_the_error_of_every_hue_in_order(self):
        model = SphericalAutoencoder(hidden=4)
        hsv = torch.stack([HUE, torch.ones(360), torch.ones(360)], dim=-1)
        torch.testing.assert_close(hue_sweep(model), color_errors(model, hsv_to_rgb(hsv).float()))

    def test_of_twelve_is_that_of_the_named_hues(self):
        model = Broken(named_colors("orange"))
        assert hue_sweep(model, 12)[0].nonzero().tolist() == [[[*HUES].index("orange")]]

    def test_has_hues(self):
        with refuses(ValueError, "n is 0; expected at least 1"):
            hue_sweep(nn.Identity(), 0)


class TestSharpness:
    @pytest.mark.parametrize("concept", ["red", "rose", "azure"])
    @pytest.mark.parametrize(("low", "high"), [(0, 10), (5, 25), (0, 180)])
    def test_of_an_effect_that_falls_evenly_is_eight_tenths_of_the_way(self, concept, low, high):
        model = Profile(bump(hue_of(concept), low, high))
        assert sharpness(model, concept).item() == pytest.approx(0.8 * (high - low), rel=1e-3)

    @given(top=st.floats(0.01, 0.24))
    def test_does_not_depend_on_the_size_of_the_effect(self, top):
        found = sharpness(Profile(bump(0.0, 4, 20, top)), "red").item()
        assert found == pytest.approx(12.8, rel=1e-2)

    def test_is_the_mean_of_both_sides(self):
        right = torch.arange(360) <= 180
        errors = torch.where(right, bump(0.0, 0, 10), bump(0.0, 0, 30))
        assert sharpness(Profile(errors), "red").item() == pytest.approx((8 + 24) / 2, rel=1e-3)

    def test_of_a_gate_between_two_degrees_is_the_least_there_is(self):
        assert sharpness(Profile(bump(0.0, 9.1, 9.2)), "red").item() == pytest.approx(0.8, rel=1e-3)

    def test_does_not_see_what_rises_again(self):
        clean, stained = bump(0.0, 0, 20), bump(0.0, 0, 20)
        stained[180] = 0.1
        assert torch.equal(sharpness(Profile(stained), "red"), sharpness(Profile(clean), "red"))

    def test_of_damage_that_follows_similarity_is_known_beforehand(self):
        # along the wheel similarity falls linearly to 0 at 90 degrees, and the error is its square
        expected = 90 * (math.sqrt(0.9) - math.sqrt(0.1))
        assert sharpness(Damaged(2.0), "red").item() == pytest.approx(expected, rel=1e-2)

    def test_is_not_there_without_an_effect_or_where_a_side_does_not_end(self):
        assert sharpness(nn.Identity(), "red").isnan().all()
        assert sharpness(Profile(bump(0.5, 0, 90)), "red").isnan().all()
        everywhere = torch.full((360,), 0.2)
        assert sharpness(Profile(everywhere), "red").isnan().all()
        one_side = torch.where(torch.arange(360) <= 180, 0.2, bump(0.0, 0, 10))
        assert sharpness(Profile(one_side), "red").isnan().all()
        assert sharpness(Profile(everywhere * math.nan), "red").isnan().all()

    def test_of_a_population_is_that_of_each_run(self):
        models = [Profile(bump(0.0, 0, high)) for high in (10, 20, 40)]
        models.append(Profile(torch.full((360,), 0.2)))
        each = torch.cat([sharpness(model, "red") for model in models])
        found = sharpness(Population.from_models(models), "red")
        torch.testing.assert_close(found, each, equal_nan=True)

    def test_is_of_hues_only(self):
        with refuses(ValueError, "Unknown hue 'gray'"):
            sharpness(nn.Identity(), "gray")


falling = st.lists(st.floats(0.1, 1.0), min_size=4, max_size=12)


@given(steps=falling)
def test_a_falling_profile_is_read_where_its_straight_lines_say(steps):
    profile = np.cumsum([0.0, *steps])[::-1]
    levels = [share * profile[0] for share in (0.9, 0.1)]
    near, far = (np.interp(-level, -profile, np.arange(len(profile))) for level in levels)
    found = fall(torch.tensor(profile.copy())).item()
    assert found == pytest.approx(far - near, abs=1e-9)


def test_the_first_crossing_counts():
    profile = torch.tensor([1.0, 0.0, 1.0, 0.0])
    assert first_under(profile, 0.5).item() == 0.5
    assert first_under(torch.tensor([1.0, 2.0, 0.0]), 0.5).item() == 1.75
