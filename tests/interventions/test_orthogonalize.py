import pytest
import torch
from refusals import refuses, unchecked
from torch import nn

from latent_anchors.interventions import SiteLayers, ablate, intervene, orthogonalize
from latent_anchors.models import PlainAutoencoder, Population, SphericalAutoencoder, record

X = torch.rand(16, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
AROUND = SiteLayers("encoder.2", ("decoder.0",))  # spares the trace, which has tests of its own
V = torch.tensor([1.0, 2.0, -2.0, 0.0], dtype=torch.float64) / 3
SPANNING = [[1.0, 1.0, 0.0, 0.0], [2.0, 0.0, 0.0, 1.0]]


def without(z):
    return z - (z @ V).unsqueeze(-1) * V


def off_the_plane(z):
    rows = torch.tensor(SPANNING, dtype=torch.float64)
    return z - torch.linalg.lstsq(rows.mT, z.mT).solution.mT @ rows


@pytest.fixture(params=[SphericalAutoencoder, PlainAutoencoder, "population"])
def model(request):
    torch.manual_seed(1)
    if request.param == "population":
        return Population.make(lambda: SphericalAutoencoder().double(), seeds=range(3))
    return request.param().double()


def under(model, edit, at):
    with intervene(model, edit, at):
        return model(X)


def test_reading_nothing_along_it_is_projecting_after_the_normalization(model):
    read = orthogonalize(model, 5 * V, AROUND, side="reading")(X)
    torch.testing.assert_close(read, under(model, without, "latent"))
    assert not torch.allclose(read, model(X))


@pytest.mark.parametrize("side", ["both", "writing"])
def test_writing_nothing_along_it_is_projecting_before_the_normalization(model, side):
    written = orthogonalize(model, -V, AROUND, side=side)(X)
    torch.testing.assert_close(written, under(model, without, "encoder"))
    assert not torch.allclose(written, model(X))


def test_the_two_sides_of_a_normalization_differ():
    model = SphericalAutoencoder().double()
    written, read = (
        orthogonalize(model, V, AROUND, side=side)(X) for side in ("writing", "reading")
    )
    assert not torch.allclose(written, read)


def test_the_direction_is_gone_from_the_latents_and_was_there_before(model):
    blind = orthogonalize(model, V, AROUND)
    with record(model) as before, record(blind) as after:
        model(X), blind(X)
    assert ((before["latent"] @ V).abs().amax(-1) > 0.1).all()
    torch.testing.assert_close(after["latent"] @ V, torch.zeros_like(after["latent"][..., 0]))


def test_a_subspace_is_removed_as_a_whole():
    model = PlainAutoencoder().double()
    for side in ("writing", "reading"):
        gone = orthogonalize(model, SPANNING, AROUND, side=side)(X)
        torch.testing.assert_close(gone, under(model, off_the_plane, "latent"))


def test_along_an_axis_it_is_ablation(model):
    axis = [0.0, 0.0, 1.0, 0.0]
    for side in ("both", "writing", "reading"):
        expected = ablate(model, [2], AROUND, side=side).state_dict()
        torch.testing.assert_close(
            orthogonalize(model, axis, AROUND, side=side).state_dict(), expected
        )


def test_doing_it_twice_is_doing_it_once(model):
    once = orthogonalize(model, V, AROUND)
    torch.testing.assert_close(orthogonalize(once, V, AROUND).state_dict(), once.state_dict())


def test_an_activation_between_is_refused_off_the_axes():
    model = nn.Sequential(nn.Linear(3, 4), nn.GELU(), nn.Linear(4, 2)).double()
    with refuses(ValueError, "Between '0' and the site '1' an activation changes each channel"):
        orthogonalize(model, V, at="1")
    with refuses(ValueError, "Between '2' and the site '0' an activation changes each channel"):
        orthogonalize(model, V, at="0", side="reading")
    read = orthogonalize(model, V, at="1", side="reading")(X)
    torch.testing.assert_close(read, under(model, without, "1"))
    written = orthogonalize(model, V, at="0", side="writing")(X)
    torch.testing.assert_close(written, under(model, without, "0"))


def test_directions_of_another_width_are_refused():
    with refuses(ValueError, "The directions have 3 numbers each; expected 4"):
        orthogonalize(SphericalAutoencoder(), [1.0, 0.0, 0.0])
    with refuses(ValueError, "points nowhere"):
        orthogonalize(SphericalAutoencoder(), [0.0] * 4)
    with refuses(ValueError, "not independent directions"):
        orthogonalize(SphericalAutoencoder(), [[1.0, 0.0, 0.0, 0.0]] * 2)


def test_several_directions_may_be_a_list_of_tensors():
    model, rows = SphericalAutoencoder(), torch.eye(4)[:2]
    with unchecked():
        one, other = (orthogonalize(model, each) for each in ([*rows], rows))
    assert torch.equal(one.encoder[2].weight, other.encoder[2].weight)


class Drawing(nn.Module):
    """Adds noise in evaluation mode, too."""

    def forward(self, z):
        return z + torch.randn_like(z)


def test_a_model_that_draws_is_cut_and_leaves_the_generator_alone():
    model = nn.Sequential(nn.Linear(3, 4), Drawing(), nn.Linear(4, 3))
    state = torch.random.get_rng_state()
    cut = orthogonalize(model, torch.eye(4)[0], at="0", side="writing")
    assert torch.equal(torch.random.get_rng_state(), state)
    assert cut[0].weight[0].abs().max() == 0
