"""What an objective comes to at one step: the total, and each term and loss by name."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NoReturn

from torch import Tensor


@dataclass(frozen=True, eq=False)
class ObjectivePart:
    """One term or loss at one step, as tensors ``()`` that nobody has waited for.

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
