"""Labels of tokens and lines, padded as the tokens are."""

import numpy as np
import pytest
import torch
from refusals import refuses

from latent_anchors.adapters import LabelCollator

LINES = [
    {"input_ids": [5, 6, 7], "animal": [0, 1, 1], "topic": 1},
    {"input_ids": [8], "animal": np.array([0.5]), "topic": 0},
]


def padded(side: str):
    def collate(samples):
        rows = [torch.tensor(sample.pop("input_ids")) for sample in samples]
        assert not any(samples), "no other column arrives here"
        ids = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_side=side)
        return {"input_ids": ids, "attention_mask": (ids > 0).long()}

    return collate


@pytest.mark.parametrize("side", ["left", "right"])
def test_labels_lie_where_their_tokens_do(side: str):
    batch = LabelCollator(padded(side), ["animal", "topic"], padding=-100)(LINES)
    expected = torch.zeros(2, 3).masked_fill(batch["attention_mask"] == 0, -100)
    expected[batch["input_ids"] == 8] = 0.5
    expected[(batch["input_ids"] == 6) | (batch["input_ids"] == 7)] = 1.0
    assert torch.equal(batch["animal"], expected)
    assert batch["topic"].tolist() == [1.0, 0.0]
    assert LINES[0]["input_ids"] == [5, 6, 7]


def test_lines_of_one_length_need_no_mask():
    def stack(samples):
        return {"input_ids": torch.tensor([sample["input_ids"] for sample in samples])}

    batch = LabelCollator(stack, "animal")([LINES[0], LINES[0]])
    assert batch["animal"].tolist() == [[0.0, 1.0, 1.0]] * 2


def test_a_label_for_each_word_is_no_label_for_each_token():
    lines = [{"input_ids": [5], "animal": [1]}, {"input_ids": [8], "animal": [0, 1]}]
    with refuses(ValueError, r"'animal' of sample 1 has shape \(2,\), its line 1 tokens"):
        LabelCollator(padded("right"), ["animal"])(lines)


def test_a_column_that_was_dropped_is_missed():
    lines = [{"input_ids": [5]}, {"input_ids": [6]}]
    with refuses(KeyError, r"Samples 0, 1 lack label 'animal'.* remove_unused_columns=False"):
        LabelCollator(padded("right"), ["animal"])(lines)


@pytest.mark.parametrize("name", ["animal", "topic"])
def test_a_collator_that_packs_lines_into_one_row_is_refused(name):
    def pack(samples):
        return {"input_ids": torch.tensor([[token for s in samples for token in s["input_ids"]]])}

    with refuses(ValueError, "2 samples became 1 rows; expected one for each"):
        LabelCollator(pack, [name])([{**line, "topic": 1} for line in LINES])
