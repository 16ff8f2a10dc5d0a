"""AnchoringCallback: Lightning's trainer with an objective and a timeline."""

# the types of Lightning are open in places
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor
from typing_extensions import override

from latent_anchors.adapters._lightning_module import (
    LOSS,
    check_automatic,
    check_losses,
    given_scheduler,
    log_means,
    losses_of,
)
from latent_anchors.adapters._logged_means import LoggedMeans
from latent_anchors.adapters._look_ahead import (
    Keys,
    LookAhead,
    check_same,
    columns_of,
    keys_of,
    transforms_batches,
)
from latent_anchors.adapters._played_schedule import Actions, PlayedSchedule
from latent_anchors.adapters._whole_batch import WholeBatch
from latent_anchors.curriculum import Playhead, Timeline
from latent_anchors.models import Recording, record
from latent_anchors.training import Objective

SAVED = "latent_anchors"
"""Where a checkpoint holds what this callback needs to go on."""

LENT = ("log", "log_dict")
"""Methods of the module's that Lightning writes into every callback."""


@dataclass
class _Training:
    """What belongs to one training, and is gone after it."""

    means: LoggedMeans
    whole: WholeBatch
    latents: Recording
    blocks: ExitStack
    look_ahead: LookAhead = field(default_factory=LookAhead)
    batches: deque[dict[str, Tensor]] = field(default_factory=deque[dict[str, Tensor]])


class AnchoringCallback(Callback):
    """Trains any LightningModule for an objective whose weights follow a timeline.

    What ``training_step`` returns becomes the objective's loss: its one loss, or several that the
    step returns by name beside ``"loss"``. Latents are recorded while the module trains, and terms
    find their labels in the batch. All weights are those of the timeline at ``global_step``, which
    counts the optimizer's steps; so is each setting of the optimizer, such as ``"lr"``, that the
    objective has among its ``other_tracks``.

    The gradient of several micro-batches and processes is that of the whole batch: with
    ``accumulate_grad_batches``, all batches of an optimizer's step are fetched before the first of
    them, and only their labels and masks are read. Set penalties alone see the batch in parts. The
    last step of an epoch may have fewer batches than others, and is the mean over these.

    Logs hold ``"objective/total"``, the mean of each part, such as ``"objective/task"``, and its
    share in the total, ``"objective/task/weighted"``; a part that nobody had a label for since the
    last log is left out. They are means over the steps since then: see ``log_every_n_steps``.
    Checkpoints hold the state of a playhead, so that a training resumes bit for bit.

    Args:
        objective: Terms, and the name of the module's own loss, as in ``losses=["task"]``.
        timeline: A track for each weight; or a playhead of one run, whose triggers are given the
            means of each step, named as in logs without ``"objective/"``. With triggers, it ends
            the training.
        columns: Where a batch holds each label and mask: a key, or the position in a tuple; those
            that are left out are keys of the same name.
        actions: What to call with the trainer, just before the step, for each action of the
            timeline or of a trigger, by its name.
        factors: Settings whose track is a factor on what each group of the optimizer has.

    Raises:
        ValueError: If objective, timeline, triggers and actions do not match, the objective names
            no loss or has a ``reduce_mass``, or a column is read by no term; when training begins,
            if the module optimizes by hand, or the timeline and a scheduler would both set the
            rate.

    Examples:
        >>> import latent_anchors as la
        >>> from latent_anchors.curriculum import Keyframe, Timeline, Track
        >>> red = la.Concept("red", la.axis(0, dim=4), at="encoder.2")
        >>> objective = la.Objective([red.term()], losses=["task"])
        >>> timeline = Timeline({"red": Track([Keyframe(0, 0.3)]), "task": Track([Keyframe(0, 1)])})
        >>> anchoring = AnchoringCallback(objective, timeline, columns={"red": 2})
        >>> trainer = Trainer(callbacks=[anchoring], logger=False, enable_checkpointing=False)
        >>> anchoring.columns
        {'red': 2}
    """

    def __init__(
        self,
        objective: Objective,
        timeline: Timeline | Playhead,
        columns: Keys | None = None,
        actions: Actions | None = None,
        factors: Sequence[str] = (),
    ) -> None:
        check_losses(objective)
        self.objective: Objective = objective
        self.columns: Keys = keys_of(objective.terms, columns or {})
        self._schedule = PlayedSchedule(timeline, objective, factors, actions)
        self._training: _Training | None = None

    def __getstate__(self) -> dict[str, Any]:
        """As between trainings: a recording and batches to come go to no other process."""
        kept = {name: value for name, value in vars(self).items() if name not in LENT}
        return {**kept, "_training": None}

    @property
    def _now(self) -> _Training:
        assert self._training is not None
        return self._training

    @override
    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        check_automatic(pl_module)
        whole, blocks = WholeBatch(self.objective), ExitStack()
        # one block around the whole training: what is compiled in it keeps its hooks
        try:
            latents = blocks.enter_context(record(pl_module, self.objective.sites))
        except RuntimeError as error:
            error.add_note("With Lightning, compile last: trainer.fit(torch.compile(module), ...).")
            raise
        self._training = _Training(LoggedMeans(self.objective.names), whole, latents, blocks)
        strategy = cast("Any", trainer.strategy)
        strategy.training_step = partial(self._training_step, trainer, strategy.training_step)
        blocks.callback(delattr, strategy, "training_step")

    @override
    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.objective.to(pl_module.device)
        self._schedule.drive(trainer.optimizers[0], given_scheduler(trainer))
        if self._schedule.ended(trainer.global_step):  # as it was when it was saved
            trainer.should_stop = True

    @override
    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._now.batches.clear()  # of a step that a hook has skipped, with the rest of its epoch

    @override
    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        now = self._now
        if now.batches:
            return
        now.batches.extend(
            self._columns(trainer, each) for each in (batch, *self._ahead(trainer, batch_idx))
        )
        now.whole.begin([*now.batches], trainer.accumulate_grad_batches)
        now.means.begin(now.whole.mean)
        self._schedule.begin(trainer.global_step, trainer.optimizers[0], trainer)

    def _ahead(self, trainer: Trainer, batch_idx: int) -> list[Any]:
        """The batches that follow this one in the step of the optimizer."""
        averaged = trainer.accumulate_grad_batches
        within = averaged - batch_idx % averaged
        # an epoch of a loader without a length has infinitely many
        return self._now.look_ahead(
            trainer, int(min(within, trainer.num_training_batches - batch_idx)) - 1
        )

    def _columns(self, trainer: Trainer, batch: Any) -> dict[str, Tensor]:
        columns = columns_of(batch, self.columns, trainer.lightning_module.device)
        return cast("dict[str, Tensor]", trainer.precision_plugin.convert_input(columns))

    def _training_step(self, trainer: Trainer, step: Callable[..., Any], *given: Any) -> Any:
        """The module's own step, whose loss becomes the objective's total."""
        now = self._now
        for at in now.latents:
            now.latents.passes(at)  # what validation left there was seen, and makes room
        result = step(*given)
        seen, columns = now.batches.popleft(), self._columns(trainer, given[0])
        if transforms_batches(trainer):
            check_same(seen, columns, self.columns)
        if result is None:
            return None
        losses = losses_of(self.objective, result)
        row = self._schedule.row(trainer.global_step)
        output = now.whole(columns, latents=now.latents, row=row, **losses)
        now.means.add(output, trainer.accumulate_grad_batches)
        return {**result, LOSS: output.total} if isinstance(result, Mapping) else output.total

    @override
    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        if self._now.batches:
            return
        self._schedule.observe(trainer.global_step - 1, self._now.means.of_step)
        if self._schedule.ended(trainer.global_step):
            trainer.should_stop = True
        log_means(trainer, pl_module, self._now.means)

    @override
    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        self._end()

    @override
    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        self._end()

    def _end(self) -> None:
        training, self._training = self._training, None
        self._schedule.forget()
        if training is not None:
            # a training that had no step left ran no site, which is no mistake
            training.blocks.__exit__(GeneratorExit, GeneratorExit(), None)

    @override
    def on_save_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        checkpoint[SAVED] = self._schedule.saved_with(pl_module)

    @override
    def on_load_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        self._schedule.go_on_with(pl_module, checkpoint.get(SAVED))
