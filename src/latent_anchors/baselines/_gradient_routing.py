"""Gradient routing: what is labeled may be learned in some dimensions of a layer only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from latent_anchors._checks import check_between, check_count, check_finite, listed
from latent_anchors._numerics import in_full_precision
from latent_anchors._sites import At, as_sites
from latent_anchors._typing import Latents
from latent_anchors.baselines._labeled_latents import by_position, check_shapes
from latent_anchors.baselines._rival_contract import Placed, Task
from latent_anchors.baselines._training import (
    Meter,
    check_labels,
    copied,
    label_of,
    mask_of,
    mean_loss,
    parts,
    some_sites,
    train,
)
from latent_anchors.data import LabeledBatch
from latent_anchors.interventions import ZeroAblation, intervene

EPSILON = 1e-6
"""Of a variance, so that a constant dimension correlates with nothing."""


@dataclass(frozen=True)
class GradientRouting:
    r"""Train a network in which labeled samples are learned through chosen dimensions only.

    .. math:: \tilde z = m \odot z + (1 - m) \odot \mathrm{sg}(z)

    with the latents :math:`z` at a site, stop-gradient :math:`\mathrm{sg}` and a mask :math:`m`: of
    a labeled sample 1 in the chosen ``dims`` and ``labeled_elsewhere`` in the others; of an
    unlabeled one ``unlabeled_inside`` in the chosen ones and 1 in the others; in between for labels
    between 0 and 1. The forward pass stays as it is. Two penalties are added, without which nothing
    splits: ``l1`` times the mean absolute latent inside plus that outside, and ``decorrelation``
    times the mean absolute correlation between dimensions inside and outside.

    The edit sets the chosen dimensions to zero. A site before a normalization is the right one:
    behind it, the gradient of one dimension reaches all.

    Attributes:
        at: The site, or several.
        dims: The chosen dimensions, from 0.
        l1: Weight of the mean absolute latents, at least 0.
        decorrelation: Weight of the mean absolute correlation, at least 0.
        labeled_elsewhere: What gradients of labeled samples are multiplied by outside. Negative to
            unlearn there, such as -0.75.
        unlabeled_inside: What gradients of unlabeled samples are multiplied by inside: 0 keeps them
            out, 1 lets the chosen dimensions absorb what is like the labeled samples.
        heal: Steps of training on unlabeled samples with the chosen dimensions at zero, at the
            optimizer's own rate.

    Raises:
        ValueError: If no site or no dimension is chosen, or a number is not finite or out of its
            range.

    References:
        Cloud et al., "Gradient routing: masking gradients to localize computation in neural
        networks", 2024; the weights of the penalties are those of its digits.

    Examples:
        >>> from latent_anchors.data import LabeledBatch
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
        >>> placed = GradientRouting(at="0", dims=[0, 1], heal=100).fit(network, task)
        >>> with placed.removed() as model:
        ...     errors = (model(x) - x).square().mean(-1)
        >>> bool(errors[0] > 10 * errors[1:].max())
        True
    """

    at: At | Sequence[At]
    dims: Sequence[int]
    l1: float = 3e-3
    decorrelation: float = 0.1
    labeled_elsewhere: float = 0.0
    unlabeled_inside: float = 0.0
    heal: int = 0

    begins_with: ClassVar[Literal["fresh", "trained"]] = "fresh"

    def __post_init__(self) -> None:
        object.__setattr__(self, "at", some_sites(self.at))
        object.__setattr__(self, "dims", tuple(self.dims))
        ZeroAblation(self.dims)  # refuses dimensions that cannot be set to zero
        for name in ("l1", "decorrelation"):
            check_between(name, getattr(self, name), 0.0, 1e6)
        for name in ("labeled_elsewhere", "unlabeled_inside"):
            check_finite(name, getattr(self, name))
        check_count("heal", self.heal, least=0)

    def fit(self, model: nn.Module, task: Task) -> Placed:
        """Train under routed gradients; then, with ``heal``, a copy on unlabeled samples.

        Args:
            model: A fresh one; unchanged.
            task: What all methods are given alike.

        Returns:
            The trained model, and the edits that set the chosen dimensions to zero.

        Raises:
            ValueError: If no sample is labeled, or all are; or if a site has no dimension left
                beside the chosen ones.
            KeyError: If a batch lacks the label or the mask.
            RuntimeError: If the weights are not finite afterwards.
            TypeError: If a population is given.

        Examples:
            >>> from latent_anchors.data import LabeledBatch
            >>> batch = LabeledBatch(torch.eye(2), {"first": torch.tensor([1.0, 0.0])})
            >>> task = Task(
            ...     lambda model, batch: model(batch.inputs).square().mean(),
            ...     lambda step: batch,
            ...     label="first",
            ...     steps=3,
            ... )
            >>> placed = GradientRouting(at="0", dims=[0]).fit(nn.Sequential(nn.Linear(2, 2)), task)
            >>> placed.edits, placed.cost.passes
            ({'0': ZeroAblation(dims=(0,), strength=1)}, 6)
        """
        meter, model = Meter(), copied(model)
        check_labels(task, whole=self.heal > 0)
        route = _Route(self)

        def backward(batch: LabeledBatch, _: int) -> None:
            mask = mask_of(batch, task)
            route.take(label_of(batch, task.label, mask), mask)
            loss = mean_loss(model, task, batch, meter)
            (loss + route.penalty()).backward()

        sites = as_sites(self.at)
        with intervene(model, route, sites):
            train(model, task, backward, meter)
        edits = {at: ZeroAblation(self.dims) for at in sites}
        cut = self._healed(model, edits, task, meter) if self.heal else None
        return Placed(model, edits, meter.cost(), cut)

    def _healed(
        self, model: nn.Module, edits: Mapping[At, ZeroAblation], task: Task, meter: Meter
    ) -> nn.Module:
        """A copy trained on unlabeled samples, under the edits."""
        cut = copied(model)

        def backward(batch: LabeledBatch, _: int) -> None:
            unlabeled = parts(batch, task).unlabeled
            if unlabeled is not None:
                mean_loss(cut, task, unlabeled, meter).backward()

        with intervene(cut, edits):
            train(cut, task, backward, meter, steps=self.heal)
        return cut


class _Route:
    """An edit that keeps values and multiplies gradients; the mask is that of the last batch."""

    def __init__(self, settings: GradientRouting) -> None:
        self.settings = settings
        self.label: Tensor = torch.empty(0)
        self.mask: Tensor | None = None
        self.seen: list[Latents] = []

    def take(self, label: Tensor, mask: Tensor | None) -> None:
        """The labels and the mask of the next forward pass."""
        self.label, self.mask, self.seen = label.double(), mask, []

    def __call__(self, z: Latents) -> Latents:
        inside = self._inside(z)
        check_shapes(z.shape[:-1], self.label.shape, self.mask)
        label = by_position(self.label, z.shape[:-1]).unsqueeze(-1).to(z)
        within = label + (1 - label) * self.settings.unlabeled_inside
        beyond = label * self.settings.labeled_elsewhere + (1 - label)
        self.seen.append(z)
        fixed = z.detach()
        return fixed + torch.where(inside, within, beyond) * (z - fixed)  # z itself, to the bit

    def penalty(self) -> Float[Tensor, ""]:
        """What makes the latents of the last forward pass split."""
        total = torch.zeros(())
        for z in self.seen:
            inside = self._inside(z)
            rows = in_full_precision(z.flatten(0, -2) if self.mask is None else z[self.mask])
            a, b = rows[:, inside], rows[:, ~inside]
            sizes = a.abs().mean() + b.abs().mean()
            total = total.to(z.device) + self.settings.l1 * sizes
            total = total + self.settings.decorrelation * _correlation(a, b)
        return total

    def _inside(self, z: Latents) -> Bool[Tensor, " dim"]:
        chosen = self.settings.dims
        if max(chosen) >= z.shape[-1] or len(chosen) == z.shape[-1]:
            raise ValueError(
                f"The chosen dimensions are {listed(chosen)} of {z.shape[-1]}; expected some of "
                "them, and others beside. Mind the site."
            )
        return torch.tensor([k in chosen for k in range(z.shape[-1])], device=z.device)


def _correlation(a: Float[Tensor, "n k"], b: Float[Tensor, "n m"]) -> Float[Tensor, ""]:
    """Mean absolute correlation of the columns of one with those of the other."""
    a, b = ((x - x.mean(0)) / (x.var(0, correction=0) + EPSILON).sqrt() for x in (a, b))
    return (a.mT @ b / len(a)).abs().mean()
