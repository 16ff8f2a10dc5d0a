"""What a module's state does not tell is compared before it is saved."""

import pytest
import torch
from refusals import refuses
from torch import nn

import latent_anchors as la
from latent_anchors.models import SphericalAutoencoder


@la.register("tests.Aside")
class Aside(nn.Module):
    """A buffer that the state does not have, and noise of a chosen strength."""

    def __init__(self, chance=0.5):
        super().__init__()
        self.chance = chance
        self.drop = nn.Dropout(0.5)
        self.register_buffer("aside", torch.tensor([torch.nan, 1.0]), persistent=False)


def replaced(name, layer):
    model = SphericalAutoencoder()
    model.set_submodule(name, layer)
    return model


@pytest.mark.parametrize(
    ("name", "layer"),
    [("latent", nn.Identity()), ("encoder.1", nn.ReLU()), ("decoder.1", nn.Tanh())],
)
def test_a_layer_without_weights_that_was_replaced_is_refused(name, layer, tmp_path):
    with refuses(ValueError, f"the layer '{name}' is {type(layer).__name__}"):
        la.save(replaced(name, layer), tmp_path)
    la.save(SphericalAutoencoder(), tmp_path)


def test_so_is_one_with_another_setting(tmp_path):
    model = Aside()
    model.drop.p = 0.1
    with refuses(ValueError, r"'drop' is Dropout\(p=0.1.*makes Dropout\(p=0.5"):
        la.save(model, tmp_path)


def test_a_buffer_outside_the_state_is_refused_unless_it_is_as_made(tmp_path):
    model = Aside()
    la.save(model, tmp_path)
    model.aside.fill_(2.0)
    with refuses(ValueError, "buffer 'aside' is not persistent.*persistent=True"):
        la.save(model, tmp_path)
