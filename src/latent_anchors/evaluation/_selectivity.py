"""Selectivity: how far damage follows similarity to the concept."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from latent_anchors._checks import check_finite
from latent_anchors._numerics import ordinary
from latent_anchors.colorspace import hsv_similarity, named_colors, rgb_grid, vibrancy
from latent_anchors.evaluation._errors import color_errors


def selectivity_r2(model: nn.Module, concept: str, exponent: float = 2.0) -> Float[Tensor, " runs"]:
    r"""Share of the error's variance that similarity to the concept explains.

    .. math:: r^2, \quad r = \mathrm{corr}(e(x), s(x)^p)

    over the 8x8x8 RGB grid, with the error :math:`e` of each color, its similarity :math:`s` to the
    concept and the ``exponent`` :math:`p`: 2 for what is muted, 3 for what is removed. 0 where
    :math:`r` is negative, and where either is constant.

    Args:
        model: A model or a population, with the edit in force.
        concept: One of the named colors.
        exponent: Of the similarity.

    Returns:
        ``(runs,)``, from 0 to 1.

    Raises:
        ValueError: If there is no such color or the exponent is not finite.

    References:
        The score of the color experiments 2.4.1 and 2.9.1 of ``ex-preppy`` (2025), which ignores
        the sign.

    Examples:
        >>> selectivity_r2(nn.Identity(), "red")
        tensor([0.])
    """
    check_finite("exponent", exponent)
    grid = rgb_grid(8)
    errors = color_errors(model, grid)
    similarity = hsv_similarity(grid, named_colors(concept)).to(errors) ** exponent
    return explained(errors, similarity.expand_as(errors))


def vibrancy_r2(model: nn.Module, exponent: float = 2.3) -> Float[Tensor, " runs"]:
    r"""Share of the error's variance that vibrancy explains, where all hues were taken out.

    .. math:: r^2, \quad r = \mathrm{corr}(e(x), v(x)^p)

    over the 8x8x8 RGB grid, with the error :math:`e` of each color, its vibrancy :math:`v`,
    saturation times value, and the ``exponent`` :math:`p`. 0 where :math:`r` is negative, and where
    either is constant.

    Args:
        model: A model or a population, with the edit in force.
        exponent: Of the vibrancy.

    Returns:
        ``(runs,)``, from 0 to 1.

    Raises:
        ValueError: If the exponent is not finite.

    References:
        The score of the color experiment 2.7.1 of ``ex-preppy`` (2025), which ignores the sign.

    Examples:
        >>> vibrancy_r2(nn.Identity())
        tensor([0.])
    """
    check_finite("exponent", exponent)
    grid = rgb_grid(8)
    errors = color_errors(model, grid)
    return explained(errors, (vibrancy(grid).to(errors) ** exponent).expand_as(errors))


def explained(
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
        >>> explained(errors, errors.sqrt()).round(decimals=2), explained(errors, -errors)
        (tensor(0.9200), tensor(0.))
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
