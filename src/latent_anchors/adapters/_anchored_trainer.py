"""AnchoredTrainer: Hugging Face's Trainer with an objective and a timeline."""

# the types of transformers are open in places
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from transformers.trainer import Trainer
from transformers.trainer_callback import TrainerCallback
from typing_extensions import override

from latent_anchors._sites import At
from latent_anchors.adapters._batch_forward import BatchLosses
from latent_anchors.adapters._column_trainer import ColumnTrainer
from latent_anchors.adapters._logged_means import LoggedMeans
from latent_anchors.adapters._played_schedule import Actions, PlayedSchedule
from latent_anchors.adapters._whole_batch import Columns, WholeBatch
from latent_anchors.concepts import Watch
from latent_anchors.curriculum import Playhead, Timeline
from latent_anchors.models import Recording, record
from latent_anchors.training import Loss, Objective

STATE = "anchored.pt"
"""What a checkpoint holds besides Trainer's own files."""


class AnchoredTrainer(ColumnTrainer):
    """Hugging Face's Trainer, for an objective whose weights follow a timeline.

    The model's own loss is the loss of the ``objective`` for which no function is given. Columns
    with the name of a term's label or mask are kept, and the model gets those that it takes itself,
    such as ``attention_mask``. At each step the weights are those of ``timeline(global_step)``. So
    are the optimizer's settings, if a name in the objective's ``other_tracks`` is one of them, such
    as ``"lr"``. The gradient of several micro-batches and processes is that of the whole batch;
    only set penalties compare within a micro-batch.

    Logs hold ``"objective/total"``, the mean of each part, such as ``"objective/task"``, and its
    share in the total, ``"objective/task/weighted"``; a part that nobody had a label for since the
    last log is left out. In evaluation it is a plain Trainer: ``eval_loss`` is the model's own. Its
    checkpoints hold the state of a playhead, so that a training resumes bit for bit. With
    ``torch_compile``, sites are recorded during the whole training.

    Args:
        args: As for Trainer.
        objective: Terms, and the names of losses, as in ``losses=["task"]``.
        timeline: A track for each weight; or a playhead of one run, whose triggers are given the
            means of each step, named as in logs without ``"objective/"``, and metrics of
            evaluations, such as ``"eval_loss"``. With triggers, it ends the training.
        losses: A function of a forward pass and a batch for each other loss, such as an
            :class:`~latent_anchors.training.EditedOutputLoss`. Its inputs are the model's main
            ones, its outputs the logits. One of your own is a mean over samples, or has the name
            of the label that weighs them as its ``label``.
        extras: Further columns to be kept, which losses find among the batch's extras.
        watches: Concepts whose scores are among an evaluation's metrics, such as
            ``"eval_animal_auc"``.
        actions: What to call with the trainer, just before the step, for each action of the
            timeline or of a trigger, by its name.
        factors: Settings whose track is a factor on what each group of the optimizer has.
        kwargs: As for Trainer.

    Raises:
        ValueError: If objective, losses, timeline, triggers and actions do not match, the timeline
            and a scheduler would both set the rate, or several GPUs are to be used by one process.

    Examples:
        >>> issubclass(AnchoredTrainer, Trainer)
        True
    """

    def __init__(
        self,
        *args: Any,
        objective: Objective,
        timeline: Timeline | Playhead,
        losses: Mapping[str, Loss] | None = None,
        extras: Sequence[str] = (),
        watches: Sequence[Watch] = (),
        actions: Actions | None = None,
        factors: Sequence[str] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        if self.args.n_gpu > 1:
            raise ValueError(
                f"One process would use {self.args.n_gpu} GPUs, by nn.DataParallel, whose copies "
                "of the model have no sites; expected one GPU for each process. Start it with "
                "torchrun --nproc-per-node, or show it one GPU: CUDA_VISIBLE_DEVICES=0."
            )
        self.objective: Objective = objective.to(self.args.device)
        self.watches: tuple[Watch, ...] = tuple(watches)
        self._losses = BatchLosses(objective, losses or {})
        self._whole = WholeBatch(objective, self._losses.divisors(self._labeled))
        self._means = LoggedMeans(objective.names)
        self._schedule = PlayedSchedule(timeline, objective, factors, actions, ["eval"])
        self._latents: Recording | None = None
        self._keep([*self._own_columns(), *extras])
        self.add_callback(_Playing(self._schedule, self._means, self))

    def _labeled(self, batch: Columns) -> Tensor | None:
        """Over how many labels a model takes the mean that is its loss."""
        labels = batch.get("labels", batch.get(self.label_names[0]) if self.label_names else None)
        shifted = batch.get("shift_labels")
        if isinstance(shifted, Tensor):
            labels = shifted
        elif isinstance(labels, Tensor) and self._loss_shifts_labels:
            labels = labels[..., 1:]  # nothing predicts the first token of a line
        return labels.ne(-100).sum() if isinstance(labels, Tensor) else None

    def _own_columns(self) -> list[str]:
        """Names of columns that Trainer would drop."""
        terms = [(term.label, term.mask) for term in self.objective.terms]
        return [*(name for names in terms for name in names if name), *self._losses.labels]

    @override
    def get_batch_samples(
        self, epoch_iterator: Iterator[Any], num_batches: int, device: torch.device
    ) -> tuple[list[Any], Tensor | int | None]:
        """The micro-batches of a step, whose divisors are summed up; none once triggers ended it.

        Examples:
            >>> AnchoredTrainer.get_batch_samples.__name__
            'get_batch_samples'
        """
        if self._schedule.ended(self.state.global_step):  # as it was when it was saved
            self.control.should_training_stop = True
            return [], None
        batches, items = super().get_batch_samples(epoch_iterator, num_batches, device)
        if batches:
            self._begin(batches, items)
        return batches, items

    def _begin(self, batches: Sequence[Mapping[str, Any]], items: object) -> None:
        adds_up = self._adds_up(items)
        self._whole.scaled = self._losses.own if adds_up and not self._asks_for_means else []
        self._averaged = 1 if adds_up else len(batches)
        self._whole.begin(batches, self._averaged, self.args.device)
        self._means.begin(self._whole.mean)

    @property
    def _asks_for_means(self) -> bool:
        """Whether the model's loss is weighed here, as not all divide by the number of labels."""
        own = self.label_smoother is self.compute_loss_func is None
        return own and getattr(self, "loss_is_scaled_for_ga", None) is None

    def _adds_up(self, items: object) -> bool:
        """Whether Trainer adds up losses of micro-batches, rather than to take their mean."""
        said: bool | None = getattr(self, "loss_is_scaled_for_ga", None)
        if said is not None:
            return said
        counted = self.model_accepts_loss_kwargs and items is not None
        return counted or self.compute_loss_func is not None

    @override
    def compute_loss(
        self,
        model: nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Tensor | int | None = None,
    ) -> Any:
        """In training the objective's total for a micro-batch; in evaluation the model's own loss.

        Args:
            model: The model, or what wraps it.
            inputs: The batch with all its columns.
            return_outputs: Whether to return a pair of loss and the model's output.
            num_items_in_batch: How many tokens have a label in the whole batch ``()``.

        Examples:
            >>> AnchoredTrainer.compute_loss.__name__
            'compute_loss'
        """
        plain = self._for_model(inputs)
        if not model.training:
            return super().compute_loss(model, plain, return_outputs, num_items_in_batch)
        if not self.is_in_train:
            self._begin([inputs], num_items_in_batch)
        with self._recorded() as recording:
            own, output = self._own_loss(model, plain, num_items_in_batch)
        latents = {at: recording[at] for at in self.objective.sites}
        taken = {name: value for name, value in plain.items() if name not in self.label_names}
        model = cast("nn.Module", self.model)
        losses = self._losses(model, taken, inputs, (output, latents))
        losses |= dict.fromkeys(self._losses.own, own)
        row = self._schedule.row(self.state.global_step)
        parts = self._whole(inputs, latents=latents, row=row, **losses)
        self._means.add(parts, self._averaged)
        return (parts.total, output) if return_outputs else parts.total

    def _own_loss(self, model: nn.Module, plain: dict[str, Any], items: Tensor | int | None) -> Any:
        """The model's loss and output: of this micro-batch alone, if it is weighed here."""
        count = self._labeled(plain)
        if self._asks_for_means and self._adds_up(items) and count is not None:
            given = {**plain, "num_items_in_batch": count.clamp_min(1)}
            return super().compute_loss(model, given, True)
        return super().compute_loss(model, plain, True, items)

    def _recorded(self) -> AbstractContextManager[Mapping[At, Tensor]]:
        sites, recording = self.objective.sites, self._latents
        if not sites:
            return nullcontext({})
        if recording is None:
            return record(cast("nn.Module", self.model), sites)
        for at in recording:
            recording.passes(at)  # what evaluations and others left there makes room
        return nullcontext(recording)

    @override
    def _inner_training_loop(self, *args: Any, **kwargs: Any) -> Any:
        if not self.args.torch_compile or not self.objective.sites:
            return super()._inner_training_loop(*args, **kwargs)
        # before the model is compiled: compiled code would skip hooks that come later
        with record(cast("nn.Module", self.model), self.objective.sites) as self._latents:
            try:
                return super()._inner_training_loop(*args, **kwargs)
            finally:
                self._latents = None

    @override
    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Trainer's own, and the means of the objective's parts beside the loss of a training.

        Args:
            logs: By name.
            start_time: Of the training.

        Examples:
            >>> AnchoredTrainer.log.__name__
            'log'
        """
        super().log({**logs, **self._means.read()} if "loss" in logs else logs, start_time)

    @override
    def create_scheduler(
        self, num_training_steps: int, optimizer: Optimizer | None = None
    ) -> LRScheduler:
        """A :class:`~latent_anchors.training.TimelineLR`, if the timeline has a track ``"lr"``.

        Raises:
            ValueError: If another scheduler was given besides such a track.

        Examples:
            >>> AnchoredTrainer.create_scheduler.__name__
            'create_scheduler'
        """
        chosen = optimizer or cast("Optimizer", self.optimizer)
        given: LRScheduler | None = self.lr_scheduler
        self.lr_scheduler: LRScheduler | None = self._schedule.drive(chosen, given)
        self._created_lr_scheduler = given is None
        return super().create_scheduler(num_training_steps, optimizer)

    @override
    def _save_optimizer_and_scheduler(self, output_dir: str) -> None:
        super()._save_optimizer_and_scheduler(output_dir)
        if self.args.should_save:
            saved = self._schedule.saved_with(cast("nn.Module", self.model))
            torch.save(saved, Path(output_dir, STATE))

    @override
    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        super()._load_optimizer_and_scheduler(checkpoint)
        if checkpoint is not None:
            at = Path(checkpoint, STATE)
            saved = torch.load(at, weights_only=True) if at.exists() else None
            self._schedule.go_on_with(cast("nn.Module", self.model), saved)


class _Playing(TrainerCallback):
    """Plays the schedule along with the trainer's steps."""

    def __init__(self, schedule: PlayedSchedule, means: LoggedMeans, trainer: Trainer) -> None:
        self._schedule, self._means, self._trainer = schedule, means, trainer

    @override
    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self._means.read()  # what an earlier training left

    @override
    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        optimizer = cast("Optimizer", self._trainer.optimizer)
        self._schedule.begin(state.global_step, optimizer, self._trainer)

    @override
    def on_optimizer_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self._schedule.observe(state.global_step, self._means.of_step)
        if self._schedule.ended(state.global_step + 1):
            control.should_training_stop = True

    @override
    def on_evaluate(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        metrics: Mapping[str, Any] = kwargs.get("metrics") or {}
        self._schedule.evaluated({n: v for n, v in metrics.items() if isinstance(v, int | float)})
