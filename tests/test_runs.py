"""What populations share, next to what an ordinary model has."""

import pytest
import torch
from torch import nn

from latent_anchors._runs import (
    architecture,
    as_function,
    eval_mode,
    one_run,
    seeds_of,
    tensors_of,
    with_axis_of_runs,
)
from latent_anchors.models import Population

X = torch.rand(5, 2)
POPULATION = Population.make(lambda: nn.BatchNorm1d(2, affine=True), seeds=[4, 7])
MODEL = POPULATION[1].eval()


def test_an_ordinary_model_is_one_run_with_seed_0():
    assert architecture(MODEL) is one_run(MODEL) is MODEL
    assert seeds_of(MODEL) == (0,)
    assert with_axis_of_runs(MODEL, X).shape == (1, 5, 2)


def test_a_population_has_an_architecture_seeds_and_an_axis_of_runs():
    assert architecture(POPULATION) is POPULATION.stacked
    assert seeds_of(POPULATION) == (4, 7)
    linear = Population.make(lambda: nn.Linear(2, 2), seeds=[4, 7])
    assert torch.equal(one_run(linear).weight, linear[0].weight)
    assert not torch.equal(one_run(linear).weight, linear[1].weight)
    assert with_axis_of_runs(POPULATION, X) is X


def test_tensors_are_parameters_and_buffers_of_one_run_or_stacked():
    stacked = tensors_of(POPULATION)
    assert stacked.keys() == tensors_of(MODEL).keys() > {"weight", "running_mean"}
    assert all(torch.equal(stacked[name][1], each) for name, each in tensors_of(MODEL).items())


def test_an_architecture_with_the_tensors_of_a_run_is_that_run():
    row = {name: tensor[1] for name, tensor in tensors_of(POPULATION).items()}
    run = as_function(POPULATION.stacked.eval(), row)
    assert torch.equal(run(X), MODEL(X))


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


class Merging(nn.Linear):
    """An adapted layer that merges its weights in evaluation mode."""

    merged = False

    def train(self, mode=True):
        self.merged = not mode
        return super().train(mode)


def test_layers_that_do_something_on_a_change_of_mode_do_it_on_the_way_back():
    net = nn.Sequential(Merging(1, 1), nn.Dropout())
    net[1].eval()
    with eval_mode(net):
        assert net[0].merged
    assert (net[0].merged, net.training, net[0].training, net[1].training) == (
        *(False, True, True, False),
    )
