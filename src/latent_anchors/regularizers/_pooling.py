"""Pooling: from the values of several positions to one per line."""

import math

import torch
from jaxtyping import Bool, Float, Int, Integer
from torch import Tensor, nn
from typing_extensions import override

from latent_anchors._checks import check_between
from latent_anchors._numerics import in_full_precision
from latent_anchors._supervision import as_mask
from latent_anchors._typing import PerSample

Values = Float[Tensor, "*line position"]
Mask = Bool[Tensor, "*line position"] | Integer[Tensor, "*line position"]


def mean_pool(values: Values, mask: Mask | None = None) -> PerSample:
    """Mean over the positions that count; 0 where none does.

    Args:
        values: One per position ``(..., position)``.
        mask: Which positions count ``(..., position)``; all if None.

    Returns:
        ``(...)``, one per line.

    Raises:
        ValueError: If there is no position, or the mask has another shape or other whole numbers
            than 0 and 1.
        TypeError: If values are integers, or the mask is soft.

    Examples:
        >>> import torch
        >>> mean_pool(torch.tensor([1.0, 3.0, 8.0]), torch.tensor([True, True, False]))
        tensor(2.)
    """
    inside, values = checked(values, mask)
    # divided first: the sum of large values would overflow
    return (torch.where(inside, values, 0.0) / counted(inside).unsqueeze(-1)).sum(-1)


def max_pool(values: Values, mask: Mask | None = None) -> PerSample:
    """Greatest of the positions that count; 0 where none does. Ties share the gradient.

    Args:
        values: One per position ``(..., position)``.
        mask: Which positions count ``(..., position)``; all if None.

    Returns:
        ``(...)``, one per line.

    Raises:
        ValueError: If there is no position, or the mask has another shape or other whole numbers
            than 0 and 1.
        TypeError: If values are integers, or the mask is soft.

    Examples:
        >>> import torch
        >>> max_pool(torch.tensor([1.0, 3.0, 8.0]), torch.tensor([True, True, False]))
        tensor(3.)
    """
    inside, values = checked(values, mask)
    return torch.where(inside.any(-1), torch.where(inside, values, -math.inf).amax(-1), 0.0)


def min_pool(values: Values, mask: Mask | None = None) -> PerSample:
    """Least of the positions that count; 0 where none does. Ties share the gradient.

    Args:
        values: One per position ``(..., position)``.
        mask: Which positions count ``(..., position)``; all if None.

    Returns:
        ``(...)``, one per line.

    Raises:
        ValueError: If there is no position, or the mask has another shape or other whole numbers
            than 0 and 1.
        TypeError: If values are integers, or the mask is soft.

    Examples:
        >>> import torch
        >>> min_pool(torch.tensor([1.0, 3.0, -8.0]), torch.tensor([True, True, False]))
        tensor(1.)
    """
    inside, values = checked(values, mask)
    return torch.where(inside.any(-1), torch.where(inside, values, math.inf).amin(-1), 0.0)


def checked(values: Values, mask: Mask | None) -> tuple[Mask, Values]:
    """Which positions count, and the values in full precision."""
    if values.ndim == 0 or values.shape[-1] == 0:
        raise ValueError(
            f"A pooling was given values of shape {tuple(values.shape)}; expected (..., position) "
            "with at least one position. Pool a term at a site that has positions."
        )
    if not values.is_floating_point():
        raise TypeError(
            f"A pooling was given values of type {values.dtype}; expected floating point. "
            "Pool what a penalty returns."
        )
    if mask is None:
        return torch.ones_like(values, dtype=torch.bool), in_full_precision(values)
    mask = as_mask("The mask of a pooling", mask, values.device)
    if mask.shape != values.shape:
        raise ValueError(
            f"A pooling was given a mask of shape {tuple(mask.shape)} and values of shape "
            f"{tuple(values.shape)}; expected the same, since nothing is broadcast. "
            "Give one entry for each position of each line."
        )
    return mask, in_full_precision(values)


def counted(inside: Mask) -> Int[Tensor, "*line"]:
    """How many positions count; 1 where none does, for quotients."""
    return inside.sum(-1).clamp_min(1)


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
        ValueError: If there is no position, the mask has another shape or other whole numbers than
            0 and 1, or the temperature is not a number from 1e-12 to 1e12.
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
    check_temperature(temperature)
    inside, values = checked(values, mask)
    # the result does not depend on what is taken out, and so neither does its gradient
    least = min_pool(values, mask).detach()
    above = torch.where(inside, values, least.unsqueeze(-1)) - least.unsqueeze(-1)
    # expm1 and log1p: at high temperatures every exponential is nearly 1
    lacking = torch.expm1(-above / temperature).sum(-1) / counted(inside)
    return least - temperature * torch.log1p(lacking)


def check_temperature(temperature: float) -> None:
    """Refuse one that would give a maximum, or divide by 0."""
    check_between("The temperature", temperature, 1e-12, 1e12)


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
        check_temperature(temperature)
        self.temperature = temperature

    @override
    def forward(self, values: Values, mask: Mask | None = None) -> PerSample:
        """Soft minimum ``(...)`` of values ``(..., position)`` over the positions that count."""
        return soft_minimum(values, mask, self.temperature)

    @override
    def extra_repr(self) -> str:
        return f"temperature={self.temperature:g}"
