from functools import partial

import pytest
import torch
from torch import nn
from training.tiny import SAMPLER, Dropped, Normed, network, timeline, train, trained, weights

from latent_anchors import Term
from latent_anchors.data import LabeledBatch
from latent_anchors.models import SphericalAutoencoder
from latent_anchors.training import Every, Failure, reconstruction

EXECUTIONS = ("vmap", "sequential")


class Poisoned:
    """One seed's target, or its inputs, are not there from some step on."""

    def __init__(self, seed, step, inputs=False):
        self.seed, self.step, self.inputs = seed, step, inputs

    def block(self, seed, index):
        batch = SAMPLER.block(seed, index)
        factor = torch.ones(100, 1, 1, dtype=torch.float64)
        if seed == self.seed and index == self.step // 100:
            factor[self.step % 100 :] = torch.nan
        inputs = batch.inputs * (factor if self.inputs else 1.0)
        return LabeledBatch(inputs, batch.labels, {"target": batch.inputs * factor})


def to_target(forward, batch):
    output, _ = forward(batch.inputs)
    return (output - batch.extras["target"]).square().mean(-1)


SOUND = Poisoned(None, 0)


def others_are_untouched(failed, sound, run):
    for other in {0, 1, 2} - {run}:
        assert torch.equal(weights(failed.population, other), weights(sound.population, other))
        assert torch.equal(failed.history["recon"][:, other], sound.history["recon"][:, other])


@pytest.mark.parametrize(
    ("make_model", "execution"),
    [(network, "vmap"), (Normed, "vmap"), (Normed, "sequential"), (Dropped, "sequential")],
)
def test_a_run_that_goes_non_finite_is_frozen_reported_and_alone_in_it(make_model, execution):
    options = {"make_model": make_model, "execution": execution, "losses": {"recon": to_target}}
    until_then = []
    look = Every(7, lambda progress: until_then.append(weights(progress.population, 1)))
    sound = train(batches=SOUND, steps=12, callbacks=[look], **options)
    failed = train(batches=Poisoned(1, 7), steps=12, **options)
    assert failed.failures == (Failure(run=1, step=7, what="recon"),)
    others_are_untouched(failed, sound, run=1)
    assert torch.equal(weights(failed.population, 1), until_then[0])
    means = failed.history["recon"][:, 1]
    assert torch.equal(means[:7], sound.history["recon"][:7, 1])
    assert bool(means[7:].isnan().all())
    assert failed.history.masses["anchor"][7:, 1].tolist() == [0.0] * 5


def test_it_stays_frozen_over_callbacks_and_blocks():
    options = {"losses": {"recon": to_target}, "time": timeline(112)}
    failed = train(batches=Poisoned(3, 95), callbacks=[Every(50, id)], **options)
    assert failed.failures == (Failure(0, 95, "recon"),)
    others_are_untouched(failed, train(batches=SOUND, **options), run=0)
    assert failed.history["recon"].isnan().sum(0).tolist() == [112 - 95, 0, 0]


def test_the_first_part_that_is_not_finite_is_named():
    size = Term("anchor", lambda z: z.square().sum(-1), at="encoder")
    failed = train(batches=Poisoned(4, 3, inputs=True), terms=[size], steps=6)
    assert failed.failures == (Failure(2, 3, "anchor"),)


def test_several_failures_come_in_order_of_their_step():
    class Both:
        def block(self, seed, index):
            return Poisoned(seed, {3: 5, 1: 2, 4: 90}[seed]).block(seed, index)

    for execution in EXECUTIONS:
        failed = train(losses={"recon": to_target}, batches=Both(), steps=8, execution=execution)
        assert failed.failures == (Failure(1, 2, "recon"), Failure(0, 5, "recon"))


def test_a_gradient_that_is_not_finite_counts_though_every_part_is():
    class Vanishing:
        def block(self, seed, index):
            batch = SAMPLER.block(seed, index)
            there = torch.ones(100, 8, dtype=torch.float64)
            there[4:] = float(seed != 1)
            return LabeledBatch(batch.inputs, batch.labels, {"there": there})

    def distance(forward, batch):
        output, _ = forward(batch.inputs)
        return (batch.extras["there"] * (output - batch.inputs).square().sum(-1)).sqrt()

    failed = train(losses={"recon": distance}, batches=Vanishing(), steps=8)
    assert failed.failures == (Failure(1, 4, "gradient"),)
    assert bool(failed.history["recon"][4:, 1].isnan().all())
    assert bool(weights(failed.population, 1).isfinite().all())


def test_a_learning_rate_that_blows_one_run_up_leaves_the_others_alone():
    times = [timeline(), timeline(lr=1e200), timeline()]
    failed = train(time=times)
    assert [(failure.run, failure.what) for failure in failed.failures] == [(1, "anchor")]
    assert bool(weights(failed.population, 1).isfinite().all())
    for run in (0, 2):
        difference = weights(failed.population, run) - weights(trained().population, run)
        assert float(difference.abs().max()) < 1e-9


def test_without_failures_nothing_is_reported():
    assert trained().failures == ()


class Scaled(SphericalAutoencoder):
    """A parameter without axes of its own."""

    def __init__(self):
        super().__init__(hidden=4)
        self.gain = nn.Parameter(torch.tensor(1.0))
        self.double()

    def forward(self, x):
        return self.gain * super().forward(x)


def test_a_gain_without_axes_is_trained_with_vmap_as_sequentially():
    fits = [train(make_model=Scaled, execution=execution) for execution in EXECUTIONS]
    together, sequential = (fitted.population.tensors()["gain"] for fitted in fits)
    torch.testing.assert_close(together, sequential)
    assert (together - 1.0).abs().min() > 1e-3


@pytest.mark.parametrize("execution", EXECUTIONS)
def test_no_gradient_of_the_last_step_is_left_for_the_next_loop(execution):
    population = train(execution=execution).population
    assert all(parameter.grad is None for parameter in population.parameters())


class Grown(nn.Module):
    """Louder with every pass, by a number that Python holds."""

    def __init__(self):
        super().__init__()
        self.times, self.latent, self.decoder = 0, nn.Linear(3, 4), nn.Linear(4, 3)
        self.double()

    def forward(self, x):
        self.times += 1
        return self.decoder(self.latent(x)) * (1 + 0.01 * self.times)


class Tired:
    """A loss that weighs each of its calls more, and fails at one of them."""

    def __init__(self, fails):
        self.calls, self.fails = 0, fails

    def __call__(self, forward, batch):
        self.calls += 1
        factor = torch.nan if self.calls == self.fails else 1 + 0.1 * self.calls
        return factor * reconstruction(forward, batch)


def test_a_lone_run_that_fails_is_repeated_from_what_python_held_before():
    rising = timeline(lr=(0.01, 1e300))
    options = {"execution": "sequential", "optimizer": torch.optim.SGD, "time": rising}
    alone, among = (train(Grown, seeds=seeds, **options) for seeds in ([3], [3, 1]))
    assert alone.failures
    assert alone.failures[0] == among.failures[0]
    torch.testing.assert_close(
        alone.history.means["recon"][:, 0], among.history.means["recon"][:, 0], equal_nan=True
    )


def test_a_loss_that_counts_is_repeated_too():
    options = {"execution": "sequential", "seeds": [3]}
    failed, sound = (train(losses={"recon": Tired(fails)}, **options) for fails in (12, 0))
    assert failed.failures == (Failure(0, 11, "recon"),)
    ours, theirs = (each.history.means["recon"][:11] for each in (failed, sound))
    torch.testing.assert_close(ours, theirs)


class Averaged(nn.Module):
    """Normalized by running averages; and a mask of the kind that attention has."""

    def __init__(self, size):
        super().__init__()
        self.latent, self.norm = nn.Linear(3, 4), nn.BatchNorm1d(4)
        self.decoder, self.size = nn.Linear(4, 3), size
        self.register_buffer("mask", torch.tensor([0.0, -torch.inf]))

    def forward(self, x):
        z = self.latent(x.float()) * self.size
        return self.decoder(self.norm(z)).to(x.dtype)


@pytest.mark.parametrize("execution", ["vmap", "sequential"])
def test_averages_that_are_not_finite_are_a_failure_and_a_mask_is_not(execution):
    options = {"execution": execution, "seeds": [3, 1], "steps": 4}
    assert train(partial(Averaged, 1.0), **options).failures == ()
    failed = train(partial(Averaged, 1e25), **options).failures
    assert failed == (Failure(0, 0, "buffer"), Failure(1, 0, "buffer"))


class Signs(torch.optim.SGD):
    """Steps by the sign of a gradient, which may be infinite."""

    def step(self, closure=None):
        for parameter in self.param_groups[0]["params"]:
            parameter.grad = parameter.grad.nan_to_num().sign() * 0.01
        super().step(closure)


def test_whether_a_run_fails_does_not_depend_on_others():
    def loss(forward, batch):
        # of slope infinity where nothing is far
        return batch.extras["target"].isfinite().all() * (forward(batch.inputs)[0] * 0).sqrt().sum(
            -1
        ) + to_target(forward, batch)

    options = {"losses": {"recon": loss}, "optimizer": Signs}
    alone = train(batches=SOUND, seeds=[3], **options)
    beside = train(batches=Poisoned(1, 5), seeds=[3, 1], **options)
    assert alone.failures == ()
    assert [failure.run for failure in beside.failures] == [1]
    torch.testing.assert_close(weights(alone.population, 0), weights(beside.population, 0))
