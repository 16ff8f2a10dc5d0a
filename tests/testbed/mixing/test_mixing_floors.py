import pytest
import torch
from testbed.mixing.mixers import constant, oracle

from latent_anchors.testbed import MixingLanguage, color_distance, mixing_floors

FIVE = MixingLanguage(5, ("+", "-"))


@pytest.mark.parametrize("operation", ["+", "-"])
def test_an_oracle_is_as_near_to_open_pairs_as_can_be(operation):
    pairs = FIVE.open_pairs(operation)
    floors = mixing_floors(FIVE, pairs, operation)
    found = color_distance(oracle(FIVE, operation), FIVE, pairs, operation)
    assert found.mean().item() == pytest.approx(floors.nearest, rel=1e-5)
    assert floors.nearest < floors.constant < floors.chance
    assert floors.n == len(pairs)


def test_the_best_constant_is_one_color_and_no_other_does_better():
    pairs = FIVE.open_pairs()
    floors = mixing_floors(FIVE, pairs)
    gray, red = (color_distance(constant(FIVE, c), FIVE, pairs).mean() for c in ("gray", "red"))
    assert gray.item() == pytest.approx(floors.constant, rel=1e-5)
    assert red > floors.chance


@pytest.mark.parametrize("levels", range(2, 7))
def test_the_two_nearest_colors_to_an_open_pair_are_equally_near(levels):
    language = MixingLanguage(levels)
    mixtures = language.mixtures(language.open_pairs()).unique(dim=0).double()
    two = torch.cdist(mixtures, language.colors.double()).topk(2, largest=False).values
    torch.testing.assert_close(two[:, 0], two[:, 1], rtol=0, atol=1e-6)


def test_closed_pairs_have_a_color_at_no_distance():
    assert mixing_floors(FIVE, FIVE.pairs()).nearest == pytest.approx(0.0, abs=1e-6)
