"""A small classifier and a small language model, which know nothing of color."""

from functools import cache

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from latent_anchors.models import Population, PrenormTransformer

POINTS = torch.randn(200, 6, generator=torch.Generator().manual_seed(0))
CLASSES = POINTS[:, :3].argmax(1)
"""Class 0 is the concept."""

TOKENS = 12
LINES = torch.randint(0, TOKENS, (24, 6), generator=torch.Generator().manual_seed(1))


def classifier():
    return nn.Sequential(nn.Linear(6, 16), nn.GELU(), nn.Linear(16, 3))


def language_model():
    return PrenormTransformer(TOKENS, 16, 1, 2, 32)


def classify(model, _step, points=POINTS, classes=CLASSES):
    return cross_entropy(model(points), classes)


def predict(model, _step, lines=LINES):
    return cross_entropy(model(lines)[:, :-1].flatten(0, 1), lines[:, 1:].flatten())


def accuracy(model):
    """On the concept's class."""
    concept = CLASSES == 0
    return (model(POINTS[concept]).argmax(-1) == 0).double().mean()


def surprise(model):
    """Nats per token."""
    return predict(model, 0)


def trained(model, loss, steps=150, **given):
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    for step in range(steps):
        optimizer.zero_grad()
        loss(model, step, **given).backward()
        optimizer.step()
    return model


@cache
def classifiers():
    """One that lost class 0, and one that never saw it; not to be written to."""
    torch.manual_seed(0)
    whole = trained(classifier(), classify)
    hidden = classifier()
    hidden.load_state_dict(whole.state_dict())
    with torch.no_grad():
        hidden[2].bias[0] = -50.0
    others = CLASSES != 0
    oracle = trained(classifier(), classify, points=POINTS[others], classes=CLASSES[others])
    return hidden, oracle


@cache
def language_models():
    """One whose weights were lightly damaged, and a new one; not to be written to."""
    torch.manual_seed(0)
    damaged = trained(language_model(), predict, steps=60)
    with torch.no_grad():
        for parameter in damaged.parameters():
            parameter.mul_(0.8)
    return damaged, language_model()


def population(*models):
    return Population.from_models([*models], range(len(models)))
