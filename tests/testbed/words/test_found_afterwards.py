"""Directions found afterwards in a language model."""

import pytest
import torch

from latent_anchors import testbed
from latent_anchors.baselines import mean_difference


def test_each_line_is_compared_once_with_its_label_or_without():
    words = testbed.TokenizedDefinitions.of(testbed.made_up_definitions(80), held_out=20)
    model = testbed.small_llama(words, 0).eval()
    labeled = words.labeled("animal", 0, chance=0.5)
    given = []

    def watched(*samples):
        given.extend(samples)
        return mean_difference(*samples)

    search = testbed.FOUND_AFTERWARDS["mean difference"]._replace(method=watched)
    found = search.concept(model, words, "animal", labeled)
    latents, has_it, behind = given
    others = [k for k in words.seen() if k not in labeled]
    for label, lines in ((1, labeled), (0, others)):
        expected, mask = testbed.word_latents(model, words, lines, str(found.at))
        torch.testing.assert_close(latents[has_it == label][mask], expected[mask])
        assert torch.equal(behind[has_it == label], mask)


def test_blocks_and_factors_are_among_those_that_were_tried():
    assert {search.block for search in testbed.FOUND_AFTERWARDS.values()} <= {1, 2}
    assert {search.factor for search in testbed.FOUND_AFTERWARDS.values()} <= {-8.0, -32.0}


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
