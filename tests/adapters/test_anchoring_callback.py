"""Lightning's trainer, with an objective and a timeline."""

import lightning
import pytest
import torch
from adapters.lit import (
    COLORS,
    RED,
    Lit,
    anchoring,
    loader,
    objective,
    timeline,
    trained,
    trainer,
    weights,
)
from lightning.pytorch.callbacks import ModelCheckpoint
from torch.utils.data import DataLoader, IterableDataset

import latent_anchors as la
from latent_anchors.curriculum import Below, Playhead, Retarget, Stop, Trigger

pytestmark = pytest.mark.filterwarnings(
    "ignore::lightning.pytorch.utilities.rank_zero.LightningDeprecationWarning",
    "ignore:.*isinstance.treespec:",
    "ignore::lightning.fabric.utilities.warnings.PossibleUserWarning",
    "ignore:You defined a `validation_step`",
    "ignore:Checkpoint directory",
    "ignore:.*does not have many workers",
)
SETTINGS = ("lr", "red")


def by_hand(steps=8, size=24):
    """The same training as a plain loop, on whole batches."""
    module, plan = Lit(), timeline()
    optimizer = torch.optim.SGD(module.parameters(), lr=1.0, momentum=0.9)
    ask, means = objective(), {}
    for step in range(steps):
        at = slice(size * step % 72, size * step % 72 + size)
        with la.record(module, ask.sites) as latents:
            task = module.training_step((COLORS[at], RED[at]))
        parts = ask(latents, {"red": RED[at]}, plan(step), task=task)
        optimizer.param_groups[0]["lr"] = plan(step)["lr"]
        optimizer.zero_grad()
        parts.total.backward()
        optimizer.step()
        means = parts.means()
    return weights(module), means


def close(found, expected):
    # divisors are summed up in float32
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-7)


@pytest.mark.parametrize(("size", "accumulated"), [(24, 1), (6, 4), (9, 3)])
def test_micro_batches_train_as_the_whole_batch_in_a_plain_loop_does(size, accumulated):
    # 9 does not divide 24: the batch is 27, and the last step of an epoch is of 18
    if accumulated == 3:
        return close(trained(9, 3, steps=6), trained(27, 1, steps=6))
    return close(trained(size, accumulated), by_hand()[0])


def test_a_loader_without_a_length_trains_alike():
    class Stream(IterableDataset):
        def __iter__(self):
            return iter(zip(COLORS, RED, strict=True))

    module = Lit()
    by = trainer(anchoring(), accumulate_grad_batches=4)
    by.fit(module, DataLoader(Stream(), batch_size=6))
    close(weights(module), trained(24))


def test_the_mean_of_the_micro_batches_means_would_be_something_else():
    ask = objective()
    module = Lit()

    def total(at):
        with la.record(module, ask.sites) as latents:
            task = module.training_step((COLORS[at], RED[at]))
        return float(ask(latents, {"red": RED[at]}, timeline()(0), task=task).total.detach())

    parts = [total(slice(at, at + 6)) for at in range(0, 24, 6)]
    assert abs(sum(parts) / 4 - total(slice(0, 24))) > 1e-3


@pytest.mark.parametrize("accumulated", [1, 2])
def test_two_processes_train_as_one_does(accumulated):
    options = {"strategy": "ddp_spawn", "devices": 2}
    close(trained(12 // accumulated, accumulated, steps=3, **options), trained(24, steps=3))


class Spy(lightning.Callback):
    """The step, the rate and what is logged, at each step of the optimizer."""

    def __init__(self):
        self.steps, self.logged = [], {}

    def on_before_optimizer_step(self, trainer, _, optimizer):
        self.steps.append((trainer.global_step, optimizer.param_groups[0]["lr"]))

    def on_train_batch_end(self, trainer, *_):
        self.logged = dict(trainer.callback_metrics)


def test_settings_are_those_of_the_optimizers_step_and_all_parts_are_logged_for_the_whole_batch():
    spy = Spy()
    trainer(anchoring(), accumulate_grad_batches=4, callbacks=[spy]).fit(Lit(), loader(6))
    assert spy.steps == [(step, timeline()(step)["lr"]) for step in range(8)]
    expected = by_hand()[1]
    assert set(spy.logged) == {f"objective/{name}" for name in expected}
    for name, value in expected.items():
        close(spy.logged[f"objective/{name}"], value)


def playhead():
    """Weighs red more once it is near, and stops early."""
    rules = [
        Trigger("red", Below(0.9, patience=2), Retarget("red", 3.0, over=2)),
        Trigger("task", Below(0.2, patience=3), Stop()),
    ]
    return Playhead(timeline(), rules)


@pytest.mark.parametrize("make", [timeline, playhead])
def test_a_training_that_is_resumed_is_the_same_bit_for_bit(make, tmp_path):
    def fit(steps, **options):
        saves = ModelCheckpoint(
            tmp_path / str(steps), "{step}", every_n_train_steps=3, save_top_k=-1
        )
        module, callback = Lit(), anchoring(make())
        by = trainer(callback, steps, [saves], accumulate_grad_batches=2, enable_checkpointing=True)
        by.fit(module, loader(12), **options)
        return weights(module), callback.schedule.state_dict()

    whole, state = fit(8)
    resumed, resumed_state = fit(8, ckpt_path=tmp_path / "8" / "step=3.ckpt")
    assert torch.equal(resumed, whole)
    assert resumed_state == state
    assert not torch.equal(fit(3)[0], whole)
