import pytest
import torch
from refusals import refuses

from latent_anchors.models import Normalize, PlainAutoencoder, SphericalAutoencoder, record

both = pytest.mark.parametrize("make", [SphericalAutoencoder, PlainAutoencoder])


@pytest.fixture
def colors(generator):
    return torch.rand(32, 3, generator=generator)


def size(model):
    return sum(parameter.numel() for parameter in model.parameters())


@both
@pytest.mark.parametrize(
    ("latent_dim", "depth", "parameters"),
    [(2, 1, 197), (3, 1, 230), (4, 1, 263), (5, 1, 296), (5, 2, 840)],
)
def test_the_published_networks_have_the_published_sizes(make, latent_dim, depth, parameters):
    assert size(make(latent_dim=latent_dim, depth=depth)) == parameters


@both
def test_the_defaults_are_three_channels_four_latents_and_one_hidden_layer(make):
    model = make()
    assert (model.channels, model.latent_dim, model.hidden, model.depth) == (3, 4, 16, 1)
    assert size(model) == 263


def test_latents_lie_on_the_sphere(colors):
    model = SphericalAutoencoder(latent_dim=5)
    with record(model, ["encoder", "latent"]) as latents:
        model(colors)
    torch.testing.assert_close(latents["latent"].norm(dim=-1), torch.ones(32))
    assert (latents["encoder"].norm(dim=-1) - 1).abs().max() > 0.1


def test_plain_latents_are_the_encoders_output_and_normalized_on_request(colors):
    free, bound = PlainAutoencoder(), PlainAutoencoder(normalize=True)
    with record(free, ["encoder", "latent"]) as latents, record(bound) as on_sphere:
        free(colors)
        bound(colors)
    assert torch.equal(latents["encoder"], latents["latent"])
    torch.testing.assert_close(on_sphere["latent"].norm(dim=-1), torch.ones(32))


def test_outputs_are_clamped_in_evaluation_mode_only(colors):
    model = SphericalAutoencoder()
    with torch.no_grad():
        model.decoder[-1].bias.copy_(torch.tensor([-1.0, 0.5, 2.0]))
        free, clamped = model(colors), model.eval()(colors)
    assert free.min() < 0
    assert free.max() > 1
    assert torch.equal(clamped, free.clamp(0, 1))


def test_plain_outputs_are_strictly_between_0_and_1(colors):
    outputs = PlainAutoencoder()(colors)
    assert 0 < outputs.min() < outputs.max() < 1


def test_the_output_is_decoder_of_normalized_encoder(colors):
    model = SphericalAutoencoder()
    z = model.encoder(colors)
    by_hand = model.decoder(z / z.norm(dim=-1, keepdim=True))
    torch.testing.assert_close(model(colors), by_hand)


@both
def test_any_leading_axes_work(make, colors):
    model = make()
    torch.testing.assert_close(model(colors.reshape(2, 4, 4, 3)).reshape(32, 3), model(colors))


def test_the_origin_stays_where_it_is_and_its_gradient_is_finite():
    z = torch.zeros(2, 3, requires_grad=True)
    Normalize()(z).sum().backward()
    assert not Normalize()(z).any()
    assert z.grad.isfinite().all()


@both
@pytest.mark.parametrize("name", ["channels", "latent_dim", "hidden", "depth"])
def test_sizes_below_1_and_fractions_are_refused(make, name):
    with refuses(ValueError, f"{name} is 0; expected at least 1"):
        make(**{name: 0})
    with refuses(TypeError, f"{name} is 1.5; expected a whole number"):
        make(**{name: 1.5})
