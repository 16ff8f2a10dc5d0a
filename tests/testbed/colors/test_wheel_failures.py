import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from testbed.colors.stubs import Wheel

from latent_anchors.colorspace import HUES, named_colors, rgb_grid
from latent_anchors.models import Population
from latent_anchors.testbed import crumpled, disordered
from latent_anchors.testbed._colors._wheel_failures import goes_round_once

ROUND = [i / 12 for i in range(12)]
SWAPPED = [*ROUND[:4], ROUND[5], ROUND[4], *ROUND[6:]]
PLANE = (0, 2)


class TestCrumpling:
    @pytest.mark.parametrize(
        ("model", "expected"),
        [
            (Wheel(ROUND), 0.0),
            (Wheel([0.3 + turn for turn in ROUND]), 0.0),
            (Wheel(ROUND[::-1]), 0.0),
            (Wheel([turn**2 for turn in ROUND]), 0.0),
            (Wheel(SWAPPED), 1.0),
            (Wheel([2 * turn for turn in ROUND]), 1.0),
            (Wheel([turn / 2 for turn in ROUND]), 1.0),
            (Wheel([0.0] * 12), 1.0),
            (Wheel(ROUND, off=0.03), 0.0),
            (Wheel(ROUND, off=0.033), 1.0),
        ],
        ids=[
            "in order",
            "turned",
            "the other way",
            "uneven",
            "two hues swapped",
            "twice round",
            "there and back",
            "all in one place",
            "error 0.0009",
            "error 0.0011",
        ],
    )
    def test_means_out_of_order_or_not_sharp(self, model, expected):
        assert crumpled(model, PLANE).tolist() == [expected]
        assert crumpled(model, PLANE[::-1]).tolist() == [expected]

    def test_is_of_each_run(self):
        models = [Wheel(ROUND), Wheel(SWAPPED), Wheel(ROUND[::-1]), Wheel(ROUND, off=0.1)]
        assert crumpled(Population.from_models(models), PLANE).tolist() == [0.0, 1.0, 0.0, 1.0]

    def test_may_be_about_the_colors_that_were_to_be_learned(self):
        class Dimmed(Wheel):
            def forward(self, x):
                return super().forward(x) - 0.1 * (x > 0.5)

        grid = rgb_grid(8)
        assert crumpled(Dimmed(ROUND), PLANE).tolist() == [1.0]
        assert crumpled(Dimmed(ROUND), PLANE, learned=grid[:2]).tolist() == [0.0]
        assert crumpled(Dimmed(SWAPPED), PLANE, learned=grid[:2]).tolist() == [1.0]

    def test_is_looked_for_in_the_plane_of_hue(self):
        assert crumpled(Wheel(ROUND), plane=(0, 1)).tolist() == [1.0]

    def test_is_what_values_that_are_not_there_count_as(self):
        assert crumpled(Wheel([math.nan] * 12), PLANE).tolist() == [1.0]
        assert crumpled(Wheel(ROUND, off=math.nan), PLANE).tolist() == [1.0]


def test_the_order_may_be_that_of_some_hues_only():
    kept = named_colors(*[*HUES][:4], *[*HUES][6:])
    assert disordered(Wheel(SWAPPED), PLANE, colors=kept).tolist() == [0.0]
    assert disordered(Wheel(SWAPPED), PLANE, colors=kept.roll(1, 0)).tolist() == [0.0]
    assert disordered(Wheel(SWAPPED), PLANE, colors=kept[[0, 2, 1, *range(3, 10)]]).tolist() == [
        1.0
    ]


def test_a_disordered_wheel_is_one_whose_hues_are_out_of_order_whatever_the_error():
    models = [Wheel(ROUND), Wheel(SWAPPED), Wheel(ROUND, off=0.1), Wheel([math.nan] * 12)]
    assert disordered(Population.from_models(models), PLANE).tolist() == [0.0, 1.0, 0.0, 1.0]


gaps = st.lists(st.floats(0.2, 1.0), min_size=12, max_size=12)


@given(gaps=gaps, start=st.floats(-9, 9), i=st.integers(0, 11))
def test_going_round_once_is_a_matter_of_order_alone(gaps, start, i):
    total = sum(gaps)
    angles = start + torch.tensor([0.0, *gaps[:-1]]).double().cumsum(0) / total * 2 * math.pi
    wrapped = torch.remainder(angles, 2 * math.pi)
    for ordered in (angles, wrapped, wrapped.flip(0), wrapped.roll(i)):
        assert bool(goes_round_once(ordered))
    swapped = wrapped.clone()
    swapped[[i, (i + 1) % 12]] = wrapped[[(i + 1) % 12, i]]
    assert not bool(goes_round_once(swapped))
    assert not bool(goes_round_once(2 * angles))
    both = goes_round_once(torch.stack([wrapped, swapped]))
    assert both.tolist() == [True, False]
