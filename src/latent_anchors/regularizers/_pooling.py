"""Pooling: from the values of several positions to one per line."""

import math

import torch
from jaxtyping import Bool, Float, Int, Integer
from torch import Tensor

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
