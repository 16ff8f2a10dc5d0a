import gc

import pytest
import torch
from refusals import refuses
from torch import nn

from latent_anchors import _hooks
from latent_anchors._hooks import Tapped, attach_edit, attach_recorder, untapped
from latent_anchors.models import Population, Site


@pytest.fixture
def model():
    return nn.Sequential(nn.Identity(), nn.Identity())


def hooks(model):
    return sum(len(layer._forward_hooks) for layer in model.modules())


def test_recorders_see_what_the_edits_leave_whoever_came_first(model):
    seen = []
    attach_recorder(model, "0", seen.append)
    attach_edit(model, "0", lambda z: z + 1.0)
    attach_edit(model, "0", lambda z: 10.0 * z)
    model(torch.zeros(2))
    assert [z.tolist() for z in seen] == [[10.0, 10.0]]


def test_a_site_has_one_hook_however_many_listen_and_none_when_nobody_does(model):
    handles = [attach_edit(model, "0", torch.neg) for _ in range(3)]
    handles.append(attach_recorder(model, "0", print))
    assert hooks(model) == 1
    for handle in handles:
        assert hooks(model) == 1
        handle.remove()
    assert hooks(model) == 0


def test_sites_of_one_layer_differ_by_axis(model):
    along, across = [], []
    attach_recorder(model, "0", along.append)
    attach_recorder(model, Site("0", axis=0), across.append)
    z = torch.arange(6.0).reshape(2, 3)
    model(z)
    assert torch.equal(along[0], z)
    assert torch.equal(across[0], z.T)


def test_a_handle_knows_whether_it_acted(model):
    handle = attach_edit(model, "1", torch.neg)
    assert not handle.acted
    model(torch.zeros(1))
    assert handle.acted


def test_a_handle_removed_twice_removes_nothing_else(model):
    first = attach_edit(model, "0", torch.neg)
    first.remove()
    attach_edit(model, "0", torch.neg)
    first.remove()
    assert model(torch.ones(1)).item() == -1


def test_the_latents_that_went_in_are_not_written_to(model):
    attach_edit(model, "0", lambda z: z + 1.0)
    z = torch.zeros(2)
    model(z)
    assert not z.any()


def test_an_empty_edit_is_an_edit_too(model):
    handle = attach_edit(model, "0", nn.Sequential())
    assert torch.equal(model(torch.ones(2)), torch.ones(2))
    assert handle.acted


def test_edits_that_change_the_shape_are_refused(model):
    attach_edit(model, "0", lambda z: z.sum(-1))
    with refuses(ValueError, r"turned latents of shape \(2, 3\) into \(2,\)"):
        model(torch.zeros(2, 3))


def test_a_population_keeps_taps_of_its_own():
    population = Population.from_models([nn.Sequential(nn.Linear(1, 1))] * 2)
    assert isinstance(population, Tapped)
    attach_edit(population, "0", torch.zeros_like)
    assert hooks(population) == 0
    assert population(torch.ones(1)).tolist() == [[0.0], [0.0]]


def test_a_forgotten_model_is_forgotten_with_its_taps():
    gc.collect()
    before = len(_hooks._taps)
    model = nn.Sequential(nn.Identity())
    attach_edit(model, "0", torch.neg)
    assert len(_hooks._taps) == before + 1
    del model
    gc.collect()
    assert len(_hooks._taps) == before


def test_an_untapped_copy_has_the_hooks_of_others_and_none_of_ours(model):
    attach_edit(model, "0", torch.neg)
    model[1].register_forward_hook(lambda *_: torch.tensor([7.0]))
    assert hooks(untapped(model)) == 1
    assert hooks(model) == 2
    assert untapped(model)(torch.ones(1)).tolist() == [7.0]
