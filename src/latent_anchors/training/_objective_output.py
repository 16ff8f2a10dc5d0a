"""What an objective comes to at one step: the total, and each part with its numbers."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NoReturn

from torch import Tensor

from latent_anchors._numerics import in_full_precision
from latent_anchors._supervision import Look, can_look
from latent_anchors.regularizers import Reduction, mean

TOTAL = "total"
"""What the total is called among the means; no part may be."""


@dataclass(frozen=True, eq=False)
class ObjectivePart:
    """One term or loss at one step, as tensors ``()`` that are not synchronized with the host.

    Attributes:
        mean: Over the samples it acts on.
        weight: From the row.
        mass: Sum of the labels.
        count: Number of samples.

    Examples:
        >>> import torch
        >>> ObjectivePart(*torch.tensor([0.5, 0.1, 2.0, 64.0])).mean
        tensor(0.5000)
    """

    mean: Tensor
    weight: Tensor
    mass: Tensor
    count: Tensor

    def __float__(self) -> NoReturn:
        raise TypeError(
            "A part is no number: it has a mean, a weight, a mass and a count; expected one of "
            "them, such as float(part.mean)."
        )


@dataclass(frozen=True, eq=False)
class ObjectiveOutput(Mapping[str, ObjectivePart]):
    """What an objective came to: the total, and each part by name.

    Attributes:
        total: Weighted sum of the means ``()``; call ``backward()`` on it.
        parts: By the names of terms and losses.

    Examples:
        >>> import torch
        >>> anchor = ObjectivePart(*torch.tensor([0.5, 0.1, 2, 64]))
        >>> output = ObjectiveOutput(torch.tensor(0.05), {"anchor": anchor})
        >>> output["anchor"].weight
        tensor(0.1000)
    """

    total: Tensor
    parts: Mapping[str, ObjectivePart]

    def __getitem__(self, name: str) -> ObjectivePart:
        return self.parts[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.parts)

    def __len__(self) -> int:
        return len(self.parts)

    def means(self) -> dict[str, Tensor]:
        """The numbers to log: the total, and of each part its mean and its share in the total.

        Keys are ``"total"``, the name of each part, and ``"<name>/weighted"``; the weighted ones
        add up to the total. A part that nobody has a label for is 0.

        Returns:
            Tensors ``()`` without a gradient, where the batch is: ``float(...)`` synchronizes, and
            is best left to the one who logs.

        Examples:
            >>> import torch
            >>> anchor = ObjectivePart(*torch.tensor([0.5, 0.1, 2, 64]))
            >>> means = ObjectiveOutput(torch.tensor(0.05), {"anchor": anchor}).means()
            >>> {name: round(float(value), 4) for name, value in means.items()}
            {'total': 0.05, 'anchor': 0.5, 'anchor/weighted': 0.05}
        """
        numbers = {TOTAL: self.total}
        for name, part in self.parts.items():
            numbers[name], numbers[weighted(name)] = part.mean, part.weight * part.mean
        return {name: number.detach() for name, number in numbers.items()}


def weighted(name: str) -> str:
    """What a part's share in the total is called among the means."""
    return f"{name}/weighted"


def reduction_of_loss(name: str, values: object) -> Reduction:
    """The sum over a batch of what a caller passed as a loss, per sample or a mean already."""
    if not isinstance(values, Tensor) or not values.is_floating_point():
        given = f"of type {values.dtype}" if isinstance(values, Tensor) else repr(values)
        raise TypeError(
            f"Loss {name!r} is {given}; expected a tensor of floating point, one number per sample "
            "or their mean. Models of Hugging Face's return a loss if they are given labels=."
        )
    values = in_full_precision(values.flatten())
    count = values.new_full((), values.numel())
    return Reduction(values.sum(), count, count, count)


def part_of(
    name: str, reduction: Reduction, divisor: Tensor, weight: float | Tensor, look: Look
) -> ObjectivePart:
    """The mean of a term or loss, taken once, beside its weight in the row."""
    if isinstance(weight, Tensor):
        weight = _weight(name, weight, look)
    else:
        check_weight(name, weight)
        weight = reduction.total.new_full((), weight)
    return ObjectivePart(mean(reduction.total, divisor), weight, reduction.mass, reduction.count)


def _weight(name: str, weight: Tensor, look: Look) -> Tensor:
    """A weight that is a tensor: NaN where it cannot be looked at and is none."""
    if weight.ndim > 0:
        raise ValueError(
            f"The weight of {name!r} has shape {tuple(weight.shape)}; expected one number (). "
            "Weigh samples by labels."
        )
    if look == "never":
        return weight
    if can_look(weight, look):
        check_weight(name, float(weight))
        return weight
    return weight.masked_fill(~((weight >= 0) & (weight < math.inf)), math.nan)


def check_weight(name: str, weight: float) -> None:
    """Refuse a weight that is negative or not finite."""
    if not 0.0 <= weight < math.inf:
        raise ValueError(
            f"The weight of {name!r} is {weight}; expected a finite number of at least 0. "
            "To push the other way, use the anti-term."
        )
