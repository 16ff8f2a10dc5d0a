import pytest
import torch
from refusals import refuses
from torch import nn

from latent_anchors.interventions import SiteLayers, ablate
from latent_anchors.models import PlainAutoencoder, SphericalAutoencoder

AROUND = SiteLayers("encoder.2", ("decoder.0",))


def test_named_layers_are_used_as_given(generator):
    model = SphericalAutoencoder()
    named, traced = ablate(model, [1], at=AROUND), ablate(model, [1])
    x = torch.rand(6, 3, generator=generator)
    assert torch.equal(named(x), traced(x))


def test_only_layers_of_the_given_side_are_changed():
    model = SphericalAutoencoder()
    read = ablate(model, [1], at=AROUND, side="reading")
    assert torch.equal(read.encoder[2].weight, model.encoder[2].weight)
    written = ablate(model, [1], at=SiteLayers("encoder.2"), side="writing")
    assert torch.equal(written.decoder[0].weight, model.decoder[0].weight)


def test_a_side_without_its_layer_is_refused():
    with refuses(ValueError, r"consumers=\(\)\) lacks a layer that side='both' needs"):
        ablate(SphericalAutoencoder(), [0], at=SiteLayers("encoder.2"))
    with refuses(ValueError, "lacks a layer that side='writing' needs"):
        ablate(SphericalAutoencoder(), [0], at=SiteLayers(None, ("decoder.0",)), side="writing")
    with refuses(ValueError, "Unknown side 'left'; expected one of 'both'"):
        ablate(SphericalAutoencoder(), [0], at=AROUND, side="left")


def test_a_name_that_is_no_linear_layer_is_refused():
    with refuses(ValueError, "Unknown Linear layer 'encoder.9'; expected one of 'encoder.0'"):
        ablate(SphericalAutoencoder(), [0], at=SiteLayers("encoder.9", ("decoder.0",)))
    with refuses(ValueError, "'encoder.1' is of type .*GELU; expected a plain nn.Linear"):
        ablate(SphericalAutoencoder(), [0], at=SiteLayers("encoder.1", ("decoder.0",)))


@pytest.mark.parametrize("consumers", [("decoder.2",), ("decoder.0", "decoder.0")])
def test_layers_of_two_widths_or_named_twice_are_refused(consumers):
    with refuses(ValueError, "widths of the latents at these layers are .* one width"):
        ablate(SphericalAutoencoder(), [0], at=SiteLayers("encoder.2", consumers))


def shared_parameter(model):
    model.decoder[0].weight = model.encoder[0].weight


def shared_storage(model):
    model.decoder[0].weight = nn.Parameter(model.encoder[2].weight.mT)


def shared_bias(model):
    model.decoder[2].bias = model.encoder[2].bias


def shared_last_row(model):
    model.decoder[0].bias = nn.Parameter(model.encoder[2].weight.detach()[3])


def shared_first_numbers(model):
    model.register_buffer("watched", model.encoder[2].weight.detach()[0, :1])


ALL_TIES = [shared_parameter, shared_storage, shared_bias, shared_last_row, shared_first_numbers]


@pytest.mark.parametrize("tie", ALL_TIES)
@pytest.mark.parametrize("at", ["latent", AROUND])
def test_tied_weights_are_refused(tie, at):
    model = PlainAutoencoder(channels=4, latent_dim=4)
    ablate(model, [0], at)
    tie(model)
    with refuses(ValueError, "tied"):
        ablate(model, [0], at)


def test_computed_weights_are_refused():
    model = SphericalAutoencoder()
    nn.utils.parametrizations.weight_norm(model.encoder[2])
    with refuses(ValueError, "'encoder.2' has weights that are computed.*remove_parametriz"):
        ablate(model, [0], at=AROUND)


@pytest.mark.parametrize("dims", [[], [0, 0], [4], [1, 7]])
def test_dimensions_that_are_none_twice_or_out_of_range_are_refused(dims):
    with refuses(ValueError, r"dims is \[.*latent dimensions 0 to 3, each once"):
        ablate(SphericalAutoencoder(), dims)


def test_a_dimension_is_counted_from_the_front():
    with refuses(ValueError, "A dimension is -1; expected at least 0"):
        ablate(SphericalAutoencoder(), [-1])
    with refuses(TypeError, "dims has True; expected whole numbers"):
        ablate(SphericalAutoencoder(), [True])
