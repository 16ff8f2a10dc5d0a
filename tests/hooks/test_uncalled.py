import warnings

import pytest
import torch
from refusals import refuses
from torch import nn

from latent_anchors.interventions import attach, intervene
from latent_anchors.models import Population, record, sites


class Attending(nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = nn.ModuleList([nn.Linear(2, 2)])
        self.attention = nn.MultiheadAttention(2, 1)

    def forward(self, x):
        z = self.blocks[0](x)
        return self.attention(z, z, z)[0]


def scripted():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of torch 2.9 and later
        return torch.jit.script(nn.Sequential(nn.Linear(2, 2)))


class Around(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = scripted()

    def forward(self, x):
        return self.inner(x)


X = torch.ones(3, 2)
CASES = [
    (Attending(), "blocks", "a ModuleList, which holds others"),
    (Population.from_models([Attending()]), "blocks", "a ModuleList, which holds others"),
    (Attending(), "attention.out_proj", "uses its weights without calling it"),
    (scripted(), "0", "TorchScript"),
    (Around(), "inner.0", "TorchScript"),
]


@pytest.mark.parametrize("door", [attach, intervene, lambda model, _, at: record(model, at)])
@pytest.mark.parametrize(("model", "at", "why"), CASES)
def test_a_layer_that_is_never_called_is_refused_by_every_door(door, model, at, why):
    with refuses(ValueError, f"Site '{at}' is .*{why}.*expected a layer that its model calls"):
        door(model, torch.neg, at).__enter__()


def test_the_layers_around_them_are_called():
    model = Attending()
    for at in ("blocks.0", "attention"):
        with intervene(model, torch.zeros_like, at=at) if at == "blocks.0" else record(model, at):
            model(X)
    around = Around()
    with intervene(around, torch.zeros_like, at="inner"):
        assert not around(X).any()


def test_what_torchscript_holds_is_listed_with_the_rest():
    assert sites(Around()).names == ("inner", "inner.0")


def test_a_forward_pass_that_stands_in_the_instance_is_one():
    layer = nn.Module()
    layer.forward = lambda x: x + 1
    with intervene(nn.Sequential(layer), torch.zeros_like, at="0"):
        assert not nn.Sequential(layer)(X).any()
