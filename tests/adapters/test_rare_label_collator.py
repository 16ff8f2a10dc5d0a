"""Labeled samples in every batch."""

import pytest
import torch
from refusals import refuses

from latent_anchors.adapters import LabelCollator, RareLabelCollator
from latent_anchors.adapters._rare_label_collator import without_added

LINES = [{"input_ids": [k, k + 1], "topic": 0.0} for k in range(10, 40)]
LABELED = [{"input_ids": [k, k], "topic": 1.0} for k in range(50, 60)]


def stack(samples):
    ids = torch.tensor([sample.pop("input_ids") for sample in samples])
    return {"input_ids": ids, "labels": ids.clone()}


def collator(count=1):
    return RareLabelCollator(LabelCollator(stack, ["topic"]), LABELED, count)


@pytest.mark.parametrize("count", [1, 3])
def test_samples_come_first_and_labeled_ones_behind_them_which_are_not_predicted(count: int):
    batch = collator(count)(LINES[:4])
    assert batch["input_ids"][:4].tolist() == [line["input_ids"] for line in LINES[:4]]
    assert torch.equal(batch["labels"][:4], batch["input_ids"][:4])
    assert batch["topic"].tolist() == [0.0] * 4 + [1.0] * count
    assert bool((batch["labels"][4:] == -100).all())
    added = batch["input_ids"][4:, 0].tolist()
    assert len({*added}) == count
    assert {*added} <= {*range(50, 60)}


def test_what_is_added_follows_from_the_batch_and_all_labeled_samples_get_their_turn():
    batches = [LINES[k : k + 2] for k in range(28)]
    drawn = [int(collator()(batch)["input_ids"][-1, 0]) for batch in batches]
    assert drawn == [int(collator()(batch)["input_ids"][-1, 0]) for batch in batches]
    assert len({*drawn}) > 5


def test_concepts_have_a_sample_each():
    others = [{"input_ids": [k, k], "topic": 0.5} for k in range(70, 80)]
    batch = RareLabelCollator(collator(count=2), others)(LINES[:4])
    assert batch["topic"].tolist() == [0.0] * 4 + [0.5] + [1.0] * 2
    assert bool((batch["labels"][4:] == -100).all())
    assert not bool((batch["labels"][:4] == -100).any())


def test_tokens_that_are_the_labels_as_well_stay_as_they_are():
    def shared(samples):
        ids = torch.tensor([sample["input_ids"] for sample in samples])
        return {"input_ids": ids, "labels": ids}

    batch = RareLabelCollator(shared, LABELED)(LINES[:4])
    assert int(batch["input_ids"].min()) >= 0
    assert batch["labels"][-1].tolist() == [-100, -100]


def test_samples_may_be_packed_no_more_than_they_may_lack_tokens():
    def packed(samples):
        ids = torch.tensor([[k for sample in samples for k in sample["input_ids"]]])
        return {"input_ids": ids, "labels": ids.clone()}

    with refuses(ValueError, "5 samples became 1 rows of labels; expected one for each"):
        RareLabelCollator(packed, LABELED)(LINES[:4])
    with refuses(KeyError, r"A sample has no 'input_ids', only \['pixel_values'\]"):
        collator()([LINES[0], {"pixel_values": [1.0]}])


def test_a_collator_that_makes_pairs_is_refused_since_some_would_be_predicted():
    def pairs(samples):
        batch = stack(samples)
        return {name: each.repeat(2, 1) for name, each in batch.items()}

    with refuses(ValueError, "3 samples became 6 rows of labels; expected one for each, in order"):
        RareLabelCollator(pairs, LABELED)(LINES[:2])


class Passing:
    """A collator around another one."""

    def __init__(self, collator):
        self.collator = collator

    def __call__(self, samples):
        return self.collator(samples)


def test_one_within_another_is_seen_through_collators_in_between():
    inner = Passing(RareLabelCollator(stack, LABELED))
    labels = RareLabelCollator(inner, LABELED, 2)(LINES[:2])["labels"]
    assert labels.tolist() == [[10, 11], [11, 12], *[[-100, -100]] * 3]


def test_for_evaluation_all_that_add_samples_are_left_out():
    inner = LabelCollator(stack, ["topic"])
    assert without_added(RareLabelCollator(RareLabelCollator(inner, LABELED), LABELED)) is inner
    assert without_added(inner) is inner


def test_all_labeled_samples_may_be_added_at_once():
    batch = RareLabelCollator(stack, LABELED, count=10)(LINES[:1])
    assert sorted(batch["input_ids"][1:, 0].tolist()) == [*range(50, 60)]


def test_what_cannot_be_added_is_refused():
    with refuses(ValueError, "count is 0; expected at least 1"):
        RareLabelCollator(stack, LABELED, 0)
    with refuses(ValueError, "There are 2 labeled samples, and count is 3"):
        RareLabelCollator(stack, LABELED[:2], 3)
    unsupervised = RareLabelCollator(lambda _: {"input_ids": torch.ones(1)}, LABELED)
    with refuses(KeyError, r"no 'labels', only \['input_ids'\]"):
        unsupervised([{"input_ids": [1]}])


def test_all_columns_that_a_loss_reads_are_ignored_and_real_numbers_are_refused():
    def shifted(samples):
        batch = stack(samples)
        return batch | {"shift_labels": batch["labels"].clone(), "kind_labels": batch["labels"]}

    batch = RareLabelCollator(shifted, LABELED)(LINES[:2])
    assert batch["shift_labels"][:2].min() > 0 > batch["shift_labels"][2:].max()
    assert batch["kind_labels"].min() > 0  # a column of one's own stays
    with refuses(TypeError, "Labels of type torch.float32 were given; expected whole numbers"):
        RareLabelCollator(lambda some: {"labels": torch.zeros(len(some), 3)}, LABELED)(LINES[:2])
