"""AnchoringCallback: Lightning's trainer with an objective and a timeline."""

# the types of Lightning are open in places
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from collections import deque
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from typing import Any, cast

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor
from typing_extensions import override

from latent_anchors._checks import listed
from latent_anchors._hooks import known_writes, recall_writes
from latent_anchors.adapters._lightning_checks import (
    check_automatic,
    check_losses,
    driven_settings,
)
from latent_anchors.adapters._micro_batches import (
    Keys,
    LookAhead,
    check_same,
    columns_of,
    keys_of,
    transforms_batches,
)
from latent_anchors.adapters._schedule import Plan, Schedule
from latent_anchors.adapters._whole_batch import WholeBatch
from latent_anchors.models import Recording, record
from latent_anchors.training import (
    Objective,
    apply_hyperparameters,
    mean_over_processes,
)

SAVED = "latent_anchors"
"""Where a checkpoint holds what this callback needs to go on."""

LOSS = "loss"
"""What Lightning calls the loss in a mapping that ``training_step`` returns."""


class AnchoringCallback(Callback):
    """Trains any LightningModule for an objective whose weights follow a timeline.

    What ``training_step`` returns becomes the objective's loss: its one loss, or several that the
    step returns by name beside ``"loss"``. Latents are recorded while the module trains, and terms
    find their labels in the batch. All weights are those of the timeline at ``global_step``, which
    counts the optimizer's steps; so is each setting of the optimizer, such as ``"lr"``, that the
    objective has among its ``other_tracks``. A
    :class:`~latent_anchors.training.TimelineLR` in ``configure_optimizers`` keeps the rate to
    itself.

    The gradient of several micro-batches and processes is that of the whole batch: with
    ``accumulate_grad_batches``, all batches of an optimizer's step are fetched before the first of
    them, and only their labels and masks are read. Set penalties alone see the batch in parts. The
    last step of an epoch may have fewer batches than others, and is the mean over these.

    Logged at each step, over the whole batch, are ``"objective/total"``, ``"objective/<name>"`` and
    ``"objective/<name>/weighted"``, which add up to the total. A playhead observes the same means,
    under their names without ``"objective/"``; it is saved in checkpoints, and where it ends, so
    does the training.

    Args:
        objective: Terms, and the name of the module's own loss, as in ``losses=["task"]``.
        timeline: A track for each weight, or a playhead of one run, which triggers may change.
        columns: Where a batch holds each label and mask: a key, or the position in a tuple; those
            that are left out are keys of the same name.

    Raises:
        ValueError: If objective and timeline do not match, the objective names no loss or has a
            ``reduce_mass``, a column is read by no term, the timeline has actions, or a trigger
            watches what is not observed; when training begins, if the module optimizes by hand, or
            a scheduler drives the learning rate, too.

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

    def __init__(self, objective: Objective, timeline: Plan, columns: Keys | None = None) -> None:
        check_losses(objective)
        self.objective: Objective = objective
        self.schedule: Schedule = Schedule(timeline, objective)
        self.columns: Keys = keys_of(objective.terms, columns or {})
        self._forget_training()

    def _forget_training(self) -> None:
        """Be as before training, so that it can be copied and sent to another process."""
        self._hooks: ExitStack | None = None
        self._latents: Recording | None = None
        self._look_ahead: LookAhead = LookAhead()
        self._whole: WholeBatch | None = None
        self._settings: tuple[str, ...] = ()
        self._row: Mapping[str, Any] = {}
        self._batches: deque[dict[str, Tensor]] = deque()
        self._means: dict[str, Tensor] = {}

    @override
    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        check_automatic(pl_module)
        self._whole = WholeBatch(self.objective)
        self._hooks = ExitStack()
        # one block around the whole training: what is compiled in it keeps its hooks
        try:
            self._latents = self._hooks.enter_context(record(pl_module, self.objective.sites))
        except RuntimeError as error:
            error.add_note("With Lightning, compile last: trainer.fit(torch.compile(module), ...).")
            raise
        strategy = cast("Any", trainer.strategy)
        strategy.training_step = partial(self._training_step, trainer, strategy.training_step)
        self._hooks.callback(delattr, strategy, "training_step")

    @override
    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.objective.to(pl_module.device)
        self._settings = driven_settings(trainer, self.objective.other_tracks)

    @override
    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        if self._batches:
            return
        self._batches.extend(
            self._columns(trainer, each) for each in (batch, *self._ahead(trainer, batch_idx))
        )
        assert self._whole is not None
        self._whole.begin([*self._batches], trainer.accumulate_grad_batches)
        self._row = self.schedule.row(trainer.global_step)
        apply_hyperparameters(trainer.optimizers[0], self._row, self._settings)

    def _ahead(self, trainer: Trainer, batch_idx: int) -> list[Any]:
        """The batches that follow this one in the step of the optimizer."""
        averaged = trainer.accumulate_grad_batches
        within = averaged - batch_idx % averaged
        # an epoch of a loader without a length has infinitely many
        return self._look_ahead(
            trainer, int(min(within, trainer.num_training_batches - batch_idx)) - 1
        )

    def _columns(self, trainer: Trainer, batch: Any) -> dict[str, Tensor]:
        columns = columns_of(batch, self.columns, trainer.lightning_module.device)
        return cast("dict[str, Tensor]", trainer.precision_plugin.convert_input(columns))

    def _training_step(self, trainer: Trainer, step: Callable[..., Any], *given: Any) -> Any:
        """The module's own step, whose loss becomes the objective's total."""
        assert self._whole is not None
        assert self._latents is not None
        for at in self._latents:
            self._latents.passes(at)  # what validation left there was seen, and makes room
        result = step(*given)
        seen, columns = self._batches.popleft(), self._columns(trainer, given[0])
        if transforms_batches(trainer):
            check_same(seen, columns, self.columns)
        if result is None:
            return self._note(trainer, {})
        losses = self._losses(result)
        output = self._whole(columns, latents=self._latents, row=self._row, **losses)
        self._note(trainer, output.means())
        return {**result, LOSS: output.total} if isinstance(result, Mapping) else output.total

    def _losses(self, result: Any) -> dict[str, Any]:
        """The objective's losses among what the module's step returned."""
        names = self.objective.losses
        values: Mapping[str, Any] = result if isinstance(result, Mapping) else {LOSS: result}
        if len(names) == 1:
            return {names[0]: values.get(LOSS)}
        missing = [name for name in names if name not in values]
        if missing:
            raise KeyError(
                f"training_step returned {listed(values)}; expected {listed(missing)}, too, as the "
                "objective names several losses. Return them in the mapping, beside 'loss'."
            )
        return {name: values[name] for name in names}

    def _note(self, trainer: Trainer, means: dict[str, Tensor]) -> None:
        """Sum up the means over micro-batches, and log those of the whole batch."""
        share = 1 / trainer.accumulate_grad_batches
        for name, value in means.items():
            self._means[name] = self._means.get(name, 0.0) + share * value
        if self._batches or not self._means:
            return
        values = mean_over_processes(torch.stack([*self._means.values()]))
        self._means = dict(zip(self._means, values, strict=True))
        logged = {f"objective/{name}": value for name, value in self._means.items()}
        trainer.lightning_module.log_dict(logged, batch_size=1)

    @override
    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        if self._batches or not self._means:
            return
        last = self.schedule.observe(trainer.global_step - 1, self._means)
        trainer.should_stop = trainer.should_stop or last
        self._means = {}

    @override
    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        self._end()

    @override
    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        self._end()

    def _end(self) -> None:
        if self._hooks is not None:
            # a training that had no step left ran no site, which is no mistake
            self._hooks.__exit__(GeneratorExit, GeneratorExit(), None)
        self._forget_training()

    @override
    def on_save_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        playhead, writes = self.schedule.state_dict(), known_writes(pl_module)
        checkpoint[SAVED] = {"playhead": playhead, "writes": writes}

    @override
    def on_load_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        saved = checkpoint.get(SAVED, {"playhead": None, "writes": {}})
        recall_writes(pl_module, saved["writes"])
        self.schedule.load_state_dict(saved["playhead"])
