import math

import pytest
import torch
from refusals import refuses
from testbed.colors.stubs import Broken

from latent_anchors.colorspace import HUES, named_colors
from latent_anchors.evaluation import latents
from latent_anchors.models import Population, SphericalAutoencoder
from latent_anchors.testbed import color_alignment, hue_alignments

IDENTITY = Broken(torch.empty(0, 3))


class TestAlignment:
    @pytest.mark.parametrize(
        ("color", "cosine"),
        [("red", 1.0), ("cyan", 0.0), ("orange", 2 / math.sqrt(5)), ("white", 1 / math.sqrt(3))],
    )
    def test_is_the_cosine_to_the_anchor_of_any_length(self, color, cosine):
        for direction in ([1.0, 0.0, 0.0], [7.0, 0.0, 0.0], torch.tensor([0.5, 0.0, 0.0])):
            assert color_alignment(IDENTITY, color, direction).tolist() == pytest.approx([cosine])
        assert color_alignment(IDENTITY, color, [-1.0, 0.0, 0.0]).tolist() == pytest.approx(
            [-cosine]
        )

    def test_is_of_each_run(self):
        models = [SphericalAutoencoder(hidden=4) for _ in range(2)]
        direction = [0.0, 1.0, 0.0, 0.0]
        each = [latents(model, named_colors("blue"))[0, 0, 1] for model in models]
        found = color_alignment(Population.from_models(models), "blue", direction)
        torch.testing.assert_close(found, torch.stack(each))

    def test_is_of_colors_with_a_name_and_of_directions(self):
        with refuses(ValueError, "Unknown color 'redd'.*Did you mean 'red'"):
            color_alignment(IDENTITY, "redd", [1.0, 0.0, 0.0])
        with refuses(ValueError, "points nowhere"):
            color_alignment(IDENTITY, "red", [0.0, 0.0, 0.0])

    def test_of_all_hues_is_that_of_each(self):
        models = [SphericalAutoencoder(hidden=4) for _ in range(2)]
        population, direction = Population.from_models(models), [0.0, 3.0, 0.0, 4.0]
        found = hue_alignments(population, direction)
        assert [*found] == [*HUES]
        for color, cosines in found.items():
            torch.testing.assert_close(cosines, color_alignment(population, color, direction))

    def test_of_all_hues_is_with_a_direction(self):
        with refuses(ValueError, "points nowhere"):
            hue_alignments(IDENTITY, [0.0, 0.0, 0.0])
