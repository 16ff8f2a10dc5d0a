import math

import pytest
import torch
from refusals import refuses
from testbed.colors.stubs import Broken, Wheel

from latent_anchors.models import Population, SphericalAutoencoder
from latent_anchors.testbed import anchor_angle, color_alignment

IDENTITY = Broken(torch.empty(0, 3))
RED = [1.0, 0.0, 0.0]


class TestAngle:
    @pytest.mark.parametrize(
        ("color", "degrees"),
        [("red", 0.0), ("yellow", 45.0), ("green", 90.0)],
    )
    def test_is_in_degrees(self, color, degrees):
        assert anchor_angle(IDENTITY, color, RED).item() == pytest.approx(degrees, abs=1e-4)

    def test_to_the_opposite_is_what_is_left_of_a_half_turn(self):
        assert anchor_angle(IDENTITY, "yellow", [-3.0, 0.0, 0.0]).item() == pytest.approx(135.0)
        assert anchor_angle(IDENTITY, "red", [-1.0, 0.0, 0.0]).item() == pytest.approx(180.0)

    def test_is_exact_where_the_cosine_has_no_digits_left(self):
        near = Wheel([1e-5 / 360] + [0.0] * 11)
        assert anchor_angle(near, "red", RED).item() == pytest.approx(1e-5, rel=1e-3)
        assert color_alignment(near, "red", RED).item() == 1.0

    def test_agrees_with_the_cosine_in_each_run(self):
        models = [SphericalAutoencoder(hidden=4) for _ in range(3)]
        population, direction = Population.from_models(models), [1.0, 2.0, 0.0, -1.0]
        found = anchor_angle(population, "blue", direction).deg2rad().cos()
        torch.testing.assert_close(found, color_alignment(population, "blue", direction))

    def test_of_a_latent_without_direction_is_not_there(self):
        assert anchor_angle(IDENTITY, "black", RED).isnan().all()
        assert anchor_angle(Wheel([math.nan] * 12), "red", RED).isnan().all()

    def test_is_of_colors_with_a_name_and_of_directions(self):
        with refuses(ValueError, "Unknown color 'redd'.*Did you mean 'red'"):
            anchor_angle(IDENTITY, "redd", RED)
        with refuses(ValueError, "points nowhere"):
            anchor_angle(IDENTITY, "red", [0.0, 0.0, 0.0])
