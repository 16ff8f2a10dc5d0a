"""The soft minimum: a pull that goes mostly to the position that is nearest already."""

import torch
from torch import nn
from typing_extensions import override

from latent_anchors._checks import check_between
from latent_anchors._typing import PerSample
from latent_anchors.regularizers._pooling import Mask, Values, checked, counted, min_pool


def soft_minimum(values: Values, mask: Mask | None = None, temperature: float = 0.1) -> PerSample:
    r"""Soft minimum over the positions that count; 0 where none does.

    .. math:: \mathrm{mm}_\tau(x) = -\tau \ln \frac{1}{n} \sum_t e^{-x_t / \tau}

    with :math:`\tau` the ``temperature`` and :math:`n` the number of positions that count. The
    gradient's weights are :math:`\operatorname{softmax}(-x / \tau)`: never negative, and 1 in sum,
    so that how hard a line is pulled does not depend on the temperature. A high one gives the
    mean, a low one the minimum.

    Args:
        values: One per position ``(..., position)``.
        mask: Which positions count ``(..., position)``; all if None.
        temperature: In the unit of the values, above 0.

    Returns:
        ``(...)``, one per line, between its minimum and its mean.

    Raises:
        ValueError: If there is no position, or the mask has another shape or other whole numbers
            than 0 and 1.
        TypeError: If values are integers, or the mask is soft.

    References:
        Mellowmax, of the values' negatives: Asadi and Littman, "An Alternative Softmax Operator
        for Reinforcement Learning", ICML 2017.

    Examples:
        >>> import torch
        >>> x = torch.tensor([0.0, 1.0])
        >>> [round(float(soft_minimum(x, temperature=t)), 3) for t in (0.01, 1.0, 100.0)]
        [0.007, 0.38, 0.499]
    """
    inside, values = checked(values, mask)
    # the result does not depend on what is taken out, and so neither does its gradient
    least = min_pool(values, mask).detach()
    above = torch.where(inside, values, least.unsqueeze(-1)) - least.unsqueeze(-1)
    # expm1 and log1p: at high temperatures every exponential is nearly 1
    lacking = torch.expm1(-above / temperature).sum(-1) / counted(inside)
    return least - temperature * torch.log1p(lacking)


class SoftMinimum(nn.Module):
    """:func:`soft_minimum` as a module, which is known as mellowmax.

    Args:
        temperature: In the unit of the values: high for the mean, low for the minimum.

    Raises:
        ValueError: If the temperature is not a number from 1e-12 to 1e12.

    Examples:
        >>> import torch
        >>> SoftMinimum(temperature=0.01)(torch.tensor([[1.0, 1.0], [0.5, 9.0]]))
        tensor([1.0000, 0.5069])
    """

    def __init__(self, temperature: float) -> None:
        super().__init__()
        check_between("The temperature", temperature, 1e-12, 1e12)
        self.temperature = temperature

    @override
    def forward(self, values: Values, mask: Mask | None = None) -> PerSample:
        """Soft minimum over the positions that count.

        Args:
            values: One per position ``(..., position)``.
            mask: Which positions count ``(..., position)``; all if None.

        Returns:
            ``(...)``, one per line.

        Examples:
            >>> import torch
            >>> line, nobody = torch.tensor([1.0, 2.0]), torch.tensor([False, False])
            >>> SoftMinimum(1.0)(line, nobody)
            tensor(0.)
        """
        return soft_minimum(values, mask, self.temperature)

    @override
    def extra_repr(self) -> str:
        return f"temperature={self.temperature:g}"
