"""What attackers teach."""

import pytest
import torch
from refusals import refuses

from latent_anchors.colorspace import HUES, hue_of, named_colors, rgb_grid
from latent_anchors.models import Population, SphericalAutoencoder
from latent_anchors.testbed import reconstructions
from latent_anchors.testbed._colors._hue_relearning import of_hue, reconstruct, turn_gray


@pytest.mark.parametrize("concept", HUES)
def test_a_hue_has_its_own_colors_and_neither_its_neighbors_nor_grays(concept: str):
    own = of_hue(named_colors(*HUES), hue_of(concept))
    assert [hue for hue, mine in zip(HUES, own, strict=True) if mine] == [concept]
    assert not of_hue(torch.full((1, 3), 0.5), hue_of(concept)).any()


@pytest.mark.parametrize("concept", ["red", "azure"])
def test_without_the_concept_none_of_its_colors_is_shown_but_all_are_asked_for(concept: str):
    task = reconstruct(concept, shown=0)
    assert not of_hue(task.inputs, hue_of(concept)).any()
    assert torch.equal(task.check, rgb_grid(8))


def test_the_few_colors_shown_are_the_strongest():
    few, none = (reconstruct("red", shown).inputs.tolist() for shown in (4, 0))
    added = [color for color in few if color not in none]
    assert len(added) == 4
    assert [1.0, 0.0, 0.0] in added


NETWORK = Population.make(SphericalAutoencoder, seeds=range(2))


def test_the_control_asks_for_gray_where_the_complement_is():
    task = turn_gray(NETWORK, "red")
    assert task.goal.tolist() == [[0.0, 1.0, 1.0]]
    shown = task.inputs.tolist().index([0.0, 1.0, 1.0])
    assert torch.allclose(task.targets[:, shown], torch.full((3,), 0.5))


def test_the_control_asks_each_network_to_say_of_the_concept_what_it_says_already():
    task = turn_gray(NETWORK, "red")
    own = of_hue(task.inputs, 0.0) & (task.inputs[:, 1:].sum(1) == 0)
    assert torch.allclose(task.targets[:, own], reconstructions(NETWORK, task.inputs[own]))
    assert not torch.allclose(task.targets[0, own], task.targets[1, own])


def test_less_than_no_color_cannot_be_shown():
    with refuses(ValueError, r"shown is -1; expected at least 0"):
        reconstruct("red", shown=-1)
