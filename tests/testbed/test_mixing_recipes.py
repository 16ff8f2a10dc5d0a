import pytest
import torch

from latent_anchors import models, testbed

LANGUAGE = testbed.MixingLanguage(levels=3)
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


def test_a_constraint_is_given_where_the_model_has_one():
    with_norm = testbed.transformer_options(testbed.MixingSize().network(LANGUAGE))
    without = testbed.transformer_options(testbed.MixingSize().network(LANGUAGE, PRENORM))
    assert with_norm["constraint"] is not None
    assert without["constraint"] is None


def test_only_what_lies_within_the_angle_is_sent_away():
    z = torch.tensor([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    z = z / z.norm(dim=-1, keepdim=True)
    moved = testbed.away_from(torch.tensor([1.0, 0.0]), degrees=40)(z)
    assert torch.equal(moved[0], torch.tensor([-1.0, 0.0]))
    assert torch.equal(moved[1:], z[1:])
    assert not torch.equal(testbed.away_from(torch.tensor([1.0, 0.0]), degrees=50)(z)[1], z[1])
