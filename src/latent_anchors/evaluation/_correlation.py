"""Selectivity: how far damage follows similarity to the concept."""

import torch
from jaxtyping import Float
from torch import Tensor

from latent_anchors._numerics import ordinary


def squared_correlation(
    errors: Float[Tensor, "*batch n"], predictor: Float[Tensor, "*batch n"]
) -> Float[Tensor, "*batch"]:
    r"""Share of the errors' variance that a predictor explains, if it points the right way.

    .. math:: \max(0, \mathrm{corr}(e, p))^2

    with the ``errors`` :math:`e` and the ``predictor`` :math:`p`: 0 where errors fall as the
    predictor rises, and where either is constant; NaN where one is not finite.

    Args:
        errors: ``(..., n)``.
        predictor: What they should follow, in the same shape ``(..., n)``.

    Returns:
        ``(...)``, from 0 to 1.

    References:
        Pearson, Proceedings of the Royal Society, 1895.

    Examples:
        >>> errors = torch.tensor([0.0, 1.0, 4.0])
        >>> squared_correlation(errors, torch.stack([errors.sqrt(), -errors])).round(decimals=2)
        tensor([0.9200, 0.0000])
    """
    return correlation(errors, predictor).clamp_min(0.0).square()


def correlation(
    x: Float[Tensor, "*batch n"], y: Float[Tensor, "*batch n"]
) -> Float[Tensor, "*batch"]:
    r"""Pearson's correlation along the last axis; 0 where either is constant.

    .. math:: r = \frac{\sum (x - \bar x)(y - \bar y)}{\lVert x - \bar x \rVert
        \lVert y - \bar y \rVert}

    In whatever unit, as far as the type's range goes, and exactly 0 for a constant, whose mean may
    be rounded. NaN where a value is not finite.

    Args:
        x: ``(..., n)``.
        y: ``(..., n)``.

    Returns:
        ``(...)``, from -1 to 1.

    References:
        Pearson, Proceedings of the Royal Society, 1895.

    Examples:
        >>> correlation(torch.tensor([0.0, 1.0]), torch.tensor([5.0, 3.0])).round(decimals=4)
        tensor(-1.)
    """
    x, y = centered(x), centered(y)
    square = x.square().sum(-1) * y.square().sum(-1)
    constant = square == 0
    r = (x * y).sum(-1) / torch.where(constant, 1.0, square).sqrt()
    # a correlation may exceed 1 by rounding
    return torch.where(constant, 0.0, r.clamp(-1.0, 1.0))


def centered(x: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch n"]:
    """Less the mean, at an ordinary size; a constant is exactly 0, its mean is not."""
    # the first value is taken off first: differences of equal numbers are exact
    away = ordinary(x - x[..., :1])
    return away - away.mean(-1, keepdim=True)
