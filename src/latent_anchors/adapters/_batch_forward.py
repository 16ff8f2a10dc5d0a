"""Losses of a model that takes its batch by name, which may call it more than once."""

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from typing import Any, cast

from torch import Tensor, nn

from latent_anchors._checks import listed
from latent_anchors._hooks import Edit
from latent_anchors._sites import At
from latent_anchors.adapters._whole_batch import Divisor
from latent_anchors.data import LabeledBatch
from latent_anchors.interventions import intervene
from latent_anchors.models import record
from latent_anchors.training import (
    Loss,
    Objective,
    RetainLoss,
    Teacher,
    TokenCrossEntropy,
    UnderEdit,
)


class BatchForward:
    """The plain pass, which is made already, and passes under edits.

    Other inputs than the batch's own are given to the model alone, without a mask for instance.

    Args:
        model: It takes its inputs by name.
        inputs: What it takes, by name, without labels for a loss of its own.
        main: The name of the one that losses see, such as ``"input_ids"``.
        plain: The output for them and the latents at the objective's sites.
    """

    def __init__(
        self,
        model: nn.Module,
        inputs: Mapping[str, Any],
        main: str,
        plain: tuple[object, Mapping[At, Tensor]],
    ) -> None:
        self.model, self.inputs, self.main = model, inputs, main
        self.output: Tensor = scores_of(plain[0])
        self.latents: Mapping[At, Tensor] = plain[1]

    def __call__(
        self,
        inputs: Tensor,
        edits: Mapping[At, Edit] | None = None,
        record: Iterable[At] = (),
    ) -> tuple[Tensor, Mapping[At, Tensor]]:
        """The output's scores, and latents at the objective's sites and those to record."""
        same = inputs is self.inputs[self.main]
        others = [at for at in record if at not in self.latents]
        if same and not edits and not others:
            return self.output, self.latents
        given = {**self.inputs} if same else {self.main: inputs}
        return self._pass(given, edits or {}, [*self.latents, *others])

    def _pass(
        self, given: Mapping[str, Any], edits: Mapping[At, Edit], sites: list[At]
    ) -> tuple[Tensor, Mapping[At, Tensor]]:
        with ExitStack() as blocks:
            for at, edit in edits.items():
                blocks.enter_context(intervene(self.model, edit, at=at))
            recording = blocks.enter_context(record(self.model, sites)) if sites else None
            output = self.model(**given)
        latents = {} if recording is None else {at: recording[at] for at in sites}
        return scores_of(output), latents


class BatchLosses:
    """The model's own loss, and functions of a forward pass and a batch.

    Args:
        objective: Its losses without a function are the model's own: at most one.
        functions: By the names of losses.
    """

    def __init__(self, objective: Objective, functions: Mapping[str, Loss]) -> None:
        self.functions: dict[str, Loss] = dict(functions)
        self.own: list[str] = [name for name in objective.losses if name not in functions]
        if len(self.own) > 1 or not {*functions} <= {*objective.losses}:
            raise ValueError(
                f"The objective names the losses {listed(objective.losses)}, and there are "
                f"functions for {listed(functions)}; expected one for each but the model's own: "
                "Objective([...], losses=['task'])."
            )
        self.labels: list[str] = [label for loss in functions.values() for label in _labels(loss)]
        self._labels = [*(term.label for term in objective.terms if term.label), *self.labels]

    def divisors(self, own: Divisor) -> dict[str, Divisor]:
        """What each loss is divided by, given that of the model's own."""
        masses = {name: _mass_of(loss) for name, loss in self.functions.items()}
        return {**masses, **dict.fromkeys(self.own, own)}

    def __call__(
        self,
        model: nn.Module,
        taken: Mapping[str, Any],
        columns: Mapping[str, Any],
        plain: tuple[object, Mapping[At, Tensor]],
    ) -> dict[str, Tensor]:
        """The losses with a function, from what the model takes and all columns of the batch."""
        if not self.functions:
            return {}
        main: str = getattr(model, "main_input_name", "input_ids")
        for name, loss in self.functions.items():
            _check_padding(name, loss, taken.get("attention_mask"))
        forward = BatchForward(model, taken, main, plain)
        batch = batch_for(taken[main], columns, self._labels)
        return {name: loss(forward, batch) for name, loss in self.functions.items()}


def _check_padding(name: str, loss: Loss, mask: object) -> None:
    """Refuse a loss that would read padding: at a place counted from an end, or of a teacher."""
    if isinstance(loss, UnderEdit | RetainLoss):
        _check_padding(name, loss.loss, mask)
        return
    error = getattr(loss, "error", None)
    if not isinstance(mask, Tensor) or mask.ndim != 2:
        return
    if isinstance(error, TokenCrossEntropy):
        _check_end(name, error.position, mask)
    if isinstance(getattr(loss, "teacher", None), Teacher) and bool((mask == 0).any()):
        raise ValueError(
            f"The batch has padding, which the teacher of the loss {name!r} would read, as it is "
            "given tokens without their attention mask; expected lines of one length. Group "
            "lines by length, or imitate in a loop of your own."
        )


def _check_end(name: str, position: int, mask: Tensor) -> None:
    """Refuse padding at the end from which a position is counted."""
    end, says, side = (-1, "ends in", "left") if position < 0 else (0, "begins with", "right")
    if bool((mask[:, end] == 0).any()):
        raise ValueError(
            f"A line {says} padding, and the loss {name!r} reads position {position}, which is "
            f"another token then; expected padding on the {side}."
        )


def _labels(loss: Loss) -> list[str]:
    """Labels that a loss reads, and the losses within it."""
    within = _labels(loss.loss) if isinstance(loss, UnderEdit | RetainLoss) else []
    label = getattr(loss, "label", None)
    return [label, *within] if label else within


def _counted_by(loss: Loss) -> tuple[str | None, bool]:
    """The label by which a loss weighs samples, if any, and whether those without it count."""
    if isinstance(loss, UnderEdit):  # its own label only scales the edit
        return _counted_by(loss.loss)
    if not isinstance(loss, RetainLoss):
        return getattr(loss, "label", None), False
    within, _ = _counted_by(loss.loss)
    if within is not None:
        raise ValueError(
            f"A RetainLoss of the label {loss.label!r} holds a loss of the label {within!r}; "
            "expected one of all samples, since a mean over samples with one label and without "
            "the other cannot be made of micro-batches."
        )
    return loss.label, True


def _mass_of(loss: Loss) -> Divisor:
    """What a loss divides by; None where that is the number of samples."""
    label, absent = _counted_by(loss)
    if label is None:
        return lambda _: None
    if absent:
        return lambda batch: (1 - batch[label].float()).sum()
    return lambda batch: batch[label].sum()


def scores_of(output: object) -> Tensor:
    """The logits among what a model of Hugging Face's returns, or the tensor that it returns."""
    if isinstance(output, Tensor):
        return output
    named = cast("Mapping[str, object]", output if isinstance(output, Mapping) else {})
    scores = named.get("logits")
    if not isinstance(scores, Tensor):
        kind = output.__class__.__name__
        raise TypeError(
            f"The model returned a {kind} of {listed(named)}; expected logits, "
            "which losses that are functions of a forward pass are given. Use a model with a head, "
            "and its outputs by name: return_dict=True."
        )
    return scores


def batch_for(inputs: Tensor, columns: Mapping[str, Any], labels: Iterable[str]) -> LabeledBatch:
    """A batch for losses: terms' labels among its labels, all other columns among its extras."""
    tensors = {name: value for name, value in columns.items() if isinstance(value, Tensor)}
    ours = {name: tensors[name] for name in labels if name in tensors}
    return LabeledBatch(inputs, ours, {n: t for n, t in tensors.items() if n not in ours})
