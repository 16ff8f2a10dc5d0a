import numpy as np
import pytest
import torch
from refusals import unchecked
from torch import nn

from latent_anchors.interventions import (
    Projection,
    SiteLayers,
    Suppression,
    ZeroAblation,
    ablate,
    intervene,
    prune,
)
from latent_anchors.models import PlainAutoencoder, Population, SphericalAutoencoder

X = torch.rand(16, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
DIMS = [0, 2]
zeroing = ZeroAblation(DIMS)
AROUND = SiteLayers("encoder.2", ("decoder.0",))  # spares the trace, which has tests of its own


@pytest.fixture(params=[SphericalAutoencoder, PlainAutoencoder, "population"])
def model(request):
    torch.manual_seed(1)
    if request.param == "population":
        return Population.make(lambda: SphericalAutoencoder().double(), seeds=range(3))
    return request.param().double()


def under(model, edit, at):
    with intervene(model, edit, at):
        return model(X)


def test_reading_side_equals_zero_ablation_after_the_normalization(model):
    read = ablate(model, DIMS, AROUND, side="reading")(X)
    torch.testing.assert_close(read, under(model, zeroing, "latent"))
    assert not torch.allclose(read, model(X))


@pytest.mark.parametrize("side", ["both", "writing"])
def test_writing_side_equals_zero_ablation_before_the_normalization(model, side):
    written = ablate(model, DIMS, AROUND, side=side)(X)
    torch.testing.assert_close(written, under(model, zeroing, "encoder"))
    assert not torch.allclose(written, model(X))


def test_the_two_sides_of_a_normalization_differ():
    spherical, plain = SphericalAutoencoder().double(), PlainAutoencoder().double()
    for model, same in ((spherical, False), (plain, True)):
        written, read = (
            ablate(model, DIMS, AROUND, side=side)(X) for side in ("writing", "reading")
        )
        assert torch.allclose(written, read) is same


def test_reading_side_equals_suppression_of_both_signs_of_an_axis():
    model = SphericalAutoencoder().double()
    axis = torch.eye(4, dtype=torch.float64)[1]
    both_poles = under(model, Projection(axis.unsqueeze(0)), "latent")
    torch.testing.assert_close(ablate(model, [1], AROUND, side="reading")(X), both_poles)
    one_pole = under(model, Suppression(axis), "latent")
    assert not torch.allclose(ablate(model, [1], AROUND, side="reading")(X), one_pole)


def test_an_activation_that_maps_0_to_0_may_be_in_between():
    model = nn.Sequential(nn.Linear(3, 4), nn.GELU(), nn.Linear(4, 2)).double()
    for side in ("both", "writing", "reading"):
        torch.testing.assert_close(
            ablate(model, DIMS, "1", side=side)(X), under(model, zeroing, "1")
        )


def test_both_heads_named_equal_the_edit():
    class TwoHeads(SphericalAutoencoder):
        def forward(self, x):
            z = self.latent(self.encoder(x))
            return self.decoder(z) + self.other(z)

    model = TwoHeads()
    model.other = nn.Linear(4, 3)
    model.double()
    both = SiteLayers("encoder.2", ("decoder.0", "other"))
    read = ablate(model, DIMS, both, side="reading")(X)
    torch.testing.assert_close(read, under(model, zeroing, "latent"))


def test_a_producer_without_a_bias_is_ablated_too():
    model = nn.Sequential(nn.Linear(3, 4, bias=False), nn.Identity(), nn.Linear(4, 2)).double()
    torch.testing.assert_close(ablate(model, DIMS, "1")(X), under(model, zeroing, "1"))


def test_ablating_twice_is_ablating_once_and_dims_add_up(model):
    once = ablate(model, DIMS, AROUND)
    assert torch.equal(ablate(once, DIMS, AROUND)(X), once(X))
    assert torch.equal(ablate(ablate(model, [0], AROUND), [2], AROUND)(X), once(X))


@pytest.mark.parametrize("side", ["both", "writing", "reading"])
def test_no_gradient_reaches_weights_ablated_on_both_sides(side):
    model = ablate(SphericalAutoencoder().double(), DIMS, AROUND, side=side)
    model(X).square().sum().backward()
    row, column = model.encoder[2].weight.grad[DIMS], model.decoder[0].weight.grad[:, DIMS]
    assert bool(row.any() or column.any()) is (side != "both")


def test_diverged_weights_are_zeroed_too():
    model = PlainAutoencoder()
    with torch.no_grad():
        model.encoder[2].weight[0] = torch.nan
    assert model(X.float()).isnan().all()
    assert ablate(model, [0])(X.float()).isfinite().all()


def test_dimensions_may_be_numbers_of_any_kind():
    model = nn.Sequential(nn.Linear(3, 2), nn.Identity(), nn.Linear(2, 1))
    for dims in (np.array([0]), torch.tensor([0])):
        with unchecked():
            ablated, pruned = ablate(model, dims, at="1"), prune(model, dims, at="1")
        assert not ablated[0].weight[0].any()
        assert pruned[0].out_features == 1
