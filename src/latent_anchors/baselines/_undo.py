"""UNDO: shrink and perturb the weights of an edited model, then distill the model into them."""

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt
from typing import Literal

import torch
from torch import Tensor, nn

from latent_anchors._checks import check_between
from latent_anchors._runs import eval_mode
from latent_anchors._streams import stream
from latent_anchors.baselines._rival_contract import Baseline, Placed, Task
from latent_anchors.baselines._training import Meter, copied, mask_of, train
from latent_anchors.data import LabeledBatch
from latent_anchors.training import constrain


@dataclass(frozen=True)
class Undo:
    r"""Remove a concept by another method, then distill the result into damaged weights (UNDO).

    .. math:: W \leftarrow (1 - \alpha) \, W + \alpha \beta \, \Xi

    with Xavier's uniform noise :math:`\Xi` for each matrix; vectors only shrink, and frozen
    parameters, which could not recover, stay. Then the network learns, on all samples, the outputs
    of the one without the concept, so that what its weights still held of the concept is not only
    unused but gone.

    Where a concept was placed beforehand, it is known which part :math:`P(W)` of the weights holds
    it. With ``part=`` nothing else is damaged,

    .. math:: W \leftarrow W - \alpha \, P(W) + \alpha \beta \, P(\Xi)

    so that there is less to learn again: :func:`latent_anchors.interventions.part_along` with
    ``alpha=1``.

    Attributes:
        before: What removes the concept first: a rival, or :class:`KnownEdits` of an anchor.
        distance: From the outputs of student and teacher, how far they are apart: one number or one
            for each sample, such as :func:`latent_anchors.training.forward_kl` or
            ``torch.nn.functional.mse_loss``.
        alpha: How much of the weights is lost :math:`\alpha`, from 0 to 1; .2 to .8 in the paper,
            and 1 is a student that knows nothing.
        beta: The size of the noise :math:`\beta`, from 0 to 1.
        output: From a model and a batch, what is compared; what the model makes of the inputs if
            None. Where the task has a mask, it begins with the mask's axes, and what the mask
            excludes is not compared.
        part: From a parameter's name and a tensor of its shape to the part that is damaged, a
            linear projection; everything if None.

    Raises:
        ValueError: If alpha or beta is not from 0 to 1.

    References:
        Lee et al., "Distillation robustifies unlearning", 2025; their choice is .6 and .1. The
        damage of a part is ours.

    Examples:
        >>> from dataclasses import replace
        >>> from latent_anchors.baselines import KnownEdits
        >>> from latent_anchors.interventions import ZeroAblation, part_along
        >>> x = torch.randn(64, 3, generator=torch.Generator().manual_seed(0))
        >>> batch = LabeledBatch(x, {"first": (x[:, 0] > 0).float()})
        >>> task = Task(
        ...     lambda model, batch: (model(batch.inputs) - batch.inputs).square().mean(),
        ...     lambda step: batch,
        ...     label="first",
        ...     steps=300,
        ...     rate=lambda step: 0.02,
        ... )
        >>> network = nn.Sequential(nn.Identity(), nn.Linear(3, 3))
        >>> muted = KnownEdits({"0": ZeroAblation([0])})
        >>> student = Undo(muted, torch.nn.functional.mse_loss).fit(network, task).cut
        >>> bool(student[1].weight[:, 0].abs().max() < 1e-3)  # not even the weights know it
        True

        Only what reads the first number is damaged; a step of training moves the rest by .02:

        >>> part = part_along(network, [1.0, 0.0, 0.0], at="0", side="reading")
        >>> placed = Undo(muted, torch.nn.functional.mse_loss, alpha=1.0, part=part)
        >>> student = placed.fit(network, replace(task, steps=1)).cut
        >>> (student[1].weight - network[1].weight).abs().amax(0) > 0.1
        tensor([ True, False, False])
    """

    before: Baseline
    distance: Callable[[Tensor, Tensor], Tensor]
    alpha: float = 0.6
    beta: float = 0.1
    output: Callable[[nn.Module, LabeledBatch], Tensor] | None = None
    part: Callable[[str, Tensor], Tensor] | None = None

    def __post_init__(self) -> None:
        for name in ("alpha", "beta"):
            check_between(name, getattr(self, name), 0.0, 1.0)

    @property
    def begins_with(self) -> Literal["fresh", "trained"]:
        """What the method before begins with.

        Examples:
            >>> from latent_anchors.baselines import Finding
            >>> from latent_anchors.training import forward_kl
            >>> Undo(Finding("leace", at="0"), forward_kl).begins_with
            'trained'
        """
        return self.before.begins_with

    def fit(self, model: nn.Module, task: Task) -> Placed:
        """Remove the concept by the method before, then distill for as many steps again.

        Args:
            model: What the method before begins with; unchanged.
            task: What all methods are given alike.

        Returns:
            The model with the concept, and the student. The cost is that of both methods.

        Raises:
            ValueError: If the method before refuses the task, outputs do not fit the mask, or
                the part of a parameter has another shape.
            KeyError: If a batch lacks the mask.
            RuntimeError: If the weights are not finite afterwards.

        Examples:
            >>> from latent_anchors.baselines import KnownEdits
            >>> from latent_anchors.interventions import ZeroAblation
            >>> from latent_anchors.training import forward_kl
            >>> batch = LabeledBatch(torch.eye(2), {"first": torch.tensor([1.0, 0.0])})
            >>> task = Task(
            ...     lambda model, batch: model(batch.inputs).square().mean(),
            ...     lambda step: batch,
            ...     label="first",
            ...     steps=3,
            ... )
            >>> network = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
            >>> muted = KnownEdits({"0": ZeroAblation([0])})
            >>> placed = Undo(muted, forward_kl).fit(network, task)
            >>> placed.cost.steps, placed.cost.passes
            (3, 12)
        """
        placed, meter = self.before.fit(model, task), Meter()
        student = copied(placed.model if placed.cut is None else placed.cut)
        damage(student, self.alpha, self.beta, task.seed, self.part)
        if task.constraint is not None:
            constrain(student, task.constraint)
        with placed.removed() as teacher:

            def backward(batch: LabeledBatch, _: int) -> None:
                mask = mask_of(batch, task)
                with eval_mode(teacher):
                    target = self._output(teacher, batch, mask)
                meter.ran(batch)
                meter.ran(batch)
                self.distance(self._output(student, batch, mask), target).mean().backward()

            train(student, task, backward, meter)
        return Placed(placed.model, {}, placed.cost + meter.cost(), student)

    def _output(self, model: nn.Module, batch: LabeledBatch, mask: Tensor | None) -> Tensor:
        found = model(batch.inputs) if self.output is None else self.output(model, batch)
        if mask is None:
            return found
        if found.shape[: mask.ndim] != mask.shape:
            raise ValueError(
                f"The outputs to be compared have shape {tuple(found.shape)} and the task's mask "
                f"{tuple(mask.shape)}; expected outputs that begin with its axes, one for each "
                "position. Give output=, or a task without a mask."
            )
        return found[mask]


def damage(
    model: nn.Module,
    alpha: float,
    beta: float,
    seed: int,
    part: Callable[[str, Tensor], Tensor] | None = None,
) -> None:
    """Shrink all parameters that are trained and perturb the matrices, or a part, in place."""
    trained = {name: each for name, each in model.named_parameters() if each.requires_grad}
    with torch.no_grad():
        for name, each in trained.items():
            if part is None:
                each.mul_(1 - alpha)
            else:
                each.sub_(alpha * _checked(part, name, each))
            if each.ndim > 1:
                generator = stream(seed, f"baselines/noise/{name}")
                noise = 2 * torch.rand(each.shape, generator=generator, dtype=torch.float32) - 1
                added = (alpha * beta * _bound(each) * noise).to(each)
                each.add_(added if part is None else part(name, added))


def _checked(part: Callable[[str, Tensor], Tensor], name: str, weight: Tensor) -> Tensor:
    """The part of a weight, in its shape, as another one could be broadcast."""
    found = part(name, weight)
    if found.shape != weight.shape:
        raise ValueError(
            f"The part of {name!r} has shape {tuple(found.shape)} and the parameter "
            f"{tuple(weight.shape)}; expected the same, with zeros where nothing is lost. Return "
            "torch.zeros_like(tensor) for parameters without such a part."
        )
    return found


def _bound(weight: Tensor) -> float:
    """Xavier's bound of uniform numbers: by the numbers of inputs and outputs."""
    outputs, inputs, *places = weight.shape
    return sqrt(6 / ((outputs + inputs) * torch.Size(places).numel()))
