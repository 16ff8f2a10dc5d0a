import torch

from latent_anchors.regularizers import Anchor, Term, mean


def test_the_mean_over_nobody_is_zero():
    assert mean(torch.tensor(0.0), torch.tensor(0.0)) == 0
    assert mean(torch.tensor(3.0), torch.tensor(2.0)) == 1.5


def test_labels_that_nobody_is_to_look_at_are_trusted():
    term = Term("anchor", Anchor([1.0, 0.0]), label="red")
    at_right_angles, twice = {"latent": torch.tensor([[0.0, 1.0]])}, {"red": torch.tensor([2.0])}
    assert term.reduce(at_right_angles, twice, look="never").total == 2
