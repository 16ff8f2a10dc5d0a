"""The one reduction: a weighted sum over a batch, divided once, at the end."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Reduction:
    """A term's weighted sum over a batch, and what it is to be divided by.

    Sums and masses of parts of a batch add up to those of the whole, but for set penalties.

    Attributes:
        total: Sum of the values ``()``, each weighed by its label.
        divisor: What the sum is to be divided by ``()``, after the term's ``reduction``.
        mass: Sum of the labels ``()``: how much supervision there was.
        count: Number of samples that count ``()``.

    Examples:
        >>> import torch
        >>> Reduction(*torch.tensor([3.0, 2.0, 2.0, 64.0])).mass
        tensor(2.)
    """

    total: Tensor
    divisor: Tensor
    mass: Tensor
    count: Tensor


def mean(total: Float[Tensor, ""], divisor: Float[Tensor, ""]) -> Float[Tensor, ""]:
    """The one mean: an exact zero, with zero gradient, where nobody counts.

    Args:
        total: Weighted sum over the batch ``()``.
        divisor: What it is divided by ``()``, at least 0.

    Returns:
        ``()``, at least 0.

    Examples:
        >>> import torch
        >>> mean(torch.tensor(0.0), torch.tensor(0.0))
        tensor(0.)
    """
    return total / torch.threshold(divisor, 0.0, 1.0)
