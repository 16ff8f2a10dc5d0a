"""What surgery's checks look at, and that they look at it in full precision."""

from types import SimpleNamespace

import pytest
import torch
from refusals import refuses
from torch import nn

from latent_anchors.interventions import SiteLayers, ablate, find_layers, prune

X = torch.rand(4, 3, generator=torch.Generator().manual_seed(0))


class Slotted:
    __slots__ = ("logits",)

    def __init__(self, logits):
        self.logits = logits


class Knotted:
    """An object that leads back to itself, as caches and configurations may."""

    def __init__(self, logits):
        self.itself, self.parts = self, [None, "a word", {"logits": (logits,)}]


class Leaky(nn.Module):
    """A path past the site, in an output of any shape, that `output` may hide."""

    def __init__(self, output=lambda y: y, leak=1e-3):
        super().__init__()
        torch.manual_seed(0)
        self.into, self.latent, self.out = nn.Linear(3, 4), nn.Identity(), nn.Linear(4, 3)
        self.skip, self.output, self.leak = nn.Linear(4, 3), output, leak

    def forward(self, x):
        h = self.into(x)
        y = self.out(self.latent(h))
        return self.output(y + self.leak * self.skip(h) if self.leak else y)


def masked(value):
    return lambda y: torch.cat([y, torch.full_like(y, value)], -1)


def within_autocast(y):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        return torch.nn.functional.linear(y, torch.eye(3))


OUTPUTS = {
    "a tensor": lambda y: y,
    "a plain object": lambda y: SimpleNamespace(logits=y, loss=None),
    "an object without a dictionary": Slotted,
    "an object that holds itself": Knotted,
    "tuples in a tuple": lambda y: (torch.arange(3), (y, (y,))),
    "masked by minus infinity": masked(-torch.inf),
    "masked by a large number": masked(-1e9),
    "masked by the largest": masked(torch.finfo(torch.float32).min),
    "partly undefined": masked(torch.nan),
    "half precision within": within_autocast,
}


@pytest.mark.parametrize("output", OUTPUTS.values(), ids=OUTPUTS)
def test_a_path_past_the_site_is_seen_in_outputs_of_any_structure(output):
    assert find_layers(Leaky(output, leak=0.0), example=X) == SiteLayers("into", ("out",))
    with refuses(ValueError, "not only through the site 'latent'"):
        find_layers(Leaky(output), example=X)


def test_a_path_past_the_site_is_seen_under_autocast():
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert find_layers(Leaky(leak=0.0), example=X) == SiteLayers("into", ("out",))
        with refuses(ValueError, "not only through the site 'latent'"):
            find_layers(Leaky(), example=X)


@pytest.mark.parametrize(
    ("output", "match"),
    [
        (lambda y: [y.tolist()], "holds no tensor of finite numbers"),
        (lambda y: y * torch.inf, "holds no tensor of finite numbers"),
        (lambda y: (y, y.bfloat16()), "computes in torch.bfloat16 even where its parameters"),
        (lambda y: y @ torch.eye(3).bfloat16(), "does not run on the example, in a copy in full"),
    ],
)
def test_outputs_in_which_no_difference_could_be_seen_are_refused(output, match):
    with refuses(ValueError, match):
        find_layers(Leaky(output), example=X)
    with refuses((ValueError, RuntimeError), f"{match}|same dtype"):
        prune(Leaky(output), [0], SiteLayers("into", ("out",)), X)


def test_an_example_that_does_not_fit_is_refused_with_the_models_error():
    with refuses(
        ValueError, "does not run on the example, .*shapes cannot be multiplied.*example="
    ):
        find_layers(Leaky(), example=torch.rand(4, 5))


def test_an_example_may_be_a_mapping_by_name():
    assert find_layers(Leaky(leak=0.0), example={"x": X}) == SiteLayers("into", ("out",))
    assert prune(Leaky(leak=0.0), [0], example={"x": X}).into.out_features == 3


def test_weights_without_values_cannot_be_traced():
    model = Leaky()
    model.other = nn.Linear(2, 2, device="meta")
    with refuses(ValueError, "cannot be traced: 'other.weight' has no values.*at=SiteLayers"):
        ablate(model, [0], example=X)
    assert not ablate(model, [0], SiteLayers("into", ("out",))).into.weight[0].any()


def test_a_diverged_model_does_not_mislead_the_check_of_pruning():
    class Centered(nn.Module):
        def forward(self, z):
            return z - z.mean(-1, keepdim=True)

    model = nn.Sequential(nn.Linear(3, 4), Centered(), nn.Linear(4, 2))
    nn.init.constant_(model[2].weight, torch.nan)
    with refuses(ValueError, "Pruning would not equal ablating"):
        prune(model, [0], SiteLayers("0", ("2",)), X)


def test_convolutions_of_many_channels_do_not_hide_another_path():
    deep = [nn.Conv1d(c, 64, 3, padding=1) for c in [1, *[64] * 40]]
    for leak in (0.0, 1e-2):
        model = nn.Sequential(Leaky(leak=leak), nn.Unflatten(-1, (1, 3)), *deep)
        if leak:
            with refuses(ValueError, "not only through the site '0.latent'"):
                find_layers(model, "0.latent", X)
        else:
            assert find_layers(model, "0.latent", X) == SiteLayers("0.into", ("0.out",))


def test_the_global_random_state_is_not_used():
    model, state = Leaky(leak=0.0), torch.random.get_rng_state()
    find_layers(model)
    assert torch.equal(torch.random.get_rng_state(), state)
