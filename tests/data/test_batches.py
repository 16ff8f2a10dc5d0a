import torch

from latent_anchors.data import LabeledBatch


def test_a_function_is_applied_to_every_tensor_and_the_batch_itself_stays():
    batch = LabeledBatch(torch.ones(4, 3), {"red": torch.ones(4)}, {"target": torch.ones(4, 2)})
    doubled = batch.map(lambda tensor: 2 * tensor)
    parts = {"inputs": doubled.inputs, **doubled.labels, **doubled.extras}
    assert list(parts) == ["inputs", "red", "target"]
    assert all(bool((tensor == 2).all()) for tensor in parts.values())
    assert float(batch.labels["red"].sum()) == 4


def test_a_batch_needs_neither_labels_nor_extras():
    batch = LabeledBatch(torch.ones(2)).map(torch.neg)
    assert (dict(batch.labels), dict(batch.extras)) == ({}, {})
