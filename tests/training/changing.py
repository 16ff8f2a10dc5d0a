"""Trainings in which something that Python holds changes on the way."""

import random

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint
from training.tiny import timeline, train

from latent_anchors import Term
from latent_anchors.curriculum import Timeline
from latent_anchors.regularizers import Separation
from latent_anchors.training import Every, reconstruction

FACTOR = 1.0
"""What a loss looks up in its module."""


class Layered(nn.Module):
    """A place in front of a small network for something that changes."""

    def __init__(self, first):
        super().__init__()
        self.first, self.latent, self.decoder = first, nn.Linear(3, 4), nn.Linear(4, 3)
        self.double()

    def forward(self, x):
        return self.decoder(self.latent(self.first(x)))


class Counting(nn.Module):
    """A counter of steps: a plain number, or a buffer that is written in place."""

    def __init__(self, buffer):
        super().__init__()
        self.buffer = buffer
        if buffer:
            self.register_buffer("count", torch.zeros((), dtype=torch.float64))
        else:
            self.count = 0

    def forward(self, x):
        if self.training:
            self.count += 1
        return x * self.count / (5 + self.count)


class Checkpointed(nn.Module):
    """Computed again in the backward pass."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 3)

    def forward(self, x):
        return checkpoint(self.layer, x, use_reentrant=False)


class Weighed:
    """A loss with a plain attribute."""

    def __init__(self):
        self.factor = 1.0

    def __call__(self, forward, batch):
        return self.factor * reconstruction(forward, batch)


def acting(change, **options):
    """A training with an action before step 7."""
    time = timeline()
    tracks = {name: time[name] for name in time.names}
    time = Timeline(tracks, actions={7: ["change"]}, steps=20)
    return train(time=time, actions={"change": change}, **options)


def power_of_a_penalty(execution):
    penalty = Separation(power=4.0)
    terms = [Term("anchor", penalty)]
    return acting(lambda _: setattr(penalty, "power", 1.0), terms=terms, execution=execution)


def attribute_of_a_loss(execution):
    loss = Weighed()
    called = Every(7, lambda progress: setattr(loss, "factor", 1.0 + progress.step))
    return train(losses={"recon": loss}, callbacks=[called], execution=execution)


def number_in_a_closure(execution):
    factor = 1.0

    def change(_):
        nonlocal factor
        factor = 9.0

    def loss(forward, batch):
        return factor * reconstruction(forward, batch)

    return acting(change, losses={"recon": loss}, execution=execution)


def entry_of_a_closed_over_dict(execution):
    held = {"inner": [1.0]}
    loss = {"recon": lambda forward, batch: held["inner"][0] * reconstruction(forward, batch)}

    def change(_):
        held["inner"][0] = 9.0

    return acting(change, losses=loss, execution=execution)


def _by_the_global(forward, batch):
    return FACTOR * reconstruction(forward, batch)


def global_of_a_module(execution):
    def change(_):
        globals()["FACTOR"] = 9.0

    try:
        return acting(change, losses={"recon": _by_the_global}, execution=execution)
    finally:
        globals()["FACTOR"] = 1.0


def code_of_a_loss(execution):
    loss = Weighed()

    class Heavier(Weighed):
        def __call__(self, forward, batch):
            return 9.0 * super().__call__(forward, batch)

    def change(_):
        loss.__class__ = Heavier

    return acting(change, losses={"recon": loss}, execution=execution)


def another_tensor(execution):
    loss = Weighed()
    loss.factor = torch.ones((), dtype=torch.float64)
    later = torch.full((), 9.0, dtype=torch.float64)
    return acting(
        lambda _: setattr(loss, "factor", later), losses={"recon": loss}, execution=execution
    )


def tensor_written_in_place(execution):
    loss = Weighed()
    loss.factor = torch.ones((), dtype=torch.float64)
    return acting(lambda _: loss.factor.fill_(9.0), losses={"recon": loss}, execution=execution)


def attribute_of_a_layer(execution):
    return acting(
        lambda progress: setattr(progress.population.stacked.first, "gain", 9.0),
        make_model=lambda: Layered(Gained()),
        execution=execution,
    )


class Gained(nn.Module):
    """A plain number of a model's."""

    def __init__(self):
        super().__init__()
        self.gain = 1.0

    def forward(self, x):
        return self.gain * x


def counter_in_a_buffer(execution):
    return train(lambda: Layered(Counting(buffer=True)), execution=execution)


def plain_counter(execution, **options):
    return train(lambda: Layered(Counting(buffer=False)), execution=execution, **options)


def counter_of_a_loss(execution, **options):
    loss = Weighed()

    def counted(forward, batch):
        loss.factor += 1.0
        return loss(forward, batch)

    return train(losses={"recon": counted}, execution=execution, **options)


def random_number_of_python(execution, **options):
    random.seed(0)
    loss = {"recon": lambda forward, batch: random.random() * reconstruction(forward, batch)}
    return train(losses=loss, execution=execution, **options)


CHANGED_BETWEEN_STEPS = (
    power_of_a_penalty,
    attribute_of_a_loss,
    number_in_a_closure,
    entry_of_a_closed_over_dict,
    global_of_a_module,
    code_of_a_loss,
    another_tensor,
    tensor_written_in_place,
    attribute_of_a_layer,
    counter_in_a_buffer,
)
CHANGED_BY_A_STEP = {
    plain_counter: r"model.first.count from 1 to 2; .*Hold it in a buffer of the model",
    counter_of_a_loss: r"factor from 2.0 to 3.0; .*with one seed and execution='sequential'",
    random_number_of_python: (
        "'recon' of run 0 is .* in the recorded step and .* in the step as Python runs it now"
    ),
}
"""What the refusal names and advises."""
