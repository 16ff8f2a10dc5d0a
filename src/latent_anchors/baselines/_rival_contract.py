"""The contract of all rivals: one task, one call, one result with its cost."""

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import torch
from torch import Tensor, nn
from typing_extensions import Protocol, runtime_checkable

from latent_anchors._checks import check_count
from latent_anchors._sites import At
from latent_anchors.data import LabeledBatch
from latent_anchors.interventions import EditModule, intervene
from latent_anchors.training import Constraint

BatchLoss: TypeAlias = Callable[[nn.Module, LabeledBatch], Tensor]
"""A model and a batch to a loss: one number ``()``, or one for each sample ``(batch,)``."""

MakeOptimizer: TypeAlias = Callable[..., torch.optim.Optimizer]
"""Parameters to an optimizer."""


@dataclass(frozen=True, eq=False)
class Task:
    """What every method is given alike: loss, data, labels, steps, optimizer and seed.

    Attributes:
        loss: From a model and a batch, one number or one for each sample; one forward pass.
        batches: From a step to its batch, every tensor with the samples first; a pure function, so
            that all methods see the same.
        label: The concept's among the labels of a batch ``(batch,)``, or ``(batch, position)``,
            from 0 to 1; 0 means "not labeled".
        steps: How many steps of training a method has.
        seed: Of what a method draws, and of dropout.
        optimizer: Makes an optimizer from parameters.
        rate: From a step to the learning rate, such as a track; the optimizer's own if None.
        constraint: Held after each step, such as ``UnitNorm``.
        mask: An extra of the batch ``(batch, position)``: which positions count; all if None.

    Raises:
        ValueError: If there is no step.
        TypeError: If the number of steps is not a whole number.

    Examples:
        >>> from latent_anchors.data import BernoulliLabels, Sampler
        >>> x = torch.eye(3)
        >>> sampler = Sampler(x, {"first": BernoulliLabels(x[0])}, batch_size=8)
        >>> task = Task(
        ...     loss=lambda model, batch: (model(batch.inputs) - batch.inputs).square().mean(-1),
        ...     batches=lambda step: sampler.batch(seed=0, step=step),
        ...     label="first",
        ...     steps=100,
        ... )
        >>> task.loss(nn.Identity(), task.batches(0)).shape
        torch.Size([8])
    """

    loss: BatchLoss
    batches: Callable[[int], LabeledBatch]
    label: str
    steps: int
    seed: int = 0
    optimizer: MakeOptimizer = torch.optim.Adam
    rate: Callable[[int], float] | None = None
    constraint: Constraint | None = None
    mask: str | None = None

    def __post_init__(self) -> None:
        check_count("steps", self.steps)


@dataclass(frozen=True)
class Cost:
    """What a method took.

    Attributes:
        seconds: From the call to the result.
        steps: Of an optimizer, all stages together.
        passes: Forward passes of one sample each, of teachers too.

    Examples:
        >>> Cost(seconds=1.5, steps=100, passes=6400) + Cost(seconds=0.5, steps=0, passes=64)
        Cost(seconds=2.0, steps=100, passes=6464)
    """

    seconds: float
    steps: int
    passes: int

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(
            self.seconds + other.seconds, self.steps + other.steps, self.passes + other.passes
        )


@dataclass(frozen=True, eq=False)
class Placed:
    """What a method gives: a model, how the concept is taken out of it, and the cost.

    Attributes:
        model: The model with the concept; a copy, in the mode of the model that was given.
        edits: By site, what takes the concept out of the latents; none if the weights do.
        cost: What the method took.
        cut: The model whose weights were changed to take the concept out, on which the edits act
            if there are any; None if the weights are those of ``model``.

    Examples:
        >>> from latent_anchors.interventions import ZeroAblation
        >>> placed = Placed(nn.Sequential(nn.Identity()), {"0": ZeroAblation([0])}, Cost(0, 0, 0))
        >>> with placed.removed() as model:
        ...     model(torch.ones(1, 2))
        tensor([[0., 1.]])
    """

    model: nn.Module
    edits: Mapping[At, EditModule]
    cost: Cost
    cut: nn.Module | None = None

    @contextmanager
    def removed(self) -> Generator[nn.Module]:
        """The model without the concept, for the length of a block.

        Yields:
            The cut model, or the model; under the edits, if there are any.

        Raises:
            RuntimeError: If there are edits and the model was not run in the block.

        Examples:
            >>> placed = Placed(nn.Identity(), {}, Cost(0, 0, 0), cut=nn.Flatten(0))
            >>> with placed.removed() as model:
            ...     model(torch.ones(1, 2))
            tensor([1., 1.])
        """
        model = self.model if self.cut is None else self.cut
        if not self.edits:
            yield model
            return
        with intervene(model, self.edits):
            yield model

    def at(self, strength: float) -> "Placed":
        """The same with its edits at another strength, for a place on the frontier.

        See :func:`~latent_anchors.evaluation.frontier`.

        Args:
            strength: From 0, where no edit acts, to 1.

        Raises:
            ValueError: If there are no edits, or the strength is out of its range.

        Examples:
            >>> from latent_anchors.interventions import ZeroAblation
            >>> network, edits = nn.Sequential(nn.Identity()), {"0": ZeroAblation([0])}
            >>> placed = Placed(network, edits, Cost(0, 0, 0))
            >>> with placed.at(0.5).removed() as model:
            ...     model(torch.ones(1, 2))
            tensor([[0.5000, 1.0000]])
        """
        if not self.edits:
            raise ValueError(
                "The concept was taken out by weights; expected edits, which have a strength. "
                "Measure `model` and `cut`, or fit again with other settings."
            )
        return replace(self, edits={at: edit.at(strength) for at, edit in self.edits.items()})


@runtime_checkable
class Baseline(Protocol):
    """A way to place a concept or to take it out, which can be compared with an anchor.

    Every member gives the same result twice for the same seed, leaves the given model as it is,
    refuses batches without labels, and counts its cost.

    Attributes:
        begins_with: Whether it is given a ``"fresh"`` network, which it trains, or a ``"trained"``
            one.

    Examples:
        >>> from latent_anchors.baselines import Finding
        >>> isinstance(Finding("leace", at="0"), Baseline)
        True
    """

    @property
    def begins_with(self) -> Literal["fresh", "trained"]:
        """What kind of network :meth:`fit` is given.

        Examples:
            >>> from latent_anchors.baselines import Finding
            >>> Finding("leace", at="0").begins_with
            'trained'
        """
        ...

    def fit(self, model: nn.Module, task: Task) -> Placed:
        """Train, find or remove, on the task's batches.

        Args:
            model: An ordinary model, not a population; unchanged.
            task: What all methods are given alike.

        Returns:
            The model, how the concept is taken out, and the cost.

        Examples:
            >>> from latent_anchors.baselines import Finding
            >>> batch = LabeledBatch(torch.eye(2), {"first": torch.tensor([1.0, 0.0])})
            >>> task = Task(
            ...     lambda model, batch: model(batch.inputs).sum(), lambda _: batch, "first", 1
            ... )
            >>> Finding("leace", at="0").fit(nn.Sequential(nn.Identity()), task).cost.passes
            2
        """
        ...
