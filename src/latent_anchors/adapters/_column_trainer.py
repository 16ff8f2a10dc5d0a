"""A Trainer whose batches have columns for terms and losses, which its model never gets."""

# the types of transformers are open in places
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast

from torch import Tensor, nn
from transformers.trainer import Trainer
from typing_extensions import override

from latent_anchors.adapters._logged_means import watched_scores
from latent_anchors.adapters._rare_label_collator import without_added
from latent_anchors.concepts import Watch


class ColumnTrainer(Trainer):
    """Hugging Face's Trainer, which keeps further columns, and evaluates without them.

    Attributes:
        columns: Names of the columns that terms and losses take.
        watches: Concepts whose scores are among an evaluation's metrics.
    """

    columns: Sequence[str] = ()
    watches: tuple[Watch, ...] = ()

    def _keep(self, columns: Sequence[str]) -> None:
        """Keep these columns besides those that the model takes."""
        self.columns = [*dict.fromkeys(columns)]
        self._signature_columns = None
        self._set_signature_columns_if_needed()

    @override
    def _set_signature_columns_if_needed(self) -> None:
        if self._signature_columns is None:
            super()._set_signature_columns_if_needed()
            self._taken = tuple(self._signature_columns or ())
            self._signature_columns = [*dict.fromkeys([*self._taken, *self.columns])]

    def _for_model(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """All but the columns that only terms and losses take."""
        hidden = {*self.columns} - {*self._taken}
        return {name: values for name, values in inputs.items() if name not in hidden}

    @override
    def prediction_step(
        self, model: nn.Module, inputs: dict[str, Any], *args: Any, **kwargs: Any
    ) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        """Trainer's own, without the columns that only terms and losses take.

        Examples:
            >>> ColumnTrainer.prediction_step.__name__
            'prediction_step'
        """
        return super().prediction_step(model, self._for_model(inputs), *args, **kwargs)

    @override
    def get_eval_dataloader(self, *args: Any, **kwargs: Any) -> Any:
        """Trainer's own, without samples that a :class:`RareLabelCollator` adds.

        Examples:
            >>> ColumnTrainer.get_eval_dataloader.__name__
            'get_eval_dataloader'
        """
        with self._nothing_added():
            return super().get_eval_dataloader(*args, **kwargs)

    @override
    def get_test_dataloader(self, *args: Any, **kwargs: Any) -> Any:
        """Trainer's own, without samples that a :class:`RareLabelCollator` adds.

        Examples:
            >>> ColumnTrainer.get_test_dataloader.__name__
            'get_test_dataloader'
        """
        with self._nothing_added():
            return super().get_test_dataloader(*args, **kwargs)

    @contextmanager
    def _nothing_added(self) -> Generator[None]:
        whole = self.data_collator
        self.data_collator: Any = without_added(whole)
        try:
            yield
        finally:
            self.data_collator = whole

    @override
    def evaluation_loop(self, *args: Any, **kwargs: Any) -> Any:
        """Trainer's own, and the scores of the watched concepts.

        Examples:
            >>> ColumnTrainer.evaluation_loop.__name__
            'evaluation_loop'
        """
        found = super().evaluation_loop(*args, **kwargs)
        metrics = cast("dict[str, float]", found.metrics)
        prefix = kwargs.get("metric_key_prefix", "eval")
        step, model = self.state.global_step, cast("nn.Module", self.model)
        for watch in self.watches:
            scores = watched_scores(watch, step, model)
            metrics.update({f"{prefix}_{name}": score for name, score in scores.items()})
        return found
