import math

import pytest
import torch
from testbed.colors.stubs import Solid, Wheel

from latent_anchors.colorspace import hsv_grid
from latent_anchors.evaluation import latents
from latent_anchors.models import Population, SphericalAutoencoder
from latent_anchors.testbed import nonplanarity

EVEN = [i / 12 for i in range(12)]
PLANE = (0, 2)


class TestNonplanarity:
    def test_of_a_level_wheel_is_none_however_uneven_and_however_high(self):
        for radii in ([1.0] * 12, [1.0, 2.0] * 6):
            assert nonplanarity(Wheel(EVEN, radii=radii), PLANE).item() == pytest.approx(
                0, abs=1e-6
            )
        assert nonplanarity(Solid(slope=3.0)).item() == pytest.approx(0, abs=1e-6)

    def test_of_a_wheel_that_stands_upright_is_half(self):
        assert nonplanarity(Wheel(EVEN), plane=(0, 1)).item() == pytest.approx(0.5)

    @pytest.mark.parametrize("degrees", [5.0, 30.0, 60.0])
    def test_of_a_tilted_wheel_is_half_the_square_of_the_sine(self, degrees):
        tilt = math.radians(degrees)
        expected = math.sin(tilt) ** 2 / 2
        assert nonplanarity(Solid(tilt=tilt)).item() == pytest.approx(expected, abs=1e-6)

    def test_of_a_single_place_or_of_none_is_not_there(self):
        assert nonplanarity(Wheel(EVEN, radii=[0.0] * 12), PLANE).isnan().all()
        assert nonplanarity(Wheel([math.nan] * 12), PLANE).isnan().all()

    def test_is_of_the_colors_asked_for_and_of_each_run(self):
        models = [SphericalAutoencoder(hidden=4) for _ in range(2)]
        colors = hsv_grid(5, [1.0], [0.5]).rgb
        spread = torch.stack([latents(model, colors)[0].var(0) for model in models])
        expected = spread[:, 2:].sum(1) / spread.sum(1)
        found = nonplanarity(Population.from_models(models), colors=colors)
        torch.testing.assert_close(found, expected)
