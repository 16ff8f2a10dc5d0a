import math

import pytest
import torch
from evaluation.stubs import Broken
from refusals import refuses

from latent_anchors import intervene
from latent_anchors.colorspace import HUES, named_colors, rgb_grid
from latent_anchors.evaluation import alignment, alignments, latents
from latent_anchors.models import Population, SphericalAutoencoder

IDENTITY = Broken(torch.empty(0, 3))


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

    def test_of_all_hues_is_that_of_each(self):
        models = [SphericalAutoencoder(hidden=4) for _ in range(2)]
        population, direction = Population.from_models(models), [0.0, 3.0, 0.0, 4.0]
        found = alignments(population, direction)
        assert [*found] == [*HUES]
        for color, cosines in found.items():
            torch.testing.assert_close(cosines, alignment(population, color, direction))

    def test_of_all_hues_is_with_a_direction(self):
        with refuses(ValueError, "points nowhere"):
            alignments(IDENTITY, [0.0, 0.0, 0.0])
