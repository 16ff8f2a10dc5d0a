"""Where attackers start."""

import torch
from audits.worlds import SEEDS, network, untrained
from refusals import refuses
from torch import nn

from latent_anchors.audits._starts import RESCALED, fresh, parameters_of, starts
from latent_anchors.models import Population


def test_fresh_networks_have_new_weights_that_follow_from_the_seed_alone():
    new, again = fresh(untrained()), fresh(Population.make(network, [SEEDS[1]]))
    for name, weight in parameters_of(new).items():
        assert torch.equal(weight[1], parameters_of(again)[name][0])
        assert not torch.equal(weight, parameters_of(untrained())[name])


def test_fresh_networks_have_the_shape_that_surgery_left():
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 3))
    model[0].weight = nn.Parameter(torch.ones(2, 3))
    model[0].bias = nn.Parameter(torch.ones(2))
    model[1].weight = nn.Parameter(torch.ones(3, 2))
    new = fresh(Population.from_models([model]))
    assert new.tensors()["0.weight"].shape == (1, 2, 3)
    assert not torch.equal(new.tensors()["1.weight"][0], model[1].weight)


def test_a_new_part_is_the_fresh_networks_and_the_rest_stays():
    old, new = parameters_of(untrained()), parameters_of(fresh(untrained()))
    for name, weight in starts(untrained(), ["encoder"])["new encoder"].items():
        assert torch.equal(weight, (new if name.startswith("encoder.") else old)[name])


def test_rescaled_layers_have_fresh_norms_and_point_where_they_did():
    grown = Population.make(network, SEEDS)
    with torch.no_grad():
        for parameter in grown.parameters():
            parameter *= 7.0
    old, new = parameters_of(grown), parameters_of(fresh(grown))
    rescaled = starts(grown, [])[RESCALED]
    layer = ("encoder.0.weight", "encoder.0.bias")
    for run in range(len(SEEDS)):
        got, was, wanted = (flat(p, layer, run) for p in (rescaled, old, new))
        assert torch.allclose(got.norm(), wanted.norm())
        assert torch.allclose(got / got.norm(), was / was.norm(), atol=1e-6)


def test_a_layer_of_zeros_stays_when_rescaled():
    empty = Population.make(network, SEEDS)
    with torch.no_grad():
        for parameter in empty.parameters():
            parameter.zero_()
    assert all(not weight.any() for weight in starts(empty, [])[RESCALED].values())


def test_a_part_that_is_not_there_is_refused():
    with refuses(ValueError, r"No parameter lies in the part 'head'.*'encoder', 'decoder'"):
        starts(untrained(), ["head"])


def test_a_layer_that_cannot_be_made_anew_is_refused():
    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.ones(3))

        def forward(self, x):
            return x * self.scale

    with refuses(TypeError, r"Layer '0' \(Scaled\).*no reset_parameters"):
        fresh(Population.from_models([nn.Sequential(Scaled())]))


def flat(parameters, names, run):
    return torch.cat([parameters[name][run].flatten() for name in names])
