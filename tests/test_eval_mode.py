"""Evaluation mode ends as it began, layer by layer."""

import pytest
import torch
from torch import nn

from latent_anchors._eval_mode import eval_mode


@pytest.mark.parametrize("fails", [False, True])
def test_each_layer_has_its_own_mode_again_whatever_happened(fails):
    model = nn.Sequential(nn.Dropout(), nn.Sequential(nn.Dropout(), nn.Linear(2, 2)))
    model[1].eval()
    before = [layer.training for layer in model.modules()]
    try:
        with eval_mode(model):
            assert not any(layer.training for layer in model.modules())
            assert not torch.is_grad_enabled()
            if fails:
                raise KeyError
    except KeyError:
        assert fails
    assert [layer.training for layer in model.modules()] == before
    assert torch.is_grad_enabled()
    assert len(set(before)) == 2
