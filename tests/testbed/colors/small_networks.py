from functools import cache

import torch

from latent_anchors.audits._fresh import fresh
from latent_anchors.models import Population, SphericalAutoencoder
from latent_anchors.testbed._colors._finetune_colors import as_it_is, finetune
from latent_anchors.testbed._colors._stacked_training import Task

SEEDS = (3, 1)
POINTS = 0.5 + 0.03 * torch.tensor([[-1.0, 0, 1], [1.0, -1, 0], [0.0, 1, -1], [0.0, 0, 0]])


def network():
    return SphericalAutoencoder(hidden=4)


def easy(target=POINTS):
    """Few points and close together, so soon learnt; the first is the goal."""
    return Task(POINTS, target, POINTS[:1], target[:1], POINTS, target)


@cache
def untrained():
    """Not to be written to."""
    return Population.make(network, SEEDS)


@cache
def first():
    """How soon fresh networks learn the easy task; not to be written to."""
    new = fresh(untrained())
    return finetune(new, as_it_is(new), easy())
