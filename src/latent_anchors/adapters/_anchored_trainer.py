"""AnchoredTrainer: Hugging Face's Trainer with an objective and a timeline."""

# the types of transformers are open in places
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from transformers import Trainer, TrainerCallback
from typing_extensions import override

from latent_anchors._checks import listed
from latent_anchors._hooks import known_writes, recall_writes
from latent_anchors._sites import At
from latent_anchors.adapters._batch_forward import BatchForward, batch_for
from latent_anchors.adapters._logged_means import LoggedMeans
from latent_anchors.adapters._played_schedule import PlayedSchedule
from latent_anchors.adapters._whole_batch import Columns, Divisor, WholeBatch
from latent_anchors.concepts import Watch
from latent_anchors.curriculum import Playhead, Timeline
from latent_anchors.models import Recording, record
from latent_anchors.training import Loss, Objective

STATE = "anchored.pt"
"""What a checkpoint holds besides Trainer's own files."""


class AnchoredTrainer(Trainer):
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
        timeline: A track for each weight; or a playhead, whose triggers are given the logged means
            of each step, by ``"total"`` and the names of parts, and metrics of evaluations, such as
            ``"eval_loss"``. It may end the training early.
        losses: A function of a forward pass and a batch for each other loss, such as an
            :class:`~latent_anchors.training.EditedOutputLoss`. Its inputs are the model's main
            ones, its outputs the logits.
        columns: Further columns to be kept, which losses find among the batch's extras.
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
        >>> AnchoredTrainer.__mro__[1].__name__
        'Trainer'
    """

    def __init__(
        self,
        *args: Any,
        objective: Objective,
        timeline: Timeline | Playhead,
        losses: Mapping[str, Loss] | None = None,
        columns: Sequence[str] = (),
        watches: Sequence[Watch] = (),
        actions: Mapping[str, Callable[[Any], object]] | None = None,
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
        self.losses: dict[str, Loss] = dict(losses or {})
        self.watches: tuple[Watch, ...] = tuple(watches)
        self._own = self._own_losses()
        labels_of = {name: getattr(loss, "label", None) for name, loss in self.losses.items()}
        self._labels_of = {name: str(label) for name, label in labels_of.items() if label}
        divisors = {name: _mass_of(label) for name, label in self._labels_of.items()}
        divisors |= dict.fromkeys(self._own, self._labeled)
        self._whole = WholeBatch(objective, divisors)
        self._means = LoggedMeans(objective.names)
        self._schedule = self._scheduled(timeline, factors, actions or {})
        self._columns = self._kept(columns)
        self._latents: Recording | None = None
        self._set_signature_columns_if_needed()
        self.add_callback(_Playing(self._schedule, self._means, self))

    def _labeled(self, batch: Columns) -> Tensor | None:
        """Over how many labels a model takes the mean that is its loss."""
        labels = batch.get(self.label_names[0]) if self.label_names else None
        return labels.ne(-100).sum() if isinstance(labels, Tensor) else None

    def _own_losses(self) -> list[str]:
        own = [name for name in self.objective.losses if name not in self.losses]
        if len(own) > 1 or not {*self.losses} <= {*self.objective.losses}:
            raise ValueError(
                f"The objective names the losses {listed(self.objective.losses)}, and there are "
                f"functions for {listed(self.losses)}; expected one for each but the model's own: "
                "Objective([...], losses=['task'])."
            )
        return own

    def _scheduled(
        self,
        timeline: Timeline | Playhead,
        factors: Sequence[str],
        actions: Mapping[str, Callable[[Any], object]],
    ) -> PlayedSchedule:
        plan = timeline.timeline if isinstance(timeline, Playhead) else timeline
        self.objective.check_tracks(plan.names)
        measured = ("total", *self.objective.names)
        return PlayedSchedule(timeline, self.objective.other_tracks, factors, measured, actions)

    def _kept(self, columns: Sequence[str]) -> list[str]:
        """Names of columns that Trainer would drop."""
        terms = [(term.label, term.mask) for term in self.objective.terms]
        ours = [name for names in terms for name in names if name]
        return [*dict.fromkeys([*ours, *self._labels_of.values(), *columns])]

    @override
    def _set_signature_columns_if_needed(self) -> None:
        if self._signature_columns is None:  # pyright: ignore[reportUnnecessaryComparison] -- so it begins
            super()._set_signature_columns_if_needed()
            self._taken = tuple(self._signature_columns or ())
            self._signature_columns = [*dict.fromkeys([*self._taken, *self._columns])]

    def _for_model(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """All but the columns that only terms and losses take."""
        hidden = {*self._columns} - {*self._taken}
        return {name: values for name, values in inputs.items() if name not in hidden}

    @override
    def get_batch_samples(
        self, epoch_iterator: Iterator[Any], num_batches: int, device: torch.device
    ) -> tuple[list[Any], Tensor | int | None]:
        """The micro-batches of a step; divisors are summed up here, before the first forward pass.

        Examples:
            >>> AnchoredTrainer.get_batch_samples.__name__
            'get_batch_samples'
        """
        batches, items = super().get_batch_samples(epoch_iterator, num_batches, device)
        if batches:
            self._begin(batches, items)
        return batches, items

    def _begin(self, batches: Sequence[Mapping[str, Any]], items: object) -> None:
        adds_up = self._adds_up(items)
        self._whole.scaled = self._own if adds_up else []
        self._averaged = 1 if adds_up else len(batches)
        self._whole.begin(batches, self._averaged, self.args.device)
        self._means.begin(self._whole.mean)

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
            own, output = super().compute_loss(model, plain, True, num_items_in_batch)
        latents = {at: recording[at] for at in self.objective.sites}
        losses = dict.fromkeys(self._own, own) | self._losses(inputs, plain, output, latents)
        row = self._schedule.row(self.state.global_step)
        parts = self._whole(inputs, latents=latents, row=row, **losses)
        self._means.add(parts, self._averaged)
        return (parts.total, output) if return_outputs else parts.total

    def _recorded(self) -> AbstractContextManager[Mapping[At, Tensor]]:
        sites, recording = self.objective.sites, self._latents
        if not sites:
            return nullcontext({})
        if recording is None:
            return record(cast("nn.Module", self.model), sites)
        for at in recording:
            recording.passes(at)  # what evaluations and others left there makes room
        return nullcontext(recording)

    def _losses(
        self,
        inputs: Mapping[str, Any],
        plain: Mapping[str, Any],
        output: object,
        latents: Mapping[At, Tensor],
    ) -> dict[str, Tensor]:
        """Losses that are functions of a forward pass."""
        if not self.losses:
            return {}
        model, labels = cast("nn.Module", self.model), {*self.label_names}
        main: str = getattr(model, "main_input_name", "input_ids")
        given = {name: value for name, value in plain.items() if name not in labels}
        forward = BatchForward(model, given, main, (output, latents))
        terms = [term.label for term in self.objective.terms if term.label]
        batch = batch_for(given[main], inputs, [*terms, *self._labels_of.values()])
        return {name: loss(forward, batch) for name, loss in self.losses.items()}

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
    def prediction_step(
        self, model: nn.Module, inputs: dict[str, Any], *args: Any, **kwargs: Any
    ) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        """Trainer's own, without the columns that only terms and losses take.

        Examples:
            >>> AnchoredTrainer.prediction_step.__name__
            'prediction_step'
        """
        return super().prediction_step(model, self._for_model(inputs), *args, **kwargs)

    @override
    def evaluation_loop(self, *args: Any, **kwargs: Any) -> Any:
        """Trainer's own, and the scores of the watched concepts.

        Examples:
            >>> AnchoredTrainer.evaluation_loop.__name__
            'evaluation_loop'
        """
        found = super().evaluation_loop(*args, **kwargs)
        metrics = cast("dict[str, float]", found.metrics)
        prefix = kwargs.get("metric_key_prefix", "eval")
        for watch in self.watches:
            score = self._score(watch)
            for name in ("auc", "margin", "alignment"):
                metrics[f"{prefix}_{watch.concept.name}_{name}"] = getattr(score, name).mean
        return found

    def _score(self, watch: Watch) -> object:
        steps, step = watch.history.steps, self.state.global_step
        if steps and steps[-1] == step:
            return watch.history.scores[-1]
        return watch.measure(step, cast("nn.Module", self.model))

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
        given = self.lr_scheduler
        self.lr_scheduler = self._schedule.scheduler(chosen, given)
        self._created_lr_scheduler = given is None
        return super().create_scheduler(num_training_steps, optimizer)

    @override
    def _save_optimizer_and_scheduler(self, output_dir: str) -> None:
        super()._save_optimizer_and_scheduler(output_dir)
        if self.args.should_save:
            writes = known_writes(cast("nn.Module", self.model))
            torch.save(
                {"schedule": self._schedule.state_dict(), "writes": writes},
                Path(output_dir, STATE),
            )

    @override
    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        super()._load_optimizer_and_scheduler(checkpoint)
        if checkpoint is not None:
            state = torch.load(Path(checkpoint, STATE), weights_only=True)
            self._schedule.load_state_dict(state["schedule"])
            recall_writes(cast("nn.Module", self.model), state["writes"])


def _mass_of(label: str) -> Divisor:
    return lambda batch: batch[label].sum()


class _Playing(TrainerCallback):
    """Plays the schedule along with the trainer's steps."""

    def __init__(self, schedule: PlayedSchedule, means: LoggedMeans, trainer: Trainer) -> None:
        self._schedule, self._means, self._trainer = schedule, means, trainer

    @override
    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        optimizer = cast("Optimizer", self._trainer.optimizer)
        self._schedule.begin(state.global_step, optimizer, self._trainer)

    @override
    def on_optimizer_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self._schedule.observe(state.global_step, self._means.of_step)
        if self._schedule.over:
            control.should_training_stop = True

    @override
    def on_evaluate(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        metrics: Mapping[str, Any] = kwargs.get("metrics") or {}
        self._schedule.evaluated({n: v for n, v in metrics.items() if isinstance(v, int | float)})
