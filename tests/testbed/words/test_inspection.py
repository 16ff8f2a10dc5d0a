"""What a language model makes of definitions."""

from contextlib import contextmanager

import pytest
import torch

import latent_anchors as la
from latent_anchors import testbed


@pytest.fixture(scope="module")
def words():
    return testbed.TokenizedDefinitions.of(testbed.made_up_definitions(60), held_out=40)


@pytest.fixture(scope="module")
def model(words):
    return testbed.small_llama(words, 0).eval()


def onto_the_axis(lines):
    """A block in which some lines of the batch lie on the first axis after the second block."""

    def moved(module, inputs, output):
        del module, inputs
        states = output.clone()
        states[lines] = 0.0
        states[lines, :, 0] = 1.0
        return states

    return moved


def test_cosines_of_a_topic_are_those_of_its_lines(words, model):
    concept = la.Concept("animal", la.axis(0, dim=96), at="model.layers.1")
    animals = torch.tensor([topic == "animal" for topic in words.topics])
    handle = model.model.layers[1].register_forward_hook(onto_the_axis(animals))
    with_it = testbed.topic_cosines(model, words, concept)
    handle.remove()
    without = testbed.topic_cosines(model, words, concept)
    assert float(with_it["animal"][1]) == pytest.approx(1.0)
    assert float(with_it["plant"][1]) == pytest.approx(float(without["plant"][1]), abs=1e-6)
    assert float(without["animal"][1]) < 0.5


def test_an_axis_that_all_lines_lie_on_has_latched(words, model):
    concept = la.Concept("animal", la.axis(0, dim=96), at="model.layers.1")
    assert not testbed.topic_latched(model, words, concept)
    everyone = torch.ones(40, dtype=torch.bool)
    handle = model.model.layers[1].register_forward_hook(onto_the_axis(everyone))
    assert testbed.topic_latched(model, words, concept)
    handle.remove()


def test_a_line_goes_on_from_three_tokens_behind_the_colon_also_under_an_edit(words, model):
    seen = []

    @contextmanager
    def watched(_, batch):
        seen.append(int(batch["behind"].sum()))
        yield

    free = testbed.continued(model, words, [0, 1])
    assert testbed.continued(model, words, [0, 1], watched) == free
    assert seen == [4, 4]
    for text, line in zip(free, words.lines.texts, strict=False):
        assert text.startswith(" ".join(line.split()[:3]))


def test_a_seed_gives_the_same_network(words):
    one, again, other = (testbed.small_llama(words, seed).state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(one[name], again[name]) for name in one)
    assert not all(torch.equal(one[name], other[name]) for name in one)
