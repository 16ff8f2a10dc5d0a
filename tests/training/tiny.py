"""A world small enough to train in every test, in float64 so that rounding hides nothing."""

from functools import cache

import torch
from torch import nn

from latent_anchors import Objective, Term, fit
from latent_anchors.colorspace import hue_degree, rgb_grid
from latent_anchors.curriculum import Keyframe, Timeline, Track
from latent_anchors.data import BernoulliLabels, Sampler
from latent_anchors.models import SphericalAutoencoder
from latent_anchors.regularizers import Anchor
from latent_anchors.training import reconstruction

COLORS = rgb_grid(3, dtype=torch.float64)
SAMPLER = Sampler(
    COLORS, {"red": BernoulliLabels(0.6 * hue_degree(COLORS, 0.0) ** 2)}, batch_size=8
)
ANCHOR = Term("anchor", Anchor([1.0, 0.0, 0.0, 0.0]), label="red")


def network():
    return SphericalAutoencoder(hidden=4).double()


class Normed(nn.Module):
    """Batch normalization, whose running averages differ between runs."""

    def __init__(self):
        super().__init__()
        self.latent = nn.Sequential(nn.Linear(3, 4, bias=False), nn.BatchNorm1d(4))
        self.decoder = nn.Linear(4, 3)
        self.double()

    def forward(self, x):
        return self.decoder(self.latent(x))


class Dropped(nn.Module):
    """Noise of the model's own."""

    def __init__(self):
        super().__init__()
        self.latent = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.5))
        self.decoder = nn.Linear(4, 3)
        self.double()

    def forward(self, x):
        return self.decoder(self.latent(x))


def timeline(steps=20, **changes):
    """Constants, but for what is given as (first, last)."""
    values = {"lr": 0.02, "anchor": 0.5, "recon": 1.0, **changes}
    return Timeline({name: track(value, steps) for name, value in values.items()}, steps=steps)


def track(value, steps):
    if not isinstance(value, tuple):
        return Track([Keyframe(0, value)])
    return Track([Keyframe(0, value[0]), Keyframe(steps - 1, value[1])])


def train(make_model=network, time=None, batches=SAMPLER, losses=None, terms=(ANCHOR,), **options):
    losses = losses or {"recon": reconstruction}
    objective = Objective(terms, losses=losses, other_tracks=["lr"])
    options = {"seeds": (3, 1, 4), "progress": False, **options}
    return fit(make_model, objective, time or timeline(), batches, losses=losses, **options)


@cache
def trained():
    """What `train()` comes to; not to be written to."""
    return train()


def weights(population, run):
    """All of a run's parameters and buffers in one vector."""
    rows = [tensor[run].detach().flatten().double() for tensor in population.tensors().values()]
    return torch.cat(rows)


def same(one, other):
    """Whether two populations hold the same numbers, bit for bit."""
    ours, theirs = one.tensors(), other.tensors()
    return all(torch.equal(ours[name], theirs[name]) for name in ours)


def close(one, other, within=1e-9):
    ours, theirs = one.tensors(), other.tensors()
    return all(bool((ours[name] - theirs[name]).abs().max() <= within) for name in ours)
