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
    """A path past the site, in an output of any shape, that `says` may hide."""

    def __init__(self, says=lambda y: y, leak=1e-3):
        super().__init__()
        torch.manual_seed(0)
        self.into, self.latent, self.out = nn.Linear(3, 4), nn.Identity(), nn.Linear(4, 3)
        self.skip, self.says, self.leak = nn.Linear(4, 3), says, leak

    def forward(self, x):
        h = self.into(x)
        y = self.out(self.latent(h))
        return self.says(y + self.leak * self.skip(h) if self.leak else y)


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


@pytest.mark.parametrize("says", OUTPUTS.values(), ids=OUTPUTS)
def test_a_path_past_the_site_shows_in_outputs_of_any_shape(says):
    assert find_layers(Leaky(says, leak=0.0), example=X) == SiteLayers("into", ("out",))
    with refuses(ValueError, "not only through the site 'latent'"):
        find_layers(Leaky(says), example=X)


def test_a_path_past_the_site_shows_under_autocast():
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert find_layers(Leaky(leak=0.0), example=X) == SiteLayers("into", ("out",))
        with refuses(ValueError, "not only through the site 'latent'"):
            find_layers(Leaky(), example=X)


@pytest.mark.parametrize(
    ("says", "match"),
    [
        (lambda y: [y.tolist()], "holds no tensor of finite numbers"),
        (lambda y: y * torch.inf, "holds no tensor of finite numbers"),
        (lambda y: (y, y.bfloat16()), "computes in torch.bfloat16 even where its parameters"),
        (lambda y: y @ torch.eye(3).bfloat16(), "does not run on the example, in a copy in full"),
    ],
)
def test_an_output_in_which_nothing_would_show_is_refused(says, match):
    with refuses(ValueError, match):
        find_layers(Leaky(says), example=X)
    with refuses((ValueError, RuntimeError), f"{match}|same dtype"):
        prune(Leaky(says), [0], SiteLayers("into", ("out",)), X)


def test_what_a_model_does_not_take_is_refused_with_what_it_says():
    with refuses(
        ValueError, "does not run on the example, .*shapes cannot be multiplied.*example="
    ):
        find_layers(Leaky(), example=torch.rand(4, 5))
    with refuses(TypeError, "The example is a dict; expected .* a tensor, or a tuple of arguments"):
        find_layers(Leaky(), example={"x": X})


def test_weights_that_are_not_at_hand_cannot_be_traced():
    model = Leaky()
    model.other = nn.Linear(2, 2, device="meta")
    with refuses(ValueError, "cannot be traced: 'other.weight' has no numbers.*at=SiteLayers"):
        ablate(model, [0], example=X)
    assert not ablate(model, [0], SiteLayers("into", ("out",))).into.weight[0].any()


def test_a_model_that_diverged_does_not_deceive_the_check_of_pruning():
    class Centered(nn.Module):
        def forward(self, z):
            return z - z.mean(-1, keepdim=True)

    model = nn.Sequential(nn.Linear(3, 4), Centered(), nn.Linear(4, 2))
    nn.init.constant_(model[2].weight, torch.nan)
    with refuses(ValueError, "Pruning would not equal ablating"):
        prune(model, [0], SiteLayers("0", ("2",)), X)


def test_convolutions_of_many_channels_do_not_drown_what_leaks():
    deep = [nn.Conv1d(c, 64, 3, padding=1) for c in [1, *[64] * 40]]
    for leak in (0.0, 1e-2):
        model = nn.Sequential(Leaky(leak=leak), nn.Unflatten(-1, (1, 3)), *deep)
        if leak:
            with refuses(ValueError, "not only through the site '0.latent'"):
                find_layers(model, "0.latent", X)
        else:
            assert find_layers(model, "0.latent", X) == SiteLayers("0.into", ("0.out",))


def test_looking_draws_no_random_numbers_of_the_users():
    model, state = Leaky(leak=0.0), torch.random.get_rng_state()
    find_layers(model)
    assert torch.equal(torch.random.get_rng_state(), state)
