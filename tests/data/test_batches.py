import numpy as np
import pytest
import torch
from refusals import refuses, unchecked
from torch.utils._pytree import tree_map

from latent_anchors.data import LabeledBatch


def test_a_function_is_applied_to_every_tensor_and_the_batch_itself_stays():
    batch = LabeledBatch(torch.ones(4, 3), {"red": torch.ones(4)}, {"target": torch.ones(4, 2)})
    doubled = batch.map(lambda tensor: 2 * tensor)
    parts = {"inputs": doubled.inputs, **doubled.labels, **doubled.extras}
    assert list(parts) == ["inputs", "red", "target"]
    assert all(bool((tensor == 2).all()) for tensor in parts.values())
    assert float(batch.labels["red"].sum()) == 4


def test_torch_maps_over_a_batch_and_makes_a_batch_of_the_result():
    batch = LabeledBatch(torch.ones(4, 3), {"red": torch.ones(4)}, {"target": torch.ones(4, 2)})
    sums = torch.vmap(lambda one: one.inputs.sum() + one.labels["red"])(batch)
    assert sums.tolist() == [4.0] * 4
    doubled = tree_map(lambda tensor: 2 * tensor, batch)
    assert isinstance(doubled, LabeledBatch)
    assert (list(doubled.labels), list(doubled.extras)) == (["red"], ["target"])
    assert all(bool((t == 2).all()) for t in (doubled.inputs, doubled.labels["red"]))


def test_a_batch_needs_neither_labels_nor_extras():
    batch = LabeledBatch(torch.ones(2)).map(torch.neg)
    assert (dict(batch.labels), dict(batch.extras)) == ({}, {})


def test_arrays_of_numpys_become_tensors_and_tensors_stay_themselves():
    with_arrays = {"red": np.array([1.0, 0.0])}
    with unchecked():
        red = LabeledBatch(torch.ones(2), with_arrays, {"there": np.array([True, False])})
    assert red.labels["red"].tolist() == [1.0, 0.0]
    assert red.extras["there"].dtype == torch.bool
    assert isinstance(with_arrays["red"], np.ndarray)
    labels = {"red": torch.ones(2)}
    assert LabeledBatch(torch.ones(2), labels).labels is labels


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ((np.ones(2),), "The inputs of a batch are of type ndarray; expected a tensor"),
        (
            (torch.ones(2), torch.ones(2)),
            "The labels of a batch are of type Tensor; expected a map",
        ),
        ((torch.ones(2), {}, [1]), "The extras of a batch are of type list; expected a mapping"),
        (
            (torch.ones(2), {"red": [1, 0]}),
            "'red' of the labels is of type list; expected a tensor",
        ),
        ((torch.ones(2), None), "The labels of a batch are of type NoneType"),
    ],
)
def test_what_cannot_be_right_is_refused_at_once(given, words):
    with refuses(TypeError, words):
        LabeledBatch(*given)
