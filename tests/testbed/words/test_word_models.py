"""The language model of the examples about words."""

import torch

from latent_anchors import testbed


def tokenized(lines):
    return testbed.TokenizedDefinitions.of(testbed.made_up_definitions(lines), held_out=4)


def test_a_seed_gives_the_same_network():
    words = tokenized(60)
    one, again, other = (testbed.small_llama(words, seed).state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(one[name], again[name]) for name in one)
    assert not all(torch.equal(one[name], other[name]) for name in one)


def test_it_has_three_blocks_of_four_heads_and_reads_with_the_weights_it_writes_with():
    words = tokenized(60)
    model = testbed.small_llama(words, 0)
    attention, inner = model.model.layers[0].self_attn, model.model.layers[0].mlp
    assert len(model.model.layers) == 3
    assert model.lm_head.weight is model.model.embed_tokens.weight
    assert model.lm_head.weight.shape == (words.tokenizer.get_vocab_size(), 96)
    assert attention.head_dim == 96 / 4
    assert inner.up_proj.weight.shape == (3 * 96, 96)


def test_latents_of_many_lines_are_those_of_each_in_their_order():
    words = tokenized(610)
    model = testbed.small_llama(words, 0)
    chosen = [*range(605, -1, -1)]
    latents, behind = testbed.word_latents(model, words, chosen, "model.layers.1")
    assert latents.shape == (606, 24, 96)
    for place in (0, 498, 499, 500, 501, 605):
        (z,), (mask,) = testbed.word_latents(model, words, [chosen[place]], "model.layers.1")
        assert torch.equal(behind[place], mask)
        torch.testing.assert_close(latents[place][mask], z[mask])
        assert not latents[place][mask].allclose(latents[place - 1][mask])
