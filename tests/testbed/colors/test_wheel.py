import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from refusals import refuses
from testbed.colors.stubs import Solid, Wheel

from latent_anchors.colorspace import HUES, named_colors
from latent_anchors.models import Population, SphericalAutoencoder
from latent_anchors.testbed import crumpled, disordered, hue_order, hue_turn, noncircularity
from latent_anchors.testbed._colors._wheel import rank_correlation

ROUND = [i / 12 for i in range(12)]
SWAPPED = [*ROUND[:4], ROUND[5], ROUND[4], *ROUND[6:]]
TWICE = [2 * turn % 1 + turn / 100 for turn in ROUND]
PLANE = (0, 2)
EVERY_OTHER = named_colors(*[*HUES][::2])


def test_hue_lies_in_the_first_two_of_three_dimensions_unless_said_otherwise():
    level = Solid(slope=0.5)
    assert not disordered(level)
    assert not crumpled(level)
    assert hue_order(level).item() == pytest.approx(1.0)
    assert noncircularity(level).item() == pytest.approx(0.0, abs=1e-6)
    assert hue_turn(level, "red").item() == pytest.approx(0.0, abs=1e-3)


class TestOrder:
    @pytest.mark.parametrize(
        ("turns", "expected"),
        [
            (ROUND, 1.0),
            ([0.3 + turn for turn in ROUND], 1.0),
            ([turn**2 for turn in ROUND], 1.0),
            (ROUND[::-1], -1.0),
            (TWICE, 0.0),
        ],
        ids=["even", "turned", "uneven", "the other way", "twice round"],
    )
    def test_is_a_matter_of_the_order_of_hues_alone(self, turns, expected):
        found = hue_order(Wheel(turns), PLANE).item()
        assert found == pytest.approx(expected, abs=1e-3 if expected else 0.1)
        assert hue_order(Wheel(turns), PLANE[::-1]).item() == pytest.approx(-found, abs=1e-3)

    def test_of_two_swapped_neighbors_is_a_little_less(self):
        assert 0.8 < hue_order(Wheel(SWAPPED), PLANE).item() < 0.99

    @given(order=st.permutations(range(12)))
    def test_is_the_difference_of_two_mean_resultants(self, order):
        # Mardia's form of the same coefficient: agreement with the order, less that with its mirror
        beta, gamma = 2 * np.pi * np.array(order) / 12, 2 * np.pi * np.arange(12) / 12
        same, mirrored = (abs(np.exp(1j * (beta + s * gamma)).mean()) ** 2 for s in (-1, 1))
        found = rank_correlation(torch.tensor(order, dtype=torch.float64) / 2)
        assert found.item() == pytest.approx(same - mirrored, abs=1e-9)

    def test_may_be_that_of_some_hues_only(self):
        kept = named_colors(*[*HUES][:4], *[*HUES][6:])
        assert hue_order(Wheel(SWAPPED), PLANE, colors=kept).item() == pytest.approx(1.0)

    def test_is_not_there_where_latents_are_not_or_all_in_the_center(self):
        assert hue_order(Wheel([math.nan] * 12), PLANE).isnan().all()
        assert hue_order(Wheel(ROUND, radii=[0.0] * 12), PLANE).isnan().all()

    def test_hues_at_one_angle_are_in_no_order(self):
        assert rank_correlation(torch.ones(12)).item() == pytest.approx(0.0, abs=1e-6)
        pairs = rank_correlation(torch.arange(12.0) // 2)
        assert 0.8 < pairs.item() < 0.99


class TestNoncircularity:
    def test_is_nothing_on_a_circle_of_any_size_however_uneven_its_hues(self):
        for turns in (ROUND, SWAPPED, [turn**2 for turn in ROUND]):
            found = noncircularity(Wheel(turns, radii=[0.3] * 12), PLANE)
            assert found.item() == pytest.approx(0.0, abs=1e-6)

    def test_is_the_spread_of_the_radii_as_a_share_of_their_mean(self):
        radii = [1.0, 2.0] * 6
        assert noncircularity(Wheel(ROUND, radii=radii), PLANE).item() == pytest.approx(0.5 / 1.5)

    def test_is_greatest_where_one_hue_alone_is_off_the_origin(self):
        radii = [1.0] + [0.0] * 11
        assert noncircularity(Wheel(ROUND, radii=radii), PLANE).item() == pytest.approx(11**0.5)

    def test_may_be_that_of_some_hues_only(self):
        found = noncircularity(Wheel(ROUND, radii=[1.0, 2.0] * 6), PLANE, colors=EVERY_OTHER)
        assert found.item() == pytest.approx(0.0, abs=1e-6)

    def test_of_a_single_point_is_not_there(self):
        assert noncircularity(Wheel(ROUND, radii=[0.0] * 12), PLANE).isnan().all()


class TestTurn:
    @pytest.mark.parametrize("degrees", [0.0, 30.0, -75.0, 179.0])
    @pytest.mark.parametrize("way", [1, -1])
    def test_is_the_angle_by_which_the_wheel_was_turned_whichever_way_it_goes_round(
        self, degrees, way
    ):
        model = Wheel([degrees / 360 + way * turn for turn in ROUND])
        assert hue_turn(model, "red", PLANE).item() == pytest.approx(degrees, abs=1e-2)

    def test_is_counted_from_the_concept(self):
        model = Wheel([turn - 1 / 3 for turn in ROUND])
        assert hue_turn(model, "green", PLANE).item() == pytest.approx(0.0, abs=1e-3)
        assert hue_turn(model, "red", PLANE).item() == pytest.approx(-120.0, abs=1e-3)

    def test_of_hues_in_no_order_is_not_there(self):
        scattered = Wheel([(5 * k % 12) / 12 for k in range(12)])
        assert hue_order(scattered, PLANE).item() == pytest.approx(0.0, abs=1e-6)
        assert hue_turn(scattered, "red", PLANE).isnan().all()
        assert hue_turn(Wheel([math.nan] * 12), "red", PLANE).isnan().all()

    def test_is_of_hues_only(self):
        with refuses(ValueError, "Unknown hue 'gray'"):
            hue_turn(Wheel(ROUND), "gray", PLANE)


@pytest.mark.parametrize(
    "measure", [hue_order, noncircularity, lambda model: hue_turn(model, "blue")]
)
def test_of_a_population_they_are_those_of_each_run(measure):
    models = [SphericalAutoencoder(hidden=4).double() for _ in range(3)]
    each = torch.cat([measure(model) for model in models])
    torch.testing.assert_close(measure(Population.from_models(models)), each, equal_nan=True)
