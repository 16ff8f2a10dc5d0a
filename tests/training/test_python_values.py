"""Whatever Python holds is looked at: a change shows, and nothing else does."""

import random
import sys
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from types import ModuleType

import numpy as np
import pytest
import torch
from refusals import refuses
from torch import nn
from training.tiny import train

from latent_anchors.regularizers import Separation
from latent_anchors.training import reconstruction
from latent_anchors.training._python_state.python_values import Same, Values, digest_of_tensor

LEVEL = {"now": 1.0}
OUTSIDE = ModuleType("a_users_own_module")
OUTSIDE.level = 1.0


class Kind(Enum):
    ONE = 1
    TWO = 2


@dataclass
class Plain:
    value: object = 1.0
    inner: list = field(default_factory=lambda: [1.0])

    def method(self):
        return self.value


class Slotted:
    __slots__ = ("value",)

    def __init__(self):
        self.value = 1.0


class OfTheClass:
    level = 1.0

    def doubled(self):
        return 2 * self.level


def looks_up():
    return LEVEL["now"]


def looks_up_elsewhere():
    return OUTSIDE.level


def closing_over(value):
    return lambda: value


def with_default(value=(1.0,)):
    return value


def wrapped():
    return Plain(partial(pow, 2, mod=5))


def put(place, key, value):
    place[key] = value


CHANGES = {
    "attribute": (Plain, lambda each: setattr(each, "value", 2.0)),
    "new attribute": (Plain, lambda each: setattr(each, "other", 2.0)),
    "enum": (lambda: Plain(Kind.ONE), lambda each: setattr(each, "value", Kind.TWO)),
    "list within": (Plain, lambda each: each.inner.append(2.0)),
    "long list": (lambda: [0.0] * 1000, lambda each: put(each, 500, 1.0)),
    "long list of others": (
        lambda: [Plain() for _ in range(70)],
        lambda each: each[69].inner.pop(),
    ),
    "dict": (lambda: {"a": [1]}, lambda each: each["a"].append(2)),
    "set": (lambda: {1, 2}, lambda each: each.add(3)),
    "exchange in a set": (lambda: {1, 2}, lambda each: each.symmetric_difference_update({2, 3})),
    "set of others": (lambda: {len}, lambda each: each.add(max)),
    "deque": (lambda: deque([1, 2]), lambda each: each.rotate()),
    "ordered": (lambda: OrderedDict(a=1, b=2), lambda each: each.move_to_end("a")),
    "array": (lambda: np.zeros(3), lambda each: put(each, 1, 1.0)),
    "slots": (Slotted, lambda each: setattr(each, "value", 2.0)),
    "partial": (wrapped, lambda each: each.value.keywords.update(mod=7)),
    "method": (lambda: Plain().method, lambda each: setattr(each.__self__, "value", 3.0)),
    "closure": (lambda: closing_over([1.0]), lambda each: each().append(2.0)),
    "default": (lambda: with_default, lambda each: setattr(each, "__defaults__", ((2.0,),))),
    "global": (lambda: looks_up, lambda _: LEVEL.update(now=LEVEL["now"] + 1)),
    "global elsewhere": (
        lambda: looks_up_elsewhere,
        lambda _: setattr(OUTSIDE, "level", OUTSIDE.level + 1),
    ),
    "class": (OfTheClass, lambda _: setattr(OfTheClass, "level", OfTheClass.level + 1)),
    "code": (lambda: Plain(closing_over(1)), lambda each: setattr(each, "value", lambda: 2)),
    "of this library": (lambda: Separation(power=3.0), lambda each: setattr(each, "power", 4.0)),
    "a layer's": (lambda: nn.Dropout(0.1), lambda each: setattr(each, "p", 0.2)),
    "training": (lambda: nn.Sequential(nn.ReLU()), lambda each: each.eval()),
    "hook": (nn.ReLU, lambda each: each.register_forward_hook(print)),
    "another layer": (lambda: nn.Sequential(nn.ReLU()), lambda each: put(each, 0, nn.Tanh())),
    "tensor": (lambda: Plain(torch.ones(2)), lambda each: setattr(each, "value", torch.ones(2))),
}


def look(thing):
    values = Values(Same)
    values.look("it", thing)
    return values.found


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_shows_and_a_second_look_alone_shows_nothing(what, monkeypatch):
    monkeypatch.setitem(sys.modules, "a_users_own_module", OUTSIDE)
    make, change = CHANGES[what]
    thing = make()
    before = look(thing)
    assert look(thing) == before
    change(thing)
    assert look(thing) != before


def test_what_leads_back_to_itself_is_looked_at_once():
    loop = Plain()
    loop.inner.append(loop)
    assert look(loop)["it.value"] == "1.0"


def test_what_this_library_keeps_for_itself_is_not_looked_at():
    penalty = Separation()
    before = look(penalty)
    penalty._kept = 1
    assert look(penalty) == before


@pytest.mark.parametrize(
    "tensor",
    [
        torch.arange(6.0).reshape(2, 3),
        torch.arange(6, dtype=torch.bfloat16),
        torch.tensor([True, False]),
        torch.tensor([1 + 2j]).conj(),
        torch.eye(3).to_sparse(),
        torch.zeros(0),
        torch.tensor(1.5),
    ],
)
def test_a_digest_is_of_the_numbers_the_shape_and_the_type(tensor):
    assert digest_of_tensor(tensor) == digest_of_tensor(tensor.clone())
    assert digest_of_tensor(tensor) != digest_of_tensor(tensor.unsqueeze(0))
    other = torch.complex128 if tensor.is_complex() else torch.float64
    assert digest_of_tensor(tensor) != digest_of_tensor(tensor.to(other))
    if tensor.numel() and tensor.layout == torch.strided:
        assert digest_of_tensor(tensor) != digest_of_tensor(
            ~tensor if tensor.dtype == torch.bool else tensor + 1
        )


ALONE = {"execution": "sequential"}


class Noisy:
    """A loss that holds a generator of random numbers."""

    def __init__(self, generator):
        self.generator = generator

    def __call__(self, forward, batch):
        if isinstance(self.generator, torch.Generator):
            factor = torch.rand((), generator=self.generator, dtype=torch.float64)
        else:
            factor = self.generator.random()
        return factor * reconstruction(forward, batch)


def generators():
    torchs = torch.Generator().manual_seed(0)
    return {"torch": torchs, "numpy": np.random.default_rng(0), "python": random.Random(0)}


@pytest.mark.parametrize("kind", [*generators()])
def test_a_generator_that_a_loss_holds_ties_runs_together_and_is_refused(kind):
    losses = {"recon": Noisy(generators()[kind])}
    with refuses(RuntimeError, r"After run 1, .*losses\['recon'\].generator from"):
        train(losses=losses, execution="sequential")
    stopped = train(losses={"recon": Noisy(generators()[kind])}, seeds=[3], steps=7, **ALONE)
    with refuses(ValueError, r"losses\['recon'\].generator was"):
        train(stopped, losses={"recon": Noisy(generators()[kind])}, **ALONE)
