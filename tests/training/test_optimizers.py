from functools import partial

import pytest
import torch
from refusals import refuses
from torch import optim
from training.tiny import timeline, train

from latent_anchors.training._fit.optimizers import DrivenOptimizer, check_per_run, check_separable

BY_NUMBER = [
    optim.Adam,
    optim.AdamW,
    optim.RMSprop,
    optim.Adagrad,
    optim.NAdam,
    partial(optim.SGD, lr=0.1, momentum=0.9, weight_decay=0.01),
]


class Clipping(optim.SGD):
    """Clips by the norm of everything that it is given."""

    def step(self, closure=None):
        torch.nn.utils.clip_grad_norm_(self.param_groups[0]["params"], 0.1)
        super().step(closure)


@pytest.mark.parametrize("make", BY_NUMBER)
def test_an_optimizer_that_treats_each_number_by_itself_may_drive_many_runs(make):
    check_separable(make)
    check_per_run("lr", differs=True, make=make)


@pytest.mark.parametrize("make", [optim.Adafactor, Clipping])
def test_an_optimizer_that_mixes_runs_is_refused_by_name(make):
    with refuses(ValueError, f"The optimizer {make.__name__} mixes runs.*execution='sequential'"):
        train(optimizer=make)


def test_an_optimizer_that_steps_otherwise_is_refused_by_name():
    with refuses(ValueError, "LBFGS cannot train runs as one stack .*closure.*or SGD.$"):
        train(optimizer=optim.LBFGS)


def test_an_optimizer_that_asks_for_the_loss_again_is_refused_sequentially_too():
    with refuses(ValueError, "LBFGS.step needs a closure.*a loop of your own"):
        train(optimizer=optim.LBFGS, execution="sequential")


def test_what_cannot_train_together_may_train_sequentially():
    assert len(train(optimizer=Clipping, execution="sequential", steps=3).history["recon"]) == 3


@pytest.mark.parametrize("make", [optim.Rprop, optim.ASGD])
def test_rates_of_their_own_need_updates_in_proportion_to_the_rate(make):
    check_per_run("lr", differs=False, make=make)
    with refuses(ValueError, f"Track 'lr' differs between runs.*{make.__name__}.*sequential"):
        check_per_run("lr", differs=True, make=make)


def test_other_settings_may_change_with_the_step_but_not_between_runs():
    check_per_run("weight_decay", differs=False, make=optim.Adam)
    with refuses(ValueError, "Track 'weight_decay' differs between runs that are trained together"):
        check_per_run("weight_decay", differs=True, make=optim.Adam)


def test_a_fit_refuses_settings_that_differ_between_runs():
    times = [timeline(lr=0.1), timeline(lr=0.2)]
    with refuses(ValueError, "Track 'lr' differs between runs.*Rprop"):
        train(time=times, seeds=[0, 1], optimizer=optim.Rprop)


@pytest.mark.parametrize("rates", [[0.5, 0.5], [0.5, 0.25]])
def test_a_row_is_written_into_the_optimizer_before_its_step(rates):
    stack = torch.zeros(2, 3, requires_grad=True)
    stack.grad = torch.ones(2, 3)
    drive = DrivenOptimizer(optim.SGD([stack]), per_run=True)
    drive.step({"lr": torch.tensor(rates), "weight_decay": torch.tensor([0.0, 0.0])})
    assert stack.detach().tolist() == [[-rate] * 3 for rate in rates]
    drive.step({"weight_decay": torch.tensor([0.2, 0.2]), "lr": torch.tensor([0.0, 0.0])})
    assert drive.optimizer.param_groups[0]["weight_decay"] == pytest.approx(0.2)
    assert stack.detach().tolist() == [[-rate] * 3 for rate in rates]


def test_a_learning_rate_that_is_a_tensor_stays_in_its_place():
    stack = torch.zeros(2, 3, requires_grad=True)
    stack.grad = torch.ones(2, 3)
    driven = DrivenOptimizer(optim.SGD([stack], lr=torch.tensor(0.1)), per_run=True)
    place = driven.optimizer.param_groups[0]["lr"]
    driven.step({"lr": torch.tensor([0.5, 0.5])})
    assert driven.optimizer.param_groups[0]["lr"] is place
    assert float(place) == 0.5
    assert stack.detach().unique().tolist() == [-0.5]


@pytest.mark.parametrize("execution", ["vmap", "sequential"])
def test_groups_with_rates_of_their_own_are_not_written_over(execution):
    def frozen_first(parameters):
        first, *others = parameters
        groups = [{"params": [first], "lr": 0.0}, {"params": others}]
        return optim.SGD(groups, lr=0.1)

    with refuses(ValueError, "The optimizer's groups differ in 'lr': 0.0, 0.1"):
        train(optimizer=frozen_first, execution=execution)


@pytest.mark.parametrize("execution", ["vmap", "sequential"])
def test_no_rate_is_below_zero(execution):
    with refuses(ValueError, "Track 'lr' is a rate and is -0.1 at step 0; expected at least 0"):
        train(time=timeline(lr=-0.1), execution=execution)


def test_what_an_optimizer_keeps_in_another_precision_comes_back_in_it():
    def driven():
        parameter = torch.ones(3, dtype=torch.bfloat16, requires_grad=True)
        parameter.grad = torch.ones_like(parameter)
        return parameter, DrivenOptimizer(optim.NAdam([parameter]), per_run=False)

    _, first = driven()
    first.step({})
    state = first.optimizer.state_dict()
    state["state"][0]["exp_avg"] = state["state"][0]["exp_avg"].float() + 1e-4
    parameter, second = driven()
    second.recall(state)
    found = second.optimizer.state[parameter]
    for name, kept in state["state"][0].items():
        assert found[name].dtype == kept.dtype
        assert torch.equal(found[name], kept)
    found["exp_avg"] += 1
    assert not torch.equal(found["exp_avg"], state["state"][0]["exp_avg"])  # a copy
