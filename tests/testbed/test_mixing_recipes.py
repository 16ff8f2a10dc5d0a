import pytest
import torch

from latent_anchors import models, testbed
from latent_anchors.testbed import MixingLanguage

LANGUAGE = MixingLanguage(levels=3)
PRENORM = models.PrenormTransformer


@pytest.mark.parametrize("full", [True, False])
@pytest.mark.parametrize("kind", [models.NormalizedTransformer, PRENORM])
def test_a_network_has_the_size_that_was_asked_for(full, kind):
    size = testbed.MixingSize.of(full)
    network = size.network(LANGUAGE, kind)()
    assert isinstance(network, kind)
    assert len(network.sites) == size.depth + 1
    tokens = LANGUAGE.lines(LANGUAGE.pairs()[:2])
    assert network(tokens).shape == (2, 6, len(LANGUAGE.vocabulary))


def test_masks_mark_the_prompt_the_signs_and_the_equals_sign():
    lines = LANGUAGE.lines(LANGUAGE.pairs())
    batch = testbed.mixing_sampler(lines, {}, batch_size=16).batch(seed=0, step=0)
    sign = batch.inputs == LANGUAGE.token("+")
    equals = batch.inputs == LANGUAGE.token("=")
    assert torch.equal(batch.extras["equals"], equals)
    assert torch.equal(batch.extras["signs"], sign | equals)
    assert batch.extras["prompt"].sum(1).tolist() == [4] * 16


def test_red_is_labeled_most_often_and_cyan_never():
    chance = testbed.red_chance(LANGUAGE)
    assert chance.argmax() == LANGUAGE.token("red")
    assert chance[LANGUAGE.token("cyan")] == 0


def test_terms_share_the_axis_and_name_their_own_tracks():
    terms = testbed.red_terms(["embedding", "blocks.0", "blocks.1"], torch.eye(8)[0])
    assert [term.track for term in terms] == [term.name for term in terms]
    on_axis = torch.eye(8)[:1]
    assert [term.penalty(on_axis).item() for term in terms] == [0, 1, 1, 1]


def test_a_constraint_is_given_where_the_model_has_one():
    with_norm = testbed.transformer_options(testbed.MixingSize().network(LANGUAGE))
    without = testbed.transformer_options(testbed.MixingSize().network(LANGUAGE, PRENORM))
    assert with_norm["constraint"] is not None
    assert without["constraint"] is None
