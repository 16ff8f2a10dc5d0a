import torch

from latent_anchors.regularizers import mean


def test_the_mean_over_nobody_is_zero():
    assert mean(torch.tensor(0.0), torch.tensor(0.0)) == 0
    assert mean(torch.tensor(3.0), torch.tensor(2.0)) == 1.5
