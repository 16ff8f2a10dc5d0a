"""What a language model makes of definitions."""

from contextlib import contextmanager

import pytest
import torch

import latent_anchors as la
from latent_anchors import testbed
from latent_anchors.interventions import Onwards, Steering


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


def likeliest(words, model, ids):
    """The line of the likeliest tokens, one after the other, at most 24 with what is given."""
    end = words.tokenizer.token_to_id("<end>")
    while len(ids) < 24 and (ids[-1] != end):
        with torch.no_grad():
            ids = [*ids, int(model(torch.tensor([ids])).logits[0, -1].argmax())]
    return words.tokenizer.decode(ids).strip()


def given(words, line, many):
    """A line's tokens, so many behind the colon."""
    ids = words.ids[line].tolist()
    colon = int(words.pad(words.samples([line]))["behind"][0].int().argmax())
    return ids[: colon + 1 + many]


def test_lines_go_on_with_the_likeliest_tokens_up_to_their_greatest_length(words, model):
    for many in (1, 4):
        expected = [likeliest(words, model, given(words, line, many)) for line in (0, 5)]
        assert testbed.continued(model, words, [0, 5], given=many) == expected


def test_a_gate_stays_open_over_the_tokens_that_are_generated(words, model):
    axis = la.axis(0, dim=96)

    @contextmanager
    def flooded(model, batch):
        gate = Onwards(axis, within=120, among=batch["behind"])
        with la.intervene(model, Steering(50 * axis), "model.layers.1", where=gate):
            yield

    (found,) = testbed.continued(model, words, [0], flooded)
    with flooded(model, {"behind": words.pad(words.samples([0]))["behind"][:, :6]}):
        assert found == likeliest(words, model, given(words, 0, 3))
    assert found != testbed.continued(model, words, [0])[0]


def test_a_line_with_fewer_tokens_than_are_given_goes_on_before_its_end(words, model):
    whole = likeliest(words, model, words.ids[0].tolist()[:-1])
    assert testbed.continued(model, words, [0], given=30) == [whole]
    assert whole.startswith(words.lines.texts[0])
    assert len(whole) > len(words.lines.texts[0])


@contextmanager
def changed(model, change):
    """A block in which latents after the second block are changed."""
    handle = model.model.layers[1].register_forward_hook(lambda _, __, z: change(z.clone()))
    try:
        yield
    finally:
        handle.remove()


def test_what_stands_before_the_colon_and_padding_have_no_influence(words, model):
    concept = la.Concept("animal", la.axis(0, dim=96), at="model.layers.1")
    behind = testbed.word_latents(model, words, range(40), concept.at)[1]

    def measured():
        leakage = testbed.topic_leakage(model, words, concept)["leakage/linear"]
        cosines = testbed.topic_cosines(model, words, concept)["animal"][1]
        return float(leakage), float(cosines), bool(testbed.topic_latched(model, words, concept))

    def onto_the_axis(where):
        def change(z):
            z[where[:, : z.shape[1]]] = la.axis(0, dim=96)
            return z

        return change

    plain = measured()
    with changed(model, onto_the_axis(~behind)):
        assert measured() == plain
    with changed(model, onto_the_axis(behind)):
        leakage, cosine, stuck = measured()
    assert leakage < 0.1
    assert cosine == pytest.approx(1)
    assert stuck


def test_probes_learn_from_the_first_half_of_the_lines_and_read_the_second(words, model):
    concept = la.Concept("animal", la.axis(0, dim=96), at="model.layers.1")
    sides = torch.tensor([1.0 if topic == "animal" else -1.0 for topic in words.topics])
    apart = la.axis(0, dim=96) - la.axis(1, dim=96)

    def read(sides):
        def change(z):
            return 0 * z + sides[:, None, None] * apart

        with changed(model, change):
            return testbed.topic_leakage(model, words, concept)

    assert read(sides)["leakage/linear"] == pytest.approx(1, abs=0.01)
    reversed_half = torch.cat([sides[:20], -sides[20:]])
    share = float((sides[20:] > 0).float().mean())
    wrong_throughout = 1 - 1 / (share * (1 - share))
    found = read(reversed_half)["leakage/linear"]
    assert found == pytest.approx(wrong_throughout, rel=0.02)
    assert found.shape == ()
