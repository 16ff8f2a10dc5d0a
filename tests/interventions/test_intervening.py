from dataclasses import dataclass
from typing import NamedTuple

import pytest
import torch
from refusals import refuses
from torch import nn

from latent_anchors.interventions import Suppression, attach, constant_falloff, intervene
from latent_anchors.models import Site, SphericalAutoencoder

MUTE = Suppression([1.0, 0.0, 0.0, 0.0], constant_falloff)  # acts on all latents


@pytest.fixture
def model():
    torch.manual_seed(0)
    return SphericalAutoencoder()


@pytest.fixture
def colors(generator):
    return torch.rand(8, 3, generator=generator)


def hooks(model):
    return sum(len(layer._forward_hooks) for layer in model.modules())


def decoded(model, colors, edit):
    """What the decoder says to edited latents, without any hook."""
    return model.decoder(edit(model.latent(model.encoder(colors))))


def test_an_edit_acts_within_its_block_and_not_after(model, colors):
    before = model(colors)
    with intervene(model, MUTE):
        within = model(colors)
    assert torch.equal(within, decoded(model, colors, MUTE))
    assert not torch.equal(within, before)
    assert torch.equal(model(colors), before)
    assert hooks(model) == 0


def test_an_edit_ends_when_its_block_fails(model):
    with pytest.raises(ZeroDivisionError), intervene(model, MUTE):
        _ = hooks(model) / 0
    assert hooks(model) == 0


def test_edits_act_in_the_order_in_which_they_were_attached(model, colors):
    def shift(z):
        return z + 1.0

    with intervene(model, shift), intervene(model, torch.neg):
        within = model(colors)
    assert torch.equal(within, decoded(model, colors, lambda z: -(z + 1.0)))


@pytest.mark.parametrize("gone", [0, 1, 2])
def test_removing_one_handle_leaves_the_others(gone, model, colors):
    edits = [MUTE, lambda z: z + 1.0, lambda z: 2.0 * z]
    first, second = [edit for k, edit in enumerate(edits) if k != gone]
    expected = decoded(model, colors, lambda z: second(first(z)))
    handles = [attach(model, edit) for edit in edits]
    handles[gone].remove()
    handles[gone].remove()
    assert torch.equal(model(colors), expected)
    for handle in handles:
        handle.remove()
    assert hooks(model) == 0


def test_other_hooks_stay(model, colors):
    seen = []
    model.latent.register_forward_hook(lambda *_: seen.append(1))
    with intervene(model, MUTE):
        model(colors)
    model(colors)
    assert len(seen) == 2


def test_a_handle_is_a_context_manager_too(model, colors):
    with attach(model, MUTE) as handle:
        model(colors)
    assert handle.acted
    assert hooks(model) == 0


def test_the_strength_can_be_changed_while_in_force(model, colors):
    mute = MUTE.at(1.0)
    with intervene(model, mute):
        at_one = model(colors)
        mute.strength.fill_(0.0)
        at_zero = model(colors)
    assert torch.equal(at_zero, model(colors))
    assert not torch.equal(at_one, at_zero)


def test_gradients_flow_through_an_edit(model, colors):
    with intervene(model, MUTE):
        model(colors).sum().backward()
    assert model.encoder[0].weight.grad.any()


def test_channels_on_a_middle_axis_are_edited(generator):
    images = torch.rand(2, 3, 5, 6, generator=generator)
    model, mute = nn.Sequential(nn.Identity()), Suppression([0.0, 1.0, 0.0])
    with intervene(model, mute, at=Site("0", axis=1)):
        edited = model(images)
    assert not edited[:, 1].any()
    assert torch.equal(edited[:, [0, 2]], images[:, [0, 2]])


def test_a_block_in_which_the_edit_never_acted_is_refused(model, colors):
    with refuses(RuntimeError, "The edit at 'latent' never acted"), intervene(model, MUTE):
        SphericalAutoencoder()(colors)
    assert hooks(model) == 0


def test_an_unknown_site_is_refused_before_anything_is_attached(model):
    with refuses(ValueError, "Unknown site 'nowhere'; expected one of 'encoder'"):
        attach(model, MUTE, at="nowhere")
    assert hooks(model) == 0


def test_an_edit_that_drops_dimensions_is_refused(model, colors):
    with (
        refuses(ValueError, r"turned latents of shape \(8, 4\) into \(8, 3\).*use surgery"),
        intervene(model, lambda z: z[:, 1:]),
    ):
        model(colors)


def test_one_edit_acts_at_several_sites(model, colors):
    with intervene(model, torch.neg, at=["encoder", Site("latent")]) as handles:
        within = model(colors)
    expected = model.decoder(-model.latent(-model.encoder(colors)))
    assert torch.equal(within, expected)
    assert list(handles) == ["encoder", Site("latent")]
    assert hooks(model) == 0


def test_each_site_may_have_its_own_edit(model, colors):
    with intervene(model, {"latent": MUTE, "encoder": torch.exp}):
        within = model(colors)
    assert torch.equal(within, model.decoder(MUTE(model.latent(model.encoder(colors).exp()))))


def test_removing_the_edit_of_one_site_leaves_the_other(model, colors):
    with intervene(model, torch.neg, at=["encoder", "latent"]) as handles:
        model(colors)
        handles["encoder"].remove()
        within = model(colors)
    assert torch.equal(within, decoded(model, colors, torch.neg))


def test_if_one_of_several_sites_is_unknown_nothing_stays_attached(model):
    with (
        refuses(ValueError, "Unknown site 'nowhere'"),
        intervene(model, MUTE, at=["latent", "nowhere"]),
    ):
        pass
    assert hooks(model) == 0


def test_of_several_sites_one_that_never_ran_is_named(model, colors):
    with (
        refuses(RuntimeError, "The edit at 'decoder' never acted"),
        intervene(model, torch.neg, at=["encoder", "decoder"]),
    ):
        model.encoder(colors)


@pytest.mark.parametrize("sites", [[], ["latent", "latent"]])
def test_no_sites_and_repeated_sites_are_refused(sites, model):
    with (
        refuses(ValueError, r"The sites are \[.*\]; expected at least one, each once"),
        intervene(model, MUTE, at=sites),
    ):
        pass


@pytest.mark.parametrize(("edits", "at"), [({}, "latent"), ({"latent": MUTE}, "encoder")])
def test_edits_by_site_together_with_at_are_refused(edits, at, model):
    with (
        refuses(ValueError, "Edits were given for the sites .*Leave at out"),
        intervene(model, edits, at=at),
    ):
        pass


class Pair(NamedTuple):
    z: torch.Tensor
    other: str


@dataclass(frozen=True)
class Output:
    z: torch.Tensor
    other: str


@pytest.mark.parametrize(
    ("wrap", "item"),
    [
        (lambda z: (z, "kept"), 0),
        (lambda z: ["kept", z], 1),
        (lambda z: Pair(z, "kept"), 0),
        (lambda z: {"z": z, "other": "kept"}, "z"),
        (lambda z: Output(z, "kept"), "z"),
    ],
)
def test_the_latents_may_be_one_part_of_an_output(wrap, item):
    class Wrapped(nn.Module):
        def forward(self, z):
            return wrap(z)

    model, z = nn.Sequential(Wrapped()), torch.tensor([3.0, 4.0, 5.0, 6.0])
    with intervene(model, MUTE, at=Site("0", item=item)):
        within = model(z)
    expected = wrap(MUTE(z))
    assert type(within) is type(expected)
    assert str(within) == str(expected)
