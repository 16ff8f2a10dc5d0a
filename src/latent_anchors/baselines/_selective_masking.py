"""Selective gradient masking (SGTM): some units are reserved for what is labeled."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from latent_anchors._checks import check_between, check_count, check_name, listed
from latent_anchors.baselines._reserved_units import fitting, without, zero
from latent_anchors.baselines._rival_contract import Placed, Task
from latent_anchors.baselines._training import (
    Meter,
    check_labels,
    copied,
    drawn,
    mean_loss,
    parts,
    train,
)
from latent_anchors.data import LabeledBatch

CALIBRATION_RATE, CALIBRATION_WEIGHT = 1e-2, 100.0
"""Of the read-out's biases: the learning rate, and the weight of unlabeled samples."""


@dataclass(frozen=True, eq=False)
class SelectiveMasking:
    r"""Train a network in which labeled samples update reserved weights only (SGTM).

    At each step the gradient is

    .. math:: \tfrac{n_l}{n} \, M \odot \nabla \ell_l(\theta)
        + \tfrac{n_u}{n} \begin{cases} (1 - M) \odot \nabla \ell_u((1 - M) \odot \theta)
        & \text{in a retain pass} \\ \nabla \ell_u(\theta) & \text{otherwise} \end{cases}

    with the mean losses :math:`\ell_l` and :math:`\ell_u` of the :math:`n_l` labeled and
    :math:`n_u` unlabeled samples and the mask :math:`M` of the ``reserved`` weights. So unlabeled
    samples that are like the labeled ones may be learned there too, and in retain passes the
    network practices without. Removing sets the reserved weights to zero and, with ``calibrated``
    biases, fits these on samples of both kinds, so that a low chance of some outputs alone does not
    look like ignorance.

    Attributes:
        reserved: By name of a parameter, which of its numbers are reserved; see
            :func:`reserved_units`.
        retain: The chance of a retain pass, from 0 to 1.
        calibrated: Names of the read-out's biases to be calibrated; none if empty.
        calibration: How many steps of that.

    Raises:
        ValueError: If no weight is reserved, the chance is not from 0 to 1, or there is no step of
            calibration.

    References:
        Shilov et al., "Beyond data filtering: knowledge localization for capability removal in
        LLMs", 2025; a quarter of the batches were retain passes there, and calibration took 200
        steps on stories.

    Examples:
        >>> from latent_anchors.baselines import reserved_units
        >>> torch.manual_seed(0) and None
        >>> x, label = torch.eye(4), torch.tensor([1.0, 0.0, 0.0, 0.0])
        >>> task = Task(
        ...     loss=lambda model, batch: (model(batch.inputs) - batch.inputs).square().mean(-1),
        ...     batches=lambda step: LabeledBatch(x, {"first": label}),
        ...     label="first",
        ...     steps=300,
        ...     rate=lambda step: 0.02,
        ... )
        >>> network = nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 4))
        >>> reserved = reserved_units(network, [0, 1], outputs=["0"], inputs=["1"])
        >>> placed = SelectiveMasking(reserved).fit(network, task)
        >>> with placed.removed() as model:
        ...     errors = (model(x) - x).square().mean(-1)
        >>> bool(errors[0] > 10 * errors[1:].max())
        True
    """

    reserved: Mapping[str, Tensor]
    retain: float = 0.25
    calibrated: Sequence[str] = ()
    calibration: int = 200

    begins_with: ClassVar[Literal["fresh", "trained"]] = "fresh"

    def __post_init__(self) -> None:
        object.__setattr__(self, "calibrated", tuple(dict.fromkeys(self.calibrated)))
        check_between("retain", self.retain, 0.0, 1.0)
        check_count("calibration", self.calibration)
        if not any(bool(mask.any()) for mask in self.reserved.values()):
            raise ValueError(
                f"Of {listed(self.reserved)} no number is reserved; expected some. Make masks with "
                "reserved_units(model, units, outputs, inputs)."
            )

    def fit(self, model: nn.Module, task: Task) -> Placed:
        """Train under masked gradients; the cut model lacks the reserved weights.

        Args:
            model: A fresh one; unchanged.
            task: What all methods are given alike.

        Returns:
            The trained model, and the cut one.

        Raises:
            ValueError: If no sample is labeled, or all are; or if a mask is of no parameter, or of
                another shape.
            KeyError: If a batch lacks the label.
            RuntimeError: If the weights are not finite afterwards.
            TypeError: If a population is given.

        Examples:
            >>> from latent_anchors.baselines import reserved_units
            >>> batch = LabeledBatch(torch.eye(2), {"first": torch.tensor([1.0, 0.0])})
            >>> task = Task(
            ...     lambda model, batch: model(batch.inputs).square().mean(),
            ...     lambda step: batch,
            ...     label="first",
            ...     steps=3,
            ... )
            >>> network = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
            >>> reserved = reserved_units(network, [0], outputs=["0"])
            >>> SelectiveMasking(reserved).fit(network, task).cut[0].bias[0].item()
            0.0
        """
        meter, model = Meter(), copied(model)
        masks = fitting(self.reserved, model)
        check_labels(task, whole=True)
        chances = drawn(task.seed, "retain passes", task.steps)

        def backward(batch: LabeledBatch, step: int) -> None:
            _fill(model, task, batch, masks, chances[step] < self.retain, meter)

        train(model, task, backward, meter)
        cut = copied(model)
        zero(cut, masks)
        if self.calibrated:
            self._calibrate(cut, task, meter)
        return Placed(model, {}, meter.cost(), cut)

    def _calibrate(self, cut: nn.Module, task: Task, meter: Meter) -> None:
        """Fit biases of the read-out, with a rate that falls to a tenth."""
        named = dict(cut.named_parameters())
        for name in self.calibrated:
            check_name("parameter to be calibrated", name, [*named])
        biases = [named[name] for name in self.calibrated]

        def again(step: int) -> LabeledBatch:
            return task.batches(step % task.steps)  # there may be no more than its own

        def backward(batch: LabeledBatch, _: int) -> None:
            labeled, unlabeled = parts(batch, task)
            for part, weight in ((labeled, 1.0), (unlabeled, CALIBRATION_WEIGHT)):
                if part is not None:
                    loss = weight * mean_loss(cut, task, part, meter)
                    for bias, slope in zip(biases, torch.autograd.grad(loss, biases), strict=True):
                        bias.grad = slope if bias.grad is None else bias.grad + slope

        adamw = partial(torch.optim.AdamW, lr=CALIBRATION_RATE)
        # biases alone: a constraint would change weights that are not fitted
        own = {"optimizer": adamw, "steps": self.calibration, "rate": self._rate}
        falling = replace(task, batches=again, constraint=None, **own)
        # in evaluation mode: averages of a batch norm are not what is fitted
        train(cut, falling, backward, meter, parameters=biases, training=False)

    def _rate(self, step: int) -> float:
        return CALIBRATION_RATE * (1 - 0.9 * step / self.calibration)


def _fill(
    model: nn.Module,
    task: Task,
    batch: LabeledBatch,
    masks: Mapping[str, Tensor],
    retains: bool,
    meter: Meter,
) -> None:
    """The gradients of one step."""
    labeled, unlabeled = parts(batch, task)
    for part, only in ((labeled, True), (unlabeled, False)):
        if part is None:
            continue
        with without(model, masks if retains and not only else {}):
            loss = mean_loss(model, task, part, meter) * (len(part.inputs) / len(batch.inputs))
            slopes = _slopes(loss, model)
        for name, parameter in model.named_parameters():
            if (slope := slopes.get(name)) is None:
                continue
            if only or retains:
                kept = masks.get(name, torch.zeros_like(slope, dtype=torch.bool))
                slope = slope.masked_fill(~kept if only else kept, 0.0)
            parameter.grad = slope if parameter.grad is None else parameter.grad + slope


def _slopes(loss: Tensor, model: nn.Module) -> dict[str, Tensor]:
    named = {name: each for name, each in model.named_parameters() if each.requires_grad}
    slopes = torch.autograd.grad(loss, [*named.values()], allow_unused=True)
    found = zip(named, slopes, strict=True)
    return {name: slope for name, slope in found if slope is not None}  # pyright: ignore[reportUnnecessaryComparison] -- torch's stub forgets allow_unused
