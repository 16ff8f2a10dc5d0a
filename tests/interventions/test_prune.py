import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from refusals import refuses
from torch import nn
from torch.nn import functional

from latent_anchors.interventions import SiteLayers, ablate, find_layers, prune
from latent_anchors.models import (
    Normalize,
    PlainAutoencoder,
    Population,
    SphericalAutoencoder,
    record,
)

X = torch.rand(16, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
AROUND = SiteLayers("encoder.2", ("decoder.0",))


def spherical():
    return SphericalAutoencoder(latent_dim=5).double()


@settings(max_examples=15)
@given(dims=st.sets(st.integers(0, 4), min_size=1, max_size=4))
def test_pruning_equals_ablation(dims):
    model = spherical()
    pruned, ablated = (surgery(model, sorted(dims), AROUND, X) for surgery in (prune, ablate))
    torch.testing.assert_close(pruned(X), ablated(X))
    assert not torch.allclose(pruned(X), model(X))


@pytest.mark.parametrize("make", [PlainAutoencoder, spherical])
def test_pruning_a_population_equals_ablating_it(make):
    population = Population.make(lambda: make().double(), seeds=range(3))
    pruned = prune(population, [3, 1], AROUND)
    torch.testing.assert_close(pruned(X), ablate(population, [1, 3], AROUND)(X))
    torch.testing.assert_close(pruned[1](X), ablate(population[1], [1, 3], AROUND)(X))


def test_remaining_latents_are_those_of_the_ablated_model():
    model = spherical()
    pruned, ablated = prune(model, [0, 3], AROUND), ablate(model, [0, 3], AROUND)
    with record(pruned) as few, record(ablated) as many:
        pruned(X), ablated(X)
    torch.testing.assert_close(few["latent"], many["latent"][..., [1, 2, 4]])
    assert not many["latent"][..., [0, 3]].any()


def test_latent_dim_is_updated_wherever_it_is_stored():
    pruned = prune(spherical(), [4])
    assert pruned.latent_dim == 4
    assert (pruned.encoder[2].out_features, pruned.decoder[0].in_features) == (4, 4)
    fresh = SphericalAutoencoder(latent_dim=4).double()
    fresh.load_state_dict(pruned.state_dict())
    torch.testing.assert_close(fresh(X), pruned(X))
    assert prune(Population.make(spherical, seeds=[0, 1]), [4], AROUND)[0].latent_dim == 4


def test_latent_dim_of_another_model_is_unchanged():
    class Pair(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = spherical(), spherical()

        def forward(self, x):
            return self.b(self.a(x))

    pruned = prune(Pair(), [0], at="a.latent")
    assert (pruned.a.latent_dim, pruned.b.latent_dim) == (4, 5)


def test_a_pruned_model_can_be_pruned_again():
    model = spherical()
    torch.testing.assert_close(
        prune(prune(model, [1], AROUND), [1], AROUND)(X), ablate(model, [1, 2], AROUND)(X)
    )
    assert find_layers(prune(model, [1], AROUND)) == AROUND


def test_pruning_all_dimensions_is_refused():
    with refuses(ValueError, "are all latent dimensions; expected at least one to remain"):
        prune(SphericalAutoencoder(latent_dim=2), [0, 1])


def test_models_that_need_the_full_width_are_refused():
    rms = nn.Sequential(nn.Linear(3, 4), nn.RMSNorm(4), nn.Linear(4, 2))
    with refuses(ValueError, "The pruned model no longer runs. Something around the site needs"):
        prune(rms, [0], at="1")

    class RootMeanSquare(Normalize):
        def forward(self, z):
            return functional.rms_norm(z, z.shape[-1:])

    scaled = nn.Sequential(nn.Linear(3, 4), RootMeanSquare(), nn.Linear(4, 2))
    ablate(scaled, [0], at="1")
    with refuses(ValueError, "Pruning would not equal ablating. Something around the site"):
        prune(scaled, [0], at="1")
