"""AnchoredTrainer: Hugging Face's Trainer with an objective and a timeline."""

# the types of transformers are open in places
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from collections.abc import Iterator, Mapping
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from transformers import Trainer
from typing_extensions import override

from latent_anchors._checks import listed
from latent_anchors.adapters._whole_batch import WholeBatch
from latent_anchors.curriculum import Timeline
from latent_anchors.models import record
from latent_anchors.training import Objective, TimelineLR


class AnchoredTrainer(Trainer):
    """Hugging Face's Trainer, for an objective whose weights follow a timeline.

    The model's own loss is the one loss that the ``objective`` names. Columns that bear the name of
    a term's label or mask are kept and go to the terms; the model gets those that it takes itself,
    such as ``attention_mask``. At each step the weights are ``timeline(global_step)``, and so is
    the learning rate if there is a track ``"lr"``. The gradient of several micro-batches and
    processes is that of the whole batch; only set penalties compare within a micro-batch. In
    evaluation it is a plain Trainer.

    Args:
        args: As for Trainer.
        objective: Terms, and the name of the model's own loss, as in ``losses=["task"]``.
        timeline: A track for each weight, and ``"lr"`` if it is to set the learning rate.
        kwargs: As for Trainer.

    Raises:
        ValueError: If objective and timeline do not match, or the objective names another number of
            losses than one.

    Examples:
        >>> AnchoredTrainer.__mro__[1].__name__
        'Trainer'
    """

    def __init__(self, *args: Any, objective: Objective, timeline: Timeline, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        objective.check_tracks(timeline.names)
        self.objective: Objective = objective.to(self.args.device)
        self.timeline: Timeline = timeline
        self._task = self._own_loss()
        self._whole = WholeBatch(objective)
        terms = [(term.label, term.mask) for term in objective.terms]
        self._columns = list(dict.fromkeys(name for names in terms for name in names if name))
        self._set_signature_columns_if_needed()

    def _own_loss(self) -> str:
        if len(self.objective.losses) != 1:
            raise ValueError(
                f"The objective names the losses {listed(self.objective.losses)}; expected one, "
                "the model's own: Objective([...], losses=['task'])."
            )
        return self.objective.losses[0]

    @override
    def _set_signature_columns_if_needed(self) -> None:
        if self._signature_columns is None:  # pyright: ignore[reportUnnecessaryComparison] -- so it begins
            super()._set_signature_columns_if_needed()
            self._taken = tuple(self._signature_columns or ())
            self._signature_columns = [*dict.fromkeys([*self._taken, *self._columns])]

    def _for_model(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """All but the labels and masks that only terms take."""
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
        adds_up = self._adds_up(items)
        self._whole.scaled = [self._task] if adds_up else []
        if batches:
            self._whole.begin(batches, averaged=1 if adds_up else len(batches))
        return batches, items

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
        with record(cast("nn.Module", self.model), self.objective.sites) as latents:
            task, output = super().compute_loss(model, plain, True, num_items_in_batch)
        row = self.timeline(self.state.global_step)
        parts = self._whole(inputs, latents=latents, row=row, **{self._task: task})
        return (parts.total, output) if return_outputs else parts.total

    @override
    def prediction_step(
        self, model: nn.Module, inputs: dict[str, Any], *args: Any, **kwargs: Any
    ) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        """Trainer's own, without the columns that only terms take.

        Examples:
            >>> AnchoredTrainer.prediction_step.__name__
            'prediction_step'
        """
        return super().prediction_step(model, self._for_model(inputs), *args, **kwargs)

    @override
    def create_scheduler(
        self, num_training_steps: int, optimizer: Optimizer | None = None
    ) -> LRScheduler:
        """A :class:`~latent_anchors.training.TimelineLR`, if the timeline has a track ``"lr"``.

        Examples:
            >>> AnchoredTrainer.create_scheduler.__name__
            'create_scheduler'
        """
        if "lr" in self.timeline.names:
            chosen = optimizer or cast("Optimizer", self.optimizer)
            self.lr_scheduler = TimelineLR(chosen, self.timeline)
            self._created_lr_scheduler = True
        return super().create_scheduler(num_training_steps, optimizer)
