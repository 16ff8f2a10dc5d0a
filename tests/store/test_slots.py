from dataclasses import replace

import pytest
import torch
from store.alike import differences, ties
from store.things import TiedLines, TiedTraining, trained
from torch import nn

import latent_anchors as la
from latent_anchors import models


def through(thing, folder):
    la.save(thing, folder)
    return la.load(folder)


@pytest.mark.parametrize("many", [False, True], ids=["model", "population"])
def test_tied_weights_come_back_tied_and_frozen_ones_frozen(many: bool, tmp_path):
    model = models.Population.make(TiedLines, [1, 2]) if many else TiedLines()
    again = through(model, tmp_path)
    one = again.stacked if many else again
    assert one.head.weight is one.embedding.weight
    assert not one.norm.weight.requires_grad
    assert one.head.weight.requires_grad
    assert torch.equal(model(torch.arange(5)), again(torch.arange(5)))


def test_what_was_tied_or_untied_afterwards_comes_back_so(tmp_path):
    untied = TiedLines()
    untied.head.weight = nn.Parameter(untied.embedding.weight.detach() + 1)
    assert ties(through(untied, tmp_path)) == ties(untied)
    tied = models.SphericalAutoencoder(latent_dim=16, hidden=16, depth=2)
    tied.encoder[2].weight = tied.decoder[2].weight
    again = through(tied, tmp_path)
    assert again.encoder[2].weight is again.decoder[2].weight


def test_modes_come_back_part_by_part(tmp_path):
    for change in (nn.Module.train, nn.Module.eval, lambda model: model.encoder.eval()):
        model = models.SphericalAutoencoder()
        change(model)
        assert list(differences(model, through(model, tmp_path))) == []


def test_half_precision_and_mixed_types_are_kept(tmp_path):
    model = models.SphericalAutoencoder().bfloat16()
    model.encoder.double()
    again = through(model, tmp_path)
    assert again.encoder[0].weight.dtype == torch.float64
    assert again.decoder[0].weight.dtype == torch.bfloat16


def test_models_that_are_not_frozen_alike_make_no_population():
    frozen = nn.Linear(1, 1).requires_grad_(False)
    with pytest.raises(ValueError, match=r"Model 1 has weight.requires_grad=False"):
        models.Population.from_models([nn.Linear(1, 1), frozen])
    with pytest.raises(ValueError, match=r"Model 1 has weight.dtype=torch.float64"):
        models.Population.from_models([nn.Linear(1, 1), nn.Linear(1, 1).double()])


@pytest.mark.parametrize("execution", ["vmap", "sequential"])
def test_frozen_and_tied_weights_are_trained_on_bit_for_bit(execution: str, tmp_path):
    make = TiedTraining
    whole = trained(make, steps=9, execution=execution)
    half = trained(make, steps=4, execution=execution)
    here = trained(half, steps=9, execution=execution)
    there = trained(through(half, tmp_path), steps=9, execution=execution)
    assert list(differences(whole.population, here.population)) == []
    assert list(differences(whole, replace(there, train_seconds=whole.train_seconds))) == []
    begun = models.Population.make(make, (4, 2))
    frozen = there.population.tensors()["encoder.0.weight"]
    assert torch.equal(frozen, begun.tensors()["encoder.0.weight"])
