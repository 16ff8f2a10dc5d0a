"""What the methods share: copies, labeled and unlabeled samples, a loop, and its cost."""

from collections.abc import Callable, Iterable, Sequence
from time import monotonic
from typing import NamedTuple, TypeVar

import torch
from jaxtyping import Bool
from torch import Tensor, nn

from latent_anchors._checks import listed
from latent_anchors._hooks import copy_without_hooks, in_force
from latent_anchors._runs import StackedRuns, mode
from latent_anchors._sites import At, Site, as_sites
from latent_anchors._streams import seeded
from latent_anchors._supervision import as_mask, as_tensor, check_label
from latent_anchors.baselines._rival_contract import Cost, Task
from latent_anchors.data import LabeledBatch
from latent_anchors.training import apply_hyperparameters, constrain

_Model = TypeVar("_Model", bound=nn.Module)

Backward = Callable[[LabeledBatch, int], None]
"""A batch and its step: fill in the gradients."""


class Meter:
    """Counts what a method takes, from when it is made."""

    def __init__(self) -> None:
        self.began: float = monotonic()
        self.steps: int = 0
        self.passes: int = 0

    def ran(self, batch: LabeledBatch) -> None:
        """A model was run on a batch."""
        self.passes += len(batch.inputs)

    def cost(self) -> Cost:
        """What it took until now."""
        return Cost(monotonic() - self.began, self.steps, self.passes)


class Parts(NamedTuple):
    """The samples of a batch with a label and those without; None if there are none."""

    labeled: LabeledBatch | None
    unlabeled: LabeledBatch | None


def copied(model: _Model) -> _Model:
    """A copy to be trained, of an ordinary model without edits in force."""
    if isinstance(model, StackedRuns):
        raise TypeError(
            f"A population of {len(model)} runs was given; expected one model. Fit one after "
            "another: [method.fit(model, task) for model in population]."
        )
    edits = in_force(model)
    if edits:
        raise RuntimeError(
            f"The edit {edits[0].edit!r} is in force at {edits[0].site.name!r}; expected none, "
            "since a method works on a copy, which carries no edits. Remove it first."
        )
    return copy_without_hooks(model)


def some_sites(at: At | Sequence[At]) -> At | tuple[At, ...]:
    """A site, or several, which do not run out as an iterator does."""
    if isinstance(at, str | Site):
        return at
    sites = tuple(as_sites(at))
    if not sites:
        raise ValueError(f"at is {at!r}; expected one site at least. Name a layer.")
    return sites


def label_of(batch: LabeledBatch, name: str, mask: Tensor | None = None) -> Tensor:
    """The concept's label in a batch, checked where the mask counts it."""
    if name not in batch.labels:
        raise KeyError(
            f"The batch has the labels {listed(batch.labels)}; expected {name!r}, the task's."
        )
    label = as_tensor(f"Label {name!r}", batch.labels[name], batch.inputs.device)
    if label.ndim == 0 or len(label) != len(batch.inputs):
        raise ValueError(
            f"Label {name!r} has shape {tuple(label.shape)} for {len(batch.inputs)} samples; "
            "expected one label for each, or for each of their positions."
        )
    counted = mask if mask is not None and mask.shape == label.shape else None
    check_label(f"Label {name!r}", label, counted, "freely")
    return label if counted is None else label.masked_fill(~counted, 0)


def mask_of(batch: LabeledBatch, task: Task) -> Tensor | None:
    """Which positions of a batch count, if the task says so."""
    if task.mask is None:
        return None
    if task.mask not in batch.extras:
        raise KeyError(
            f"The batch has the extras {listed(batch.extras)}; expected {task.mask!r}, the mask of "
            "the task."
        )
    return as_mask(f"Mask {task.mask!r}", batch.extras[task.mask], batch.inputs.device)


def labeled_places(batch: LabeledBatch, task: Task) -> Bool[Tensor, "batch *position"]:
    """Where a batch has the task's label, of the samples or positions that count."""
    mask = mask_of(batch, task)
    labeled = label_of(batch, task.label, mask) > 0
    return labeled & _counted(mask, labeled) if mask is not None else labeled


def labeled_samples(batch: LabeledBatch, task: Task) -> Bool[Tensor, " batch"]:
    """Which samples are labeled, at some position that counts at least."""
    return labeled_places(batch, task).reshape(len(batch.inputs), -1).any(1)


def parts(batch: LabeledBatch, task: Task) -> Parts:
    """The labeled samples of a batch, and the others."""
    chosen = labeled_samples(batch, task)
    return Parts(_rows(batch, chosen), _rows(batch, ~chosen))


def check_labels(task: Task, whole: bool = False) -> None:
    """Refuse a task without a label, or with nothing else, before anything is trained.

    Methods that take samples apart need some of each kind ``whole``, not positions.
    """
    with_it = without = False
    for step in range(task.steps):
        chosen, others = _both_kinds(task.batches(step), task, whole)
        with_it, without = with_it or bool(chosen.any()), without or bool(others.any())
        if with_it and without:
            return
    kind = "has" if not with_it else "lacks"
    raise ValueError(
        f"In {task.steps} batches no sample {kind} label {task.label!r}; expected some with it and "
        "some without. Give larger batches, more steps or other labels."
    )


def _both_kinds(batch: LabeledBatch, task: Task, whole: bool) -> tuple[Tensor, Tensor]:
    """Which samples, or positions that count, are labeled, and which are not."""
    chosen = labeled_samples(batch, task) if whole else labeled_places(batch, task)
    mask = None if whole else mask_of(batch, task)
    return chosen, ~chosen if mask is None else ~chosen & _counted(mask, chosen)


def _counted(mask: Tensor, label: Tensor) -> Tensor:
    """Which labels count: of a sample's, whether one of its positions does."""
    return mask.flatten(label.ndim).any(-1) if mask.ndim > label.ndim else mask


def train(
    model: nn.Module,
    task: Task,
    backward: Backward,
    meter: Meter,
    steps: int | None = None,
    parameters: Sequence[nn.Parameter] | None = None,
    training: bool = True,
) -> None:
    """Train in place for the task's steps at its rate; or for others, at the optimizer's own.

    Where these are more than the task's, its batches come again from the first one on.
    """
    learned = parameters or [each for each in model.parameters() if each.requires_grad]
    optimizer = task.optimizer(learned)
    with mode(model, training=training), seeded(task.seed, "baselines/training"):
        for step in range(task.steps if steps is None else steps):
            if task.rate is not None and steps is None:
                apply_hyperparameters(optimizer, {"lr": task.rate(step)})
            optimizer.zero_grad()
            backward(task.batches(step % task.steps), step)
            optimizer.step()
            meter.steps += 1
            if task.constraint is not None:
                constrain(model, task.constraint)
    optimizer.zero_grad()
    _check_finite(model.parameters())


def mean_loss(model: nn.Module, task: Task, batch: LabeledBatch, meter: Meter) -> Tensor:
    """The task's loss of a model on a batch, one number."""
    meter.ran(batch)
    return task.loss(model, batch).mean()


def _rows(batch: LabeledBatch, chosen: Bool[Tensor, " batch"]) -> LabeledBatch | None:
    if bool(chosen.all()):
        return batch
    return batch.map(lambda tensor: tensor[chosen]) if bool(chosen.any()) else None


def _check_finite(parameters: Iterable[Tensor]) -> None:
    broken = sum(not bool(each.isfinite().all()) for each in parameters)
    if broken:
        raise RuntimeError(
            f"After training, {broken} of the parameters are not finite; expected numbers. Lower "
            "the learning rate, and count this run as a failure."
        )


def drawn(seed: int, name: str, steps: int) -> list[float]:
    """A number from 0 to 1 for each step, a function of the seed."""
    with seeded(seed, f"baselines/{name}"):
        return [float(each) for each in torch.rand(steps, dtype=torch.float32)]
