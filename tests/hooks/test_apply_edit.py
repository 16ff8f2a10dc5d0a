import pytest
import torch
from refusals import refuses
from torch import nn

from latent_anchors.interventions import attach, intervene
from latent_anchors.models import PatchAutoencoder, Population, Site, record

LATENT = Site("latent", axis=1)
X = torch.ones(1, 2)


@pytest.fixture(params=["model", "population"])
def either(request):
    made = nn.Sequential(nn.Linear(2, 2), nn.Identity())
    return made if request.param == "model" else Population.from_models([made, made])


def in_place(z):
    z[..., 0] = 0
    return z


def in_place_and_new(z):
    return z.mul_(2) + 1


@pytest.mark.parametrize("edit", [in_place, in_place_and_new, lambda z: z.relu_()])
def test_an_edit_that_writes_into_the_latents_is_refused(edit, either):
    with (
        refuses(RuntimeError, "wrote into the latents that it was given; expected new ones"),
        intervene(either, edit, "1"),
    ):
        either(X)


def test_in_inference_mode_it_is_given_a_copy_to_write_into():
    model, x = nn.Sequential(nn.Identity()), torch.ones(1, 2)
    with torch.inference_mode():
        given = x.clone()
        with intervene(model, in_place, "0"):
            assert model(given).tolist() == [[0, 1]]
        assert given.tolist() == [[1, 1]]


def test_a_tensor_that_is_kept_elsewhere_is_not_written_to_by_what_follows():
    cache = {"z": -torch.ones(2, 3), "batch": -torch.ones(4, 2, 3)}
    before = cache["z"].clone()
    model = nn.Sequential(nn.Identity(), nn.ReLU(inplace=True))
    for edit in (lambda _: cache["z"], lambda _: cache["batch"][1], lambda _: cache["z"].mT.mT):
        with intervene(model, edit, "0"):
            assert not model(torch.ones(2, 3)).any()
        assert torch.equal(cache["z"], before)
        assert torch.equal(cache["batch"][1], before)


class Strides(nn.Module):
    """In which memory order its input lies."""

    def forward(self, z):
        self.seen = z.stride()
        return z.clone()


def test_what_an_edit_returns_lies_in_memory_as_the_latents_did():
    z = torch.arange(24.0).reshape(2, 3, 4).mT
    model = nn.Sequential(nn.Identity(), Strides())
    plain = model(z)
    with intervene(model, lambda z: z.contiguous() + 0, "0"):
        assert torch.equal(model(z), plain)
    assert model[1].seen == z.stride()


def test_latents_in_another_memory_order_get_no_gradient_that_the_edit_cut():
    z = torch.ones(2, 4, 3).mT.requires_grad_()
    model = nn.Sequential(nn.Identity())
    with intervene(model, lambda z: z.detach().contiguous(), "0"):
        assert not model(z).requires_grad
    with intervene(model, lambda z: 2 * z.contiguous(), "0"):
        model(z).sum().backward()
    assert z.grad is not None
    assert (z.grad == 2).all()


@pytest.mark.parametrize("order", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("runs", [1, 2])
def test_places_that_an_edit_spares_keep_their_pixels_to_the_last_bit(order, runs):
    """Convolutions round differently in each memory order."""
    torch.manual_seed(0)
    model = Population.from_models([PatchAutoencoder() for _ in range(runs)]).eval()
    pictures = torch.rand(40, 3, 32, 32).contiguous(memory_format=order)
    with record(model, LATENT) as recorded:
        plain = model(pictures)
    first = recorded[LATENT][..., :1]
    bound = first.median()
    with intervene(model, lambda z: z.where(z[..., :1] <= bound, -z).contiguous(), LATENT):
        changed = (model(pictures) != plain).unfold(3, 4, 4).unfold(4, 4, 4).any(2).any(-1).any(-1)
    assert torch.equal(changed, first[..., 0] > bound)


@pytest.mark.parametrize(
    ("edit", "error", "message"),
    [
        (lambda _: None, TypeError, r"returned NoneType; expected a tensor of shape \(1, 2\)"),
        (lambda z: (z,), TypeError, "returned tuple; expected a tensor"),
        (lambda z: z[:, :1], ValueError, r"shape \(1, 2\) into \(1, 1\).*use surgery"),
        (lambda z: z.double(), TypeError, "float32 into torch.float64; expected the same type"),
    ],
)
def test_what_is_no_edit_of_the_latents_is_refused(edit, error, message):
    model = nn.Sequential(nn.Identity())
    attach(model, edit, "0")
    with refuses(error, message):
        model(X)


def test_an_edit_that_runs_its_own_layer_is_refused_and_may_run_others():
    model, other = nn.Sequential(nn.Identity()), nn.Sequential(nn.Identity())
    with (
        refuses(RuntimeError, "runs the layer '0', where it is in force"),
        intervene(model, lambda z: model(z) + 1, "0"),
    ):
        model(X)
    with intervene(model, lambda z: other(z) + 1, "0"):
        assert model(X).tolist() == [[2, 2]]
