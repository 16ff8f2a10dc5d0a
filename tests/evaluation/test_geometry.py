import math

import pytest
import torch
from evaluation.stubs import Broken, Wheel
from hypothesis import given
from hypothesis import strategies as st
from refusals import refuses

from latent_anchors import intervene
from latent_anchors.colorspace import named_colors, rgb_grid
from latent_anchors.evaluation import alignment, crumpled, disordered, latents
from latent_anchors.evaluation._geometry import goes_round_once
from latent_anchors.models import Population, SphericalAutoencoder

IDENTITY = Broken(torch.empty(0, 3))
ROUND = [i / 12 for i in range(12)]
SWAPPED = [*ROUND[:4], ROUND[5], ROUND[4], *ROUND[6:]]
PLANE = (0, 2)


class TestLatents:
    def test_have_an_axis_of_runs(self):
        models = [SphericalAutoencoder(hidden=4) for _ in range(2)]
        population = Population.from_models(models)
        assert latents(models[0], rgb_grid(2)).shape == (1, 8, 4)
        each = torch.cat([latents(model, rgb_grid(2)) for model in models])
        torch.testing.assert_close(latents(population, rgb_grid(2)), each)

    def test_are_read_at_any_site_in_evaluation_mode_without_gradient(self):
        model = SphericalAutoencoder(hidden=4)
        z = latents(model, rgb_grid(2), at="encoder")
        assert z.shape == (1, 8, 4)
        assert not z.requires_grad
        assert model.training

    def test_of_a_model_without_parameters_are_read_too(self):
        model = torch.nn.Sequential(torch.nn.Identity())
        assert torch.equal(latents(model, rgb_grid(2), at="0")[0], rgb_grid(2))

    def test_are_those_after_an_edit(self):
        with intervene(IDENTITY, torch.neg):
            assert torch.equal(latents(IDENTITY, rgb_grid(2))[0], -rgb_grid(2))

    def test_of_a_site_that_does_not_exist_are_refused(self):
        with refuses(ValueError, "Unknown site 'latnt'.*Did you mean 'latent'"):
            latents(IDENTITY, rgb_grid(2), at="latnt")


class TestAlignment:
    @pytest.mark.parametrize(
        ("color", "cosine"),
        [("red", 1.0), ("cyan", 0.0), ("orange", 2 / math.sqrt(5)), ("white", 1 / math.sqrt(3))],
    )
    def test_is_the_cosine_to_the_anchor_of_any_length(self, color, cosine):
        for direction in ([1.0, 0.0, 0.0], [7.0, 0.0, 0.0], torch.tensor([0.5, 0.0, 0.0])):
            assert alignment(IDENTITY, color, direction).tolist() == pytest.approx([cosine])
        assert alignment(IDENTITY, color, [-1.0, 0.0, 0.0]).tolist() == pytest.approx([-cosine])

    def test_is_of_each_run(self):
        models = [SphericalAutoencoder(hidden=4) for _ in range(2)]
        direction = [0.0, 1.0, 0.0, 0.0]
        each = [latents(model, named_colors("blue"))[0, 0, 1] for model in models]
        found = alignment(Population.from_models(models), "blue", direction)
        torch.testing.assert_close(found, torch.stack(each))

    def test_is_of_colors_with_a_name_and_of_directions(self):
        with refuses(ValueError, "Unknown color 'redd'.*Did you mean 'red'"):
            alignment(IDENTITY, "redd", [1.0, 0.0, 0.0])
        with refuses(ValueError, "points nowhere"):
            alignment(IDENTITY, "red", [0.0, 0.0, 0.0])


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

    def test_is_looked_for_in_the_plane_of_hue(self):
        assert crumpled(Wheel(ROUND), plane=(0, 1)).tolist() == [1.0]

    def test_is_what_values_that_are_not_there_count_as(self):
        assert crumpled(Wheel([math.nan] * 12), PLANE).tolist() == [1.0]
        assert crumpled(Wheel(ROUND, off=math.nan), PLANE).tolist() == [1.0]


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
