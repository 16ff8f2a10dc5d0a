"""Directions found afterwards in a language model."""

import pytest
import torch

from latent_anchors import testbed


@pytest.mark.parametrize("name", sorted(testbed.FOUND_AFTERWARDS))
def test_a_direction_parts_labeled_lines_from_others(name):
    words = testbed.TokenizedDefinitions.of(testbed.made_up_definitions(300), held_out=20)
    model = testbed.small_llama(words, 0).eval()
    labeled = words.labeled("animal", 0, chance=1.0)
    found = testbed.FOUND_AFTERWARDS[name].concept(model, words, "animal", labeled)
    latents, behind = testbed.word_latents(model, words, words.seen(), str(found.at))
    along = latents @ found.direction
    mine = torch.isin(torch.tensor(words.seen()), torch.tensor(labeled))
    assert along[mine][behind[mine]].mean() > along[~mine][behind[~mine]].mean()
