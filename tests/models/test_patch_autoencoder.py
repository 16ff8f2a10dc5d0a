import pytest
import torch
from refusals import refuses

from latent_anchors import intervene
from latent_anchors.interventions import ZeroAblation
from latent_anchors.models import Normalize, PatchAutoencoder, Site, record

SITE = Site("latent", axis=1)


@pytest.fixture
def pictures(generator):
    return torch.rand(2, 3, 8, 12, generator=generator)


def test_latents_of_length_1_lie_at_every_place(pictures):
    model = PatchAutoencoder(latent_dim=5, patch=4)
    with record(model, [SITE, Site("encoder", axis=1)]) as latents:
        output = model(pictures)
    assert output.shape == pictures.shape
    assert latents[SITE].shape == (2, 2, 3, 5)
    torch.testing.assert_close(latents[SITE].norm(dim=-1), torch.ones(2, 2, 3))
    assert (latents[Site("encoder", axis=1)].norm(dim=-1) - 1).abs().max() > 0.1


@pytest.mark.parametrize("context", [0, 2])
def test_an_edit_at_a_place_is_seen_in_its_square_and_nowhere_else(pictures, context):
    model = PatchAutoencoder(context=context).eval()
    before = model(pictures)
    where = torch.zeros(2, 2, 3, dtype=torch.bool)
    where[0, 1, 2] = True

    def edit(z):
        return torch.where(where[..., None], -z, z)

    with intervene(model, edit, SITE):
        changed = (model(pictures) != before).any(1)
    assert changed[0, 4:, 8:].any()
    changed[0, 4:, 8:] = False
    assert not changed.any()


@pytest.mark.parametrize(("context", "reach"), [(0, 0), (1, 1), (2, 2)])
def test_the_encoder_sees_so_many_places_to_each_side(context, reach):
    model = PatchAutoencoder(patch=2, context=context).eval()
    one, other = torch.zeros(1, 3, 2, 14), torch.zeros(1, 3, 2, 14)
    other[..., 6:8] = 1.0
    with record(model, SITE) as latents:
        model(one)
        before = latents[SITE]
    with record(model, SITE) as latents:
        model(other)
    (places,) = (latents[SITE] != before).any(-1)[0, 0].nonzero(as_tuple=True)
    assert places.tolist() == list(range(3 - reach, 4 + reach))


def test_outputs_are_clamped_in_evaluation_mode_only(pictures):
    model = PatchAutoencoder()
    with torch.no_grad():
        model.decoder.straight.bias.copy_(torch.tensor([-1.0, 0.5, 2.0]))
        free, clamped = model(pictures), model.eval()(pictures)
    assert free.min() < 0
    assert free.max() > 1
    assert torch.equal(clamped, free.clamp(0, 1))


def test_what_is_constant_at_the_latents_comes_out_the_same_everywhere(pictures):
    model = PatchAutoencoder(latent_dim=3).eval()
    with intervene(model, ZeroAblation([0, 1, 2]), SITE):
        squares = model(pictures).unfold(2, 4, 4).unfold(3, 4, 4)
    torch.testing.assert_close(squares, squares[:1, :, :1, :1].expand_as(squares))


@pytest.mark.parametrize("shape", [(3, 8, 12), (2, 3, 9, 12), (2, 3, 8, 13)])
def test_pictures_that_are_no_batch_of_whole_squares_are_refused(shape):
    with refuses(ValueError, r"The pictures have shape .*; expected \(batch, 3, height, width\)"):
        PatchAutoencoder(patch=4)(torch.zeros(shape))


def test_channels_may_lie_on_any_axis(generator):
    z = torch.randn(2, 5, 3, generator=generator)
    for axis in (0, 1, 2, -1):
        lengths = Normalize(axis)(z).norm(dim=axis)
        torch.testing.assert_close(lengths, torch.ones_like(lengths))
    assert (repr(Normalize()), repr(Normalize(axis=1))) == ("Normalize()", "Normalize(axis=1)")


@pytest.mark.parametrize("size", ["channels", "latent_dim", "hidden", "patch"])
def test_a_network_has_sizes_of_at_least_1(size):
    with refuses(ValueError, f"{size} is 0; expected at least 1"):
        PatchAutoencoder(**{size: 0})
    with refuses(ValueError, "context is -1; expected at least 0"):
        PatchAutoencoder(context=-1)
