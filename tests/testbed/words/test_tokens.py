"""Definitions as tokens."""

import pytest
from refusals import refuses

from latent_anchors import testbed

LINES = testbed.made_up_definitions(60)


@pytest.fixture(scope="module")
def words():
    return testbed.TokenizedDefinitions.of(LINES, held_out=20)


def test_tokens_say_what_the_lines_say(words):
    decoded = [words.tokenizer.decode(ids.tolist()).strip() for ids in words.ids]
    assert decoded == [*LINES.texts]
    assert max(len(ids) for ids in words.ids) <= 24
    first, last = ({int(ids[k]) for ids in words.ids} for k in (0, -1))
    assert first == {words.tokenizer.token_to_id("<begin>")}
    assert last == {words.tokenizer.token_to_id("<end>")}
    assert words.tokenizer.token_to_id("<pad>") == 0


def test_a_batch_is_padded_and_behind_the_colon_means_the_definition(words):
    batch = words.pad(words.samples([0, 1, 2]))
    for line, ids in enumerate(batch["input_ids"]):
        behind = batch["behind"][line]
        text = words.tokenizer.decode(ids[behind].tolist())
        assert text.strip() == LINES.texts[line][LINES.texts[line].index(":") :]
        assert bool((batch["labels"][line] == -100).eq(ids == 0).all())
        assert not bool(behind[ids == 0].any())


def test_held_out_lines_are_in_no_training(words):
    assert sum(len(batch["input_ids"]) for batch in words.held_out_batches(7)) == 20
    assert min(words.seen()) == 20
    topics = [LINES.topics[k] for k in words.seen(without="animal")]
    assert "animal" not in topics
    assert len(topics) == 40 - [LINES.topics[k] for k in words.seen()].count("animal")


def test_labels_are_drawn_among_the_topic_and_once_for_each_seed(words):
    labeled = words.labeled("animal", 3, chance=0.5)
    assert labeled == words.labeled("animal", 3, chance=0.5)
    assert {LINES.topics[k] for k in labeled} == {"animal"}
    assert labeled != words.labeled("animal", 4, chance=0.5)
    everyone = words.labeled("animal", 3, chance=1.0)
    assert 0 < len(labeled) < len(everyone)
    samples = words.samples(words.seen(), animal=labeled)
    assert sum(sample["animal"] for sample in samples) == len(labeled)


def test_lines_are_left_for_training():
    with refuses(ValueError, "60 of 60 definitions are held out; expected at least one"):
        testbed.TokenizedDefinitions.of(LINES, held_out=60)
