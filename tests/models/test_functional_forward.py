import pytest
import torch
from refusals import refuses
from torch import nn

from latent_anchors.interventions import Suppression, constant_falloff
from latent_anchors.models import Site, SphericalAutoencoder, functional_forward, record

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


def test_it_equals_a_call_of_the_model(model, colors):
    output, latents = functional_forward(model, {}, colors)
    assert torch.equal(output, model(colors))
    assert latents == {}


def test_given_parameters_replace_those_of_the_model(model, colors):
    other = SphericalAutoencoder()
    output, _ = functional_forward(model, dict(other.named_parameters()), colors)
    assert torch.equal(output, other(colors))


def test_it_returns_what_record_reads(model, colors):
    sites = ["encoder", Site("latent")]
    _, latents = functional_forward(model, {}, colors, record=sites)
    with record(model, sites) as recorded:
        model(colors)
    assert list(latents) == sites
    assert all(torch.equal(latents[site], recorded[site]) for site in sites)


def test_edits_act_and_are_recorded(model, colors):
    output, latents = functional_forward(
        model, {}, colors, record=["latent"], edits={"latent": MUTE}
    )
    assert torch.equal(latents["latent"], MUTE(model.latent(model.encoder(colors))))
    assert torch.equal(output, model.decoder(latents["latent"]))


def test_several_arguments_come_as_a_tuple():
    model, x = nn.Bilinear(2, 2, 1), torch.ones(3, 2)
    assert torch.equal(functional_forward(model, {}, (x, -x))[0], model(x, -x))


def test_no_hook_is_left_even_if_the_edit_fails(model, colors):
    functional_forward(model, {}, colors, record=["latent"], edits={"encoder": torch.neg})
    assert hooks(model) == 0
    with refuses(ValueError, r"turned latents of shape \(8, 4\) into \(8, 2\); expected the same"):
        functional_forward(model, {}, colors, edits={"latent": lambda z: z[:, :2]})
    assert hooks(model) == 0


def test_it_works_under_vmap_over_runs(model, colors):
    others = [SphericalAutoencoder() for _ in range(3)]
    stacked, _ = torch.func.stack_module_state(others)

    def one(parameters, inputs):
        return functional_forward(
            model, parameters, inputs, record=["latent"], edits={"latent": MUTE}
        )

    inputs = torch.stack([colors, colors.flip(0), 1 - colors])
    outputs, latents = torch.func.vmap(one)(stacked, inputs)
    for k, other in enumerate(others):
        output, alone = one(dict(other.named_parameters()), inputs[k])
        torch.testing.assert_close(outputs[k], output)
        torch.testing.assert_close(latents["latent"][k], alone["latent"])


def test_it_can_be_differentiated(model, colors):
    def spread(parameters):
        return (
            functional_forward(model, parameters, colors, record=["latent"])[1]["latent"]
            .square()[:, 0]
            .sum()
        )

    slopes = torch.func.grad(spread)(dict(model.named_parameters()))
    with record(model) as latents:
        model(colors)
    latents["latent"].square()[:, 0].sum().backward()
    torch.testing.assert_close(slopes["encoder.0.weight"], model.encoder[0].weight.grad)


def test_an_unknown_site_is_refused(model, colors):
    with refuses(ValueError, "Unknown site 'nowhere'"):
        functional_forward(model, {}, colors, record=["nowhere"])


@pytest.mark.parametrize("name", ["0.wieght", "wieght", ""])
def test_a_name_that_no_parameter_has_is_refused(name):
    net = nn.Sequential(nn.Linear(2, 2))
    with refuses(ValueError, f"Unknown parameter or buffer '{name}'"):
        functional_forward(net, {name: torch.zeros(2, 2)}, torch.ones(1, 2))


def test_a_name_of_a_part_that_there_is_not_is_refused_with_a_guess():
    given = {"encodr.0.weight": torch.zeros(16, 3)}
    with refuses(ValueError, "Unknown parameter or buffer 'encodr.0.weight'.*Did you mean"):
        functional_forward(SphericalAutoencoder(), given, torch.zeros(1, 3))
