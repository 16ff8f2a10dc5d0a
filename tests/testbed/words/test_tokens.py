"""Definitions as tokens."""

import itertools

import pytest
import torch
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
    assert sum(len(batch["input_ids"]) for batch in words.held_out_batches()) == 20
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


def test_one_line_in_ten_of_a_topic_is_labeled_unless_another_chance_is_given():
    words = testbed.TokenizedDefinitions.of(testbed.made_up_definitions(800), held_out=40)
    everyone = len(words.labeled("animal", 0, chance=1.0))
    counts = [len(words.labeled("animal", seed)) for seed in range(300)]
    assert sum(counts) / 300 / everyone == pytest.approx(0.1, abs=0.01)


def test_a_topic_of_which_no_line_is_drawn_is_refused(words):
    for topic, chance, aside in (("body", 0.5, False), ("body", 0.5, True)):
        with refuses(ValueError, f"0 lines about '{topic}' and .*expected at least one"):
            words.labeled(topic, 0, chance, aside=aside)


def test_labeled_lines_and_those_put_aside_are_different_lines_of_the_topic(words):
    labeled, aside = (words.labeled("animal", 0, 0.3, aside=each) for each in (False, True))
    assert labeled
    assert aside
    assert not {*labeled} & {*aside}
    assert {words.lines.topics[k] for k in aside} == {"animal"}
    assert min(aside) >= words.held_out
    both = sorted([*labeled, *aside])
    assert both == words.labeled("animal", 0, 0.6)


@pytest.mark.parametrize("wrong", [0.0, 0.2, 1.0])
def test_wrong_labels_are_on_lines_of_other_topics_and_as_many_labels_remain(words, wrong):
    right = words.labeled("animal", 0, 0.4)
    labeled = words.labeled("animal", 0, 0.4, wrong=wrong)
    mistaken = [k for k in labeled if LINES.topics[k] != "animal"]
    assert len(labeled) == len({*labeled}) == len(right)
    assert len(mistaken) == round(wrong * len(right))
    assert {*labeled} - {*mistaken} <= {*right}
    assert not {*labeled} & {*words.labeled("animal", 0, 0.4, wrong=wrong, aside=True)}


def test_more_wrong_labels_than_other_lines_are_refused():
    few = testbed.Definitions(("ab : cd",) * 5, ("act", "act", "act", "act", "food"))
    words = testbed.TokenizedDefinitions.of(few, held_out=1)
    with refuses(ValueError, "3 lines about 'act' and 1 others .* 2 others for wrong labels"):
        words.labeled("act", 0, 1.0, wrong=0.6)


@pytest.mark.parametrize("wrong", [-0.1, 1.1, float("nan")])
def test_a_share_of_wrong_labels_beyond_0_and_1_is_refused(words, wrong):
    with refuses(ValueError, "wrong is .*expected a number from 0.0 to 1.0"):
        words.labeled("animal", 0, wrong=wrong)


@pytest.mark.parametrize(("chance", "aside"), [(10.0, False), (-0.1, False), (0.7, True)])
def test_a_chance_that_leaves_too_few_lines_is_refused(words, chance, aside):
    with refuses(ValueError, "chance is .*; expected a number from 0.0 to (1.0|0.5)"):
        words.labeled("animal", 0, chance, aside=aside)


def test_a_long_line_is_cut_and_still_ends():
    long = testbed.Definitions(("ab : " + "c d " * 30, "ef : g"), ("act", "act"))
    ids = testbed.TokenizedDefinitions.of(long, held_out=1).ids
    assert len(ids[0]) == 24
    assert len(ids[1]) == 5
    assert [int(each[-1]) for each in ids] == [2, 2]


def test_the_colon_is_the_first_position_behind_a_word_that_is_defined():
    rare = testbed.Definitions(("ab : cd", "ef gh"), ("act", "act"))
    words = testbed.TokenizedDefinitions.of(rare, held_out=1)
    batch = words.pad(words.samples([0]))
    behind = batch["input_ids"][batch["behind"]].tolist()
    assert words.tokenizer.decode(behind).strip() == ": cd"


def test_at_most_4096_tokens_are_made():
    letters = torch.randint(97, 123, (9000, 6), generator=torch.Generator().manual_seed(0))
    texts = tuple("".join(map(chr, line)) + " : x" for line in letters.tolist())
    words = testbed.TokenizedDefinitions.of(testbed.Definitions(texts, ("act",) * 9000), 1)
    assert words.tokenizer.get_vocab_size() == 4096


def lines_of(words, batch):
    """What stands in a batch's rows."""
    return [words.tokenizer.decode(ids.tolist()).strip() for ids in batch["input_ids"]]


def test_batches_are_drawn_without_end_among_some_lines_and_once_for_each_seed(words):
    some = [3, 30, 50]
    drawn = [
        [lines_of(words, batch) for batch in itertools.islice(words.drawn_batches(some, seed), 20)]
        for seed in (0, 0, 1)
    ]
    assert drawn[0] == drawn[1] != drawn[2]
    texts = [text for batch in drawn[0] for text in batch]
    shares = [texts.count(LINES.texts[k]) / len(texts) for k in some]
    assert shares == pytest.approx([1 / 3] * 3, abs=0.06)
    assert sum(shares) == pytest.approx(1)
    assert len({*map(tuple, drawn[0])}) == 20


@pytest.mark.parametrize("size", [1, 7, 20, 21])
def test_lines_come_once_each_and_in_order(words, size):
    batches = words.batches(range(20), size)
    assert [text for batch in batches for text in lines_of(words, batch)] == [*LINES.texts[:20]]
    assert max(len(batch["input_ids"]) for batch in batches) == min(size, 20)


def test_lines_are_left_for_training_and_some_are_held_out():
    for held_out in (0, 60):
        with refuses(ValueError, f"{held_out} of 60 definitions are held out; expected at least"):
            testbed.TokenizedDefinitions.of(LINES, held_out=held_out)
    for held_out in (1, 59):
        words = testbed.TokenizedDefinitions.of(LINES, held_out=held_out)
        assert len(words.seen()) == 60 - held_out
