"""Networks small enough to audit in every test."""

from functools import cache

import torch

from latent_anchors.audits._lessons import Lesson
from latent_anchors.audits._races import race
from latent_anchors.audits._starts import as_it_is, fresh
from latent_anchors.models import Population, SphericalAutoencoder

SEEDS = (3, 1)
POINTS = 0.5 + 0.03 * torch.tensor([[-1.0, 0, 1], [1.0, -1, 0], [0.0, 1, -1], [0.0, 0, 0]])


def network():
    return SphericalAutoencoder(hidden=4)


def easy(target=POINTS):
    """Few points and close together, so soon learnt; the first is the goal."""
    return Lesson(POINTS, target, POINTS[:1], target[:1], POINTS, target)


@cache
def untrained():
    """Not to be written to."""
    return Population.make(network, SEEDS)


@cache
def first():
    """How soon fresh networks learn the easy lesson; not to be written to."""
    new = fresh(untrained())
    return race(new, as_it_is(new), easy())
