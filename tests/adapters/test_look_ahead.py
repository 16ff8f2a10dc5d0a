"""What is kept of a batch that was looked at."""

import torch

from latent_anchors.adapters._look_ahead import columns_of


def test_of_a_batch_labels_are_kept_and_of_all_else_the_shapes():
    ids, images, weight = torch.arange(5), torch.rand(5, 3, 4), torch.tensor(0.3)
    batch = {"ids": ids, "image": images, "red": torch.ones(5), "weight": weight, "text": ["a"] * 5}
    red, *others = columns_of(batch, {"label": "red"}, torch.device("cpu")).values()
    assert torch.equal(red, torch.ones(5))
    # what belongs to no sample says nothing about their number
    assert {each.shape for each in others} == {(5,), (5, 3, 4)}
    assert all(each.untyped_storage().nbytes() == 4 for each in others)
