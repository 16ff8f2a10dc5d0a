import math

import pytest
import torch
from refusals import refuses
from testbed.colors.stubs import Solid

from latent_anchors.colorspace import rgb_to_hsv
from latent_anchors.models import PlainAutoencoder, Population, SphericalAutoencoder
from latent_anchors.testbed import height, height_order


class TestHeight:
    @pytest.mark.parametrize("slope", [0.5, 2.0, -2.0])
    def test_of_a_cone_is_its_slope_over_the_values_whichever_way_it_points(self, slope):
        assert height(Solid(slope=slope)).item() == pytest.approx(0.8 * abs(slope))

    def test_counts_in_units_of_the_radius(self):
        assert height(Solid(slope=1.0, radius=4.0)).item() == pytest.approx(0.2)

    def test_where_value_stays_in_the_plane_is_none(self):
        assert height(Solid()).item() == pytest.approx(0.0, abs=1e-6)


class TestOrder:
    @pytest.mark.parametrize("shape", [{"slope": 1.0}, {"slope": -0.01}, {"bend": 1.0}])
    def test_is_complete_on_a_cone_and_on_a_dome_however_low(self, shape):
        assert height_order(Solid(**shape)).item() == pytest.approx(1.0)

    def test_is_less_where_hues_lie_at_different_heights(self):
        steep = height_order(Solid(slope=2.0, tilt=0.3)).item()
        flat = height_order(Solid(slope=0.5, tilt=0.3)).item()
        assert 0.0 < flat < steep < 1.0

    def test_is_none_where_value_leads_nowhere(self):
        assert height_order(Solid()).item() == pytest.approx(0.0)

    def test_is_the_share_of_pairs_in_order_less_that_of_the_others(self):
        # Only the center of the darkest ring lies lower than that of the brightest.
        values = torch.arange(2, 11) / 10
        up = torch.tensor([0.0, 3.0, 1.0, 2.0, 4.0, 7.0, 6.0, 5.0, 8.0])
        pairs = [(up[j] - up[i]).sign().item() for i in range(9) for j in range(i + 1, 9)]
        found = height_order(Solid(steps=(values, up)))
        assert found.item() == pytest.approx(sum(pairs) / len(pairs))


@pytest.mark.parametrize("measure", [height, height_order])
def test_of_a_population_they_are_those_of_each_run(measure):
    models = [SphericalAutoencoder(hidden=4) for _ in range(3)]
    each = torch.cat([measure(model) for model in models])
    torch.testing.assert_close(measure(Population.from_models(models)), each)


@pytest.mark.parametrize("measure", [height, height_order])
def test_a_plane_may_be_counted_from_the_end(measure):
    model = SphericalAutoencoder(latent_dim=4)
    torch.testing.assert_close(measure(model, (-4, -3)), measure(model, (0, 1)))


@pytest.mark.parametrize("measure", [height, height_order])
def test_without_a_dimension_to_rise_in_there_is_no_height(measure):
    with refuses(ValueError, r"have 2 dimensions, and \(0, 1\) is the plane.*one more"):
        measure(PlainAutoencoder(latent_dim=2))


def test_latents_that_are_not_there_have_no_height():
    assert height(Solid(slope=math.nan)).isnan().all()


class Skew(Solid):
    """Rises by 0.3 and 0.4 of the value in two dimensions outside of the plane."""

    def forward(self, x):
        hue, saturation, value = rgb_to_hsv(x).unbind(-1)
        angle = 2 * torch.pi * hue
        flat = (saturation * angle.cos(), saturation * angle.sin())
        self.latent(torch.stack([*flat, 0.3 * value, 0.4 * value], dim=-1))
        return x


def test_a_rise_in_two_dimensions_is_as_high_as_both_together():
    assert height(Skew()).item() == pytest.approx(0.5 * 0.8, abs=1e-5)
    assert height_order(Skew()).item() == pytest.approx(1.0)
