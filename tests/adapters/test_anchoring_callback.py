"""Lightning's trainer, with an objective and a timeline."""

import copy
import pickle

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
from lightning.pytorch.loggers import CSVLogger
from refusals import refuses
from torch.utils.data import DataLoader, IterableDataset

import latent_anchors as la
from latent_anchors import adapters
from latent_anchors.curriculum import Below, Playhead, Retarget, Stop, Timeline, Trigger
from latent_anchors.training import TimelineLR

pytestmark = pytest.mark.filterwarnings(
    "ignore::lightning.pytorch.utilities.rank_zero.LightningDeprecationWarning",
    "ignore:.*isinstance.treespec:",
    "ignore::lightning.fabric.utilities.warnings.PossibleUserWarning",
    "ignore:You defined a `validation_step`",
    "ignore:Checkpoint directory",
    "ignore:Be aware that when using .ckpt_path",
    "ignore:.*does not have many workers",
)


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


@pytest.mark.parametrize(("strategy", "accumulated"), [("ddp_fork", 1), ("ddp_spawn", 2)])
def test_two_processes_train_as_one_does(strategy, accumulated):
    options = {"strategy": strategy, "devices": 2}
    close(trained(12 // accumulated, accumulated, steps=3, **options), trained(24, steps=3))


class Spy(lightning.Callback):
    """The step, the rate and what is logged, at each step of the optimizer."""

    def __init__(self):
        self.steps, self.logged = [], {}

    def on_before_optimizer_step(self, trainer, _, optimizer):
        self.steps.append((trainer.global_step, optimizer.param_groups[0]["lr"]))

    def on_train_batch_end(self, trainer, *_):
        self.logged = {name: each.double() for name, each in trainer.callback_metrics.items()}


def test_settings_are_those_of_the_optimizers_step_and_all_parts_are_logged_for_the_whole_batch():
    spy = Spy()
    trainer(anchoring(), accumulate_grad_batches=4, callbacks=[spy]).fit(Lit(), loader(6))
    assert spy.steps == [(step, timeline()(step)["lr"]) for step in range(8)]
    expected = by_hand()[1]
    assert set(spy.logged) == {f"objective/{name}" for name in expected}
    for name, value in expected.items():  # Lightning keeps numbers in float32
        torch.testing.assert_close(spy.logged[f"objective/{name}"], value, rtol=1e-6, atol=1e-7)


class Log(CSVLogger):
    """What was written at each step."""

    def __init__(self, folder):
        super().__init__(folder)
        self.rows = {}

    def log_metrics(self, metrics, step=None):
        self.rows[step] = metrics


@pytest.mark.parametrize("every", [1, 3])
def test_a_part_is_logged_over_the_steps_that_had_labels_and_else_left_out(every, tmp_path):
    labels = torch.zeros(72).double()
    labels[24:36] = RED[24:36]  # the third step of each epoch of six, and no other
    log, spy = Log(tmp_path), Log(tmp_path)
    for seen, pace in ((log, every), (spy, 1)):
        by = trainer(anchoring(), 9, logger=seen, log_every_n_steps=pace)
        by.fit(Lit(), loader(12, red=labels))
    had = [step for step, row in log.rows.items() if "objective/red" in row]
    assert had == [2, 8]
    assert [*log.rows] == [*range(every - 1, 9, every)]
    for step, row in log.rows.items():
        steps = range(step + 1 - every, step + 1)
        for name in row:
            found = [spy.rows[each][name] for each in steps if name in spy.rows[each]]
            if name.startswith("objective/"):
                assert row[name] == pytest.approx(sum(found) / len(found), rel=1e-5)


@pytest.mark.parametrize("every", [0, 50])  # 0: nothing is written
def test_what_other_callbacks_see_at_the_end_of_an_epoch_is_there_without_a_logger(every):
    by = trainer(anchoring(), 2, log_every_n_steps=every)
    by.fit(Lit(), loader(36))
    assert 0 < by.callback_metrics["objective/red"] < 2
    assert by.callback_metrics["objective/red/weighted"] > 0


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
        plan = make()
        by = trainer(
            anchoring(plan), steps, [saves], accumulate_grad_batches=2, enable_checkpointing=True
        )
        module = Lit()
        by.fit(module, loader(12), **options)
        return weights(module), plan.state_dict() if isinstance(plan, Playhead) else None

    whole, state = fit(8)
    resumed, resumed_state = fit(8, ckpt_path=tmp_path / "8" / "step=3.ckpt")
    assert torch.equal(resumed, whole)
    assert resumed_state == state
    assert not torch.equal(fit(3)[0], whole)


def test_a_finished_training_that_is_resumed_ends_at_once(tmp_path):
    saves = ModelCheckpoint(tmp_path, "{step}", every_n_train_steps=2)
    trainer(anchoring(), 2, [saves], enable_checkpointing=True).fit(Lit(), loader(36))
    module = Lit()
    trainer(anchoring(), 2).fit(module, loader(36), ckpt_path=tmp_path / "step=2.ckpt")
    assert not torch.equal(weights(module), weights(Lit()))


def test_a_playhead_needs_the_state_that_it_had(tmp_path):
    saves = ModelCheckpoint(tmp_path, "{step}", every_n_train_steps=2)
    trainer(anchoring(), 2, [saves], enable_checkpointing=True).fit(Lit(), loader(36))
    with refuses(ValueError, "The state is of the triggers nothing; expected"):
        trainer(anchoring(playhead()), 4).fit(Lit(), loader(36), ckpt_path=tmp_path / "step=2.ckpt")


def ending(tmp_path, **options):
    """A trainer after a training of two steps, which a trigger has ended."""
    plan = Playhead(timeline(), [Trigger("task", Below(1e9, patience=2), Stop())])
    saves = ModelCheckpoint(tmp_path, "{step}", every_n_train_steps=2, save_top_k=-1)
    module, by = Lit(), trainer(anchoring(plan), 8, [saves], enable_checkpointing=True)
    by.fit(module, loader(36), **options)
    assert by.global_step == plan.steps == 2
    return module, plan


def test_where_a_playhead_ends_so_does_the_training_and_a_resumed_one_at_once(tmp_path):
    module, plan = ending(tmp_path)
    resumed, again = ending(tmp_path, ckpt_path=tmp_path / "step=2.ckpt")
    assert torch.equal(weights(resumed), weights(module))
    assert again.state_dict() == plan.state_dict()


def test_actions_are_called_before_their_step_once_for_all_micro_batches():
    called = []
    tracks = {name: timeline()[name] for name in timeline().names}
    plan = Timeline(tracks, actions={0: ["look"], 2: ["look"]})
    actions = {"look": lambda trainer: called.append(trainer.global_step)}
    by = trainer(anchoring(plan, actions), 4, accumulate_grad_batches=3)
    by.fit(Lit(), loader(8))
    assert called == [0, 2]


class Skipping(Lit):
    """Skips its second step, and the rest of the first epoch."""

    def on_train_batch_start(self, batch, batch_idx):
        del batch
        return -1 if self.current_epoch == 0 and batch_idx == 2 else None


def test_labels_of_a_step_that_was_skipped_are_not_those_of_the_next():
    module, plain = Skipping(), Lit()
    trainer(anchoring(), 2, accumulate_grad_batches=2).fit(module, loader(12))
    few = loader(12, COLORS[:24], RED[:24])
    trainer(anchoring(), 2, accumulate_grad_batches=2).fit(plain, few)
    assert torch.equal(weights(module), weights(plain))


class Validated(Lit):
    def val_dataloader(self):
        return loader(36)


def test_validation_in_between_changes_nothing():
    module, plain = Validated(), Lit()
    by = trainer(anchoring(), val_check_interval=1, num_sanity_val_steps=1)
    by.fit(module, loader(24))
    trainer(anchoring()).fit(plain, loader(24))
    assert "seen" in by.callback_metrics
    assert torch.equal(weights(module), weights(plain))


def test_under_autocast_terms_are_in_full_precision():
    module = Lit().float()
    by = trainer(anchoring(), precision="bf16-mixed")
    by.fit(module, loader(24, COLORS.float(), RED.float()))
    assert by.callback_metrics["objective/red"] < 0.9
    assert (weights(module) - by_hand()[0]).abs().max() < 0.1


class Named(Lit):
    def training_step(self, batch):
        loss = super().training_step(batch)
        return {"loss": loss.new_zeros(()), "task": loss, "twice": 2 * loss}


class Doubled(Lit):
    def training_step(self, batch):
        return 2 * super().training_step(batch)


def test_several_losses_come_by_name():
    given = {"losses": ["task", "twice"], "constants": {"twice": 0.5}}
    module, alike = Named(), Doubled()  # one, and half of twice that
    trainer(anchoring(**given)).fit(module, loader(24))
    trainer(anchoring()).fit(alike, loader(24))
    close(weights(module), weights(alike))
    with refuses(KeyError, "training_step returned 'loss'; expected 'task', 'twice', too"):
        trainer(anchoring(**given), 1).fit(Lit(), loader(24))


def hooks(module):
    tables = ("_forward_hooks", "_forward_pre_hooks")
    return sum(len(getattr(layer, table)) for layer in module.modules() for table in tables)


class Failing(Lit):
    def training_step(self, batch):
        if self.global_step == 1:
            raise ArithmeticError("stop here")
        return super().training_step(batch)


def test_nothing_is_left_behind_after_training_nor_after_an_error():
    done, failed = Lit(), Failing()
    by = trainer(anchoring())
    by.fit(done, loader(24))
    with pytest.raises(ArithmeticError, match="stop here"):
        trainer(anchoring()).fit(failed, loader(24))
    assert hooks(done) == hooks(failed) == 0
    assert "training_step" not in vars(by.strategy)


def test_a_callback_can_be_pickled_before_during_and_after_training():
    def check():
        for alike in (pickle.loads(pickle.dumps(callback)), copy.deepcopy(callback)):
            assert alike.columns == {"red": 1}
            assert alike._training is None
            assert not {"log", "log_dict"} & {*vars(alike)}

    class During(lightning.Callback):
        def on_train_batch_end(self, *_):
            assert callback._training is not None
            check()

    callback = anchoring()
    for _ in range(2):
        check()
        by = trainer(callback, 2, [During()], accumulate_grad_batches=3)
        by.fit(Lit(), loader(8))


class Changing(Lit):
    def on_after_batch_transfer(self, batch, dataloader_idx):
        del dataloader_idx
        return batch[0] / 2, 1 - batch[1]


class Scaling(Lit):
    def on_after_batch_transfer(self, batch, dataloader_idx):
        del dataloader_idx
        return batch[0] / 2, batch[1]


def test_hooks_of_batches_may_change_inputs_but_not_labels_that_were_counted():
    trainer(anchoring(), 2, accumulate_grad_batches=3).fit(Scaling(), loader(8))
    with refuses(ValueError, "Label or mask 'red' was changed by a hook for the transfer"):
        trainer(anchoring(), 2, accumulate_grad_batches=3).fit(Changing(), loader(8))


class Scheduled(Lit):
    def __init__(self, make, **how):
        super().__init__()
        self.make, self.how = make, how

    def grouped(self):
        groups = [{"params": self.net[:3].parameters()}, {"params": self.net[3:].parameters()}]
        groups[1]["lr"] = 0.5
        return torch.optim.SGD(groups, lr=1.0)

    def configure_optimizers(self):
        optimizer = self.grouped()
        scheduler = {"scheduler": self.make(optimizer), **self.how}
        return {"optimizer": optimizer, "lr_scheduler": scheduler}


def factors(optimizer):
    return TimelineLR(optimizer, timeline(), factors=["lr"])


class Grouped(Scheduled):
    """Without a scheduler of its own."""

    def configure_optimizers(self):
        return self.grouped()


def test_groups_with_rates_of_their_own_keep_their_ratio(tmp_path):
    spy, ends = Spy(), []
    for options in ({}, {"ckpt_path": tmp_path / "step=3.ckpt"}):
        saves = ModelCheckpoint(tmp_path, "{step}", every_n_train_steps=3, save_top_k=-1)
        module, callback = Grouped(None), anchoring(factors=["lr"])
        by = trainer(callback, 8, [spy, saves], enable_checkpointing=True)
        by.fit(module, loader(24), weights_only=False, **options)
        rates = [group["lr"] for group in by.optimizers[0].param_groups]
        assert rates == [timeline()(7)["lr"], 0.5 * timeline()(7)["lr"]]
        ends.append(weights(module))
    steps = [*range(8), *range(3, 8)]
    assert spy.steps == [(step, timeline()(step)["lr"]) for step in steps]
    assert torch.equal(*ends)


def rateless():
    """A timeline that leaves the rate to others, and an objective for it."""
    tracks = {name: timeline()[name] for name in timeline().names if name != "lr"}
    return {"plan": Timeline(tracks), "other_tracks": []}


def test_a_scheduler_of_the_modules_own_sets_the_rate_and_if_ours_must_count_steps():
    spy = Spy()
    module = Scheduled(factors, interval="step")
    trainer(anchoring(**rateless()), 4, callbacks=[spy]).fit(module, loader(24))
    assert spy.steps == [(step, timeline()(step)["lr"]) for step in range(4)]
    with refuses(ValueError, "A TimelineLR is stepped every 1 epoch; expected every step"):
        trainer(anchoring(**rateless())).fit(Scheduled(factors), loader(24))


def test_two_that_drive_the_rate_are_refused():
    with refuses(ValueError, "a track 'lr', and a scheduler of type ConstantLR was given"):
        trainer(anchoring()).fit(Scheduled(torch.optim.lr_scheduler.ConstantLR), loader(24))


def test_a_module_that_steps_by_itself_is_refused():
    module = Lit()
    module.automatic_optimization = False
    with refuses(ValueError, "Lit has automatic_optimization=False; expected True"):
        trainer(anchoring()).fit(module, loader(24))


class FetchesItself(Lit):
    def training_step(self, dataloader_iter):
        batch, *_ = next(dataloader_iter)
        return super().training_step(batch, 0)


def test_a_module_that_fetches_its_batches_is_refused():
    with refuses(ValueError, "FetchesItself takes dataloader_iter.*expected training_step.self, b"):
        trainer(anchoring()).fit(FetchesItself(), loader(24))


@pytest.mark.parametrize("batch", [{"blue": RED[:4]}, (COLORS[:4],)])
def test_a_batch_without_the_label_is_refused(batch):
    with refuses(KeyError, "has no tensor at 1 for the label or mask 'red'; expected one. Say"):
        trainer(anchoring()).fit(Lit(), [batch])


def test_what_would_go_unheard_is_refused():
    with refuses(ValueError, "columns names 'blue', which no term reads; expected some of 'red'"):
        adapters.AnchoringCallback(objective(), timeline(), columns={"blue": 1})
    with refuses(ValueError, "The objective names no loss; expected one, which training_step"):
        anchoring(losses=[], other_tracks=["lr", "task"])
