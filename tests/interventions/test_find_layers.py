from itertools import permutations

import pytest
import torch
from refusals import refuses
from torch import nn
from torch.nn import functional

from latent_anchors.interventions import SiteLayers, ablate, find_layers
from latent_anchors.models import (
    Normalize,
    PlainAutoencoder,
    Population,
    Site,
    SphericalAutoencoder,
)

X = torch.rand(4, 3, generator=torch.Generator().manual_seed(0))


class Wired(nn.Module):
    """Layers defined in an order that says nothing, wired by a function."""

    def __init__(self, forward, **layers):
        super().__init__()
        self.out, self.second = nn.Linear(4, 3), nn.Linear(4, 3)
        self.back, self.into, self.skip = nn.Linear(4, 4), nn.Linear(3, 4), nn.Linear(3, 4)
        self.latent = nn.Identity()
        for name, layer in layers.items():
            setattr(self, name, layer)
        self.wires = forward

    def forward(self, x):
        return self.wires(self, x)


def found(forward, at="latent", **layers):
    return find_layers(Wired(forward, **layers), at, example=X)


def straight(m, x):
    return m.out(m.latent(m.into(x)))


AROUND = SiteLayers("into", ("out",))


@pytest.mark.parametrize(
    "model",
    [
        SphericalAutoencoder(),
        PlainAutoencoder(latent_dim=1),
        PlainAutoencoder(latent_dim=16, normalize=True),
        Population.make(SphericalAutoencoder, seeds=range(2)),
    ],
)
@pytest.mark.parametrize("at", ["encoder", "latent"])
def test_the_layers_of_an_autoencoder_are_found(model, at):
    assert find_layers(model, at) == SiteLayers("encoder.2", ("decoder.0",))


def test_the_order_of_definition_does_not_matter():
    assert found(straight) == AROUND
    reversed_order = nn.Sequential()
    layers = {"2": nn.Linear(4, 4), "1": nn.Identity(), "0": nn.Linear(4, 4)}
    for name, layer in layers.items():
        reversed_order.add_module(name, layer)
    assert find_layers(reversed_order, at="1") == SiteLayers("2", ("0",))


@pytest.mark.parametrize(
    "between",
    [
        nn.Dropout(0.5),
        nn.GELU(),
        nn.Tanh(),
        nn.ReLU(),
        Normalize(),
        nn.RMSNorm(4),
        nn.Sequential(nn.Dropout(), nn.Tanh(), Normalize()),
    ],
)
def test_modules_that_keep_channels_apart_and_map_0_to_0_may_be_in_between(between):
    assert found(straight, latent=between) == AROUND
    assert found(straight, at="into", latent=between) == AROUND


class Shuffled(nn.Module):
    def forward(self, z):
        return z.flip(-1)


@pytest.mark.parametrize(
    "between",
    [
        nn.LayerNorm(4),
        nn.Softmax(-1),
        nn.Sigmoid(),
        nn.BatchNorm1d(4),
        nn.Sequential(nn.Unflatten(-1, (1, 4)), nn.Conv1d(1, 1, 3, padding=1), nn.Flatten()),
        Shuffled(),
    ],
)
def test_modules_that_mix_channels_or_move_0_are_refused(between):
    with refuses(ValueError, "none writes the latents at 'latent'"):
        found(straight, latent=between)
    with refuses(ValueError, "none reads the latents at 'into'"):
        found(straight, at="into", latent=between)


class Paired(nn.Module):
    """Two channels are mixed; the others are let through."""

    def __init__(self, one, other, width=5):
        super().__init__()
        self.mixing = torch.eye(width)
        self.mixing[one, other] = 0.5

    def forward(self, z):
        return z @ self.mixing


@pytest.mark.parametrize(("one", "other"), [*permutations(range(5), 2)])
def test_mixing_any_two_channels_is_refused(one, other):
    mixed = nn.Sequential(nn.Linear(3, 5), Paired(one, other), nn.Linear(5, 2))
    with refuses(ValueError, "none writes the latents at '1'"):
        find_layers(mixed, "1", X)


def test_a_single_channel_that_moves_0_is_refused():
    one = nn.Sequential(nn.Linear(3, 1), nn.Sigmoid(), nn.Linear(1, 2))
    with refuses(ValueError, "none writes the latents at '1'"):
        find_layers(one, "1", X)
    with refuses(ValueError, "none reads the latents at '0'"):
        find_layers(one, "0", X)


def residual(m, x):
    return m.out(m.latent(m.into(x) + m.skip(x)))


def residual_after(m, x):
    z = m.latent(m.into(x))
    return m.out(z + m.back(z))


def gated(m, x):
    return m.out(m.latent(m.into(x) * m.skip(x)))


def two_heads(m, x):
    z = m.latent(m.into(x))
    return {"hue": m.out(z), "value": [m.second(z)]}


def twice(m, x):
    z = m.latent(m.into(x))
    return m.out(z) + m.out(2 * z)


def tied_in_passing(m, x):
    return functional.linear(m.latent(m.into(x)), m.into.weight.T)


def past_the_consumer(m, x):
    z = m.latent(m.into(x))
    return m.out(z), z[:, :3].square()


def past_the_consumer_and_clamped(m, x):
    return sum(past_the_consumer(m, x))[:, :1].clamp(0.0, 1.0)


def past_the_site(m, x):
    h = m.into(x)
    return m.out(m.latent(h)) + m.second(h.tanh())


def site_twice(m, x):
    return m.out(m.latent(m.latent(m.into(x))))


def site_never(m, x):
    return m.out(m.into(x))


@pytest.mark.parametrize(
    ("forward", "match"),
    [
        (residual, "none writes the latents"),
        (residual_after, "depends on the latents at 'latent' not only through 'back'"),
        (gated, "'into', 'skip' each writes the latents at 'latent'"),
        (two_heads, "'out', 'second' each reads the latents at 'latent'"),
        (twice, "none reads .*used more than once: .*'out'"),
        (tied_in_passing, "none writes .*used more than once: .*'into'"),
        (past_the_consumer, "output depends on the latents at 'latent' not only through 'out'"),
        (past_the_consumer_and_clamped, "the latents at 'latent' not only through 'out'"),
        (past_the_site, "depends on what 'into' writes not only through the site 'latent'"),
        (site_twice, "'latent' ran 2 times on the example"),
        (site_never, "'latent' ran 0 times on the example"),
    ],
)
def test_ambiguous_layers_are_refused(forward, match):
    with refuses(ValueError, match):
        found(forward)


def test_both_heads_can_be_named():
    model = Wired(two_heads)
    ablated = ablate(model, [0, 2], at=SiteLayers("into", ("out", "second")))
    assert not ablated.out.weight[:, [0, 2]].any()
    assert not ablated.second.weight[:, [0, 2]].any()


def test_one_side_is_found_though_the_other_is_ambiguous():
    assert ablate(Wired(two_heads), [0], example=X, side="writing").out.weight.all()
    assert ablate(Wired(gated), [0], example=X, side="reading").into.weight.all()


def test_coincidences_of_the_weights_do_not_mislead():
    model = Wired(lambda m, x: m.out(m.latent(m.back(m.into(x)))))
    nn.init.eye_(model.back.weight)
    nn.init.zeros_(model.back.bias)
    nn.init.zeros_(model.out.weight)
    nn.init.constant_(model.into.weight, torch.nan)
    assert find_layers(model, example=X) == SiteLayers("back", ("out",))


def test_channels_may_be_on_a_middle_axis():
    def forward(m, x):
        return m.out(m.latent(m.into(x).mT).mT)

    model, x = Wired(forward), torch.rand(2, 5, 3)
    assert find_layers(model, Site("latent", axis=1), example=x) == AROUND
    assert find_layers(Wired(straight), Site("into", axis=1), example=X) == AROUND


def test_a_model_of_several_arguments_is_traced_on_a_tuple():
    class Scaled(Wired):
        def forward(self, x, size):
            return straight(self, x) * size

    assert find_layers(Scaled(None), example=(X, torch.ones(4, 1))) == AROUND


def test_without_an_example_the_width_must_be_the_only_one_that_runs():
    assert find_layers(Wired(straight)) == AROUND
    with refuses(ValueError, r"of widths \[3, 4\] the model runs on \[\]"):
        find_layers(Wired(lambda m, x: straight(m, x[0, 0])))
    with refuses(ValueError, r"of widths \[3, 4\] the model runs on \[3, 4\]"):
        find_layers(Wired(lambda m, x: straight(m, x[:, :3])))


def test_tracing_does_not_change_the_model():
    model = Wired(straight, latent=nn.Dropout())
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    find_layers(model)
    assert model.training
    assert not any(layer._forward_hooks for layer in model.modules())
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_an_unknown_site_is_refused():
    with refuses(ValueError, "Unknown site 'latnt'"):
        find_layers(SphericalAutoencoder(), at="latnt")
