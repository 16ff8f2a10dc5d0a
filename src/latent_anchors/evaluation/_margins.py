"""How well scores tell a concept from the others, and how far numbers follow each other."""

import torch
from jaxtyping import Float
from torch import Tensor

from latent_anchors._checks import check_between
from latent_anchors._numerics import in_full_precision, ordinary
from latent_anchors._vectors import check_floating


def auc(
    concept: Float[Tensor, "*batch k"], others: Float[Tensor, "*batch m"]
) -> Float[Tensor, "*batch"]:
    r"""Share of the pairs, one of the concept and one of the others, that are in the right order.

    .. math:: \frac{1}{k m} \sum_{i, j} [c_i > o_j] + \tfrac{1}{2} [c_i = o_j]

    with scores :math:`c` of what has the ``concept`` and :math:`o` of the ``others``, such as
    cosines with an anchor: the area under the receiver operating characteristic. 1 where the
    concept's scores are all higher, 0 where all are lower, 1/2 where scores tell nothing. NaN where
    a score is not finite.

    Args:
        concept: Scores ``(..., k)``.
        others: Scores ``(..., m)``.

    Returns:
        ``(...)``, from 0 to 1.

    Raises:
        ValueError: If there are no scores on one side.

    References:
        Mann and Whitney, 1947, "On a test of whether one of two random variables is stochastically
        larger than the other".

        Hanley and McNeil, 1982, "The meaning and use of the area under a receiver operating
        characteristic (ROC) curve".

    Examples:
        >>> auc(torch.tensor([0.9, 0.4]), torch.tensor([0.1, 0.4]))
        tensor(0.8750)
    """
    _check_both(concept, others)
    sorted_others, given = others.sort(-1).values, concept.contiguous()
    lower = torch.searchsorted(sorted_others, given)
    not_higher = torch.searchsorted(sorted_others, given, right=True)
    shares = (lower + not_higher).to(in_full_precision(concept)) / (2 * others.shape[-1])
    return torch.where(_all_finite(concept, others), shares.mean(-1), torch.nan)


def margin(
    concept: Float[Tensor, "*batch k"], others: Float[Tensor, "*batch m"], share: float = 0.95
) -> Float[Tensor, "*batch"]:
    r"""How far apart the scores of nearly all of a concept and of nearly all others lie.

    .. math:: Q_{1 - q}(c) - Q_q(o)

    with quantiles :math:`Q` of the scores :math:`c` of what has the ``concept`` and :math:`o` of
    the ``others``, and the ``share`` :math:`q`. Negative where they overlap by more than that. An
    order, as :func:`auc` tells it, may be perfect while the margin is next to nothing; an edit that
    is to spare the others needs the margin. NaN where a score is not finite.

    Args:
        concept: Scores ``(..., k)``.
        others: Scores ``(..., m)``.
        share: Of either side, how much has to keep the distance: at 1 everything, at 1/2 only the
            medians.

    Returns:
        ``(...)``, in the units of the scores.

    Raises:
        ValueError: If there are no scores on one side, or the share is not from 0.5 to 1.
        TypeError: If scores are whole numbers.

    References:
        Hyndman and Fan, 1996, "Sample quantiles in statistical packages", definition 7.

    Examples:
        >>> margin(torch.tensor([0.9, 0.7]), torch.tensor([0.1, 0.4]), share=1.0)
        tensor(0.3000)
    """
    _check_both(concept, others)
    check_between("share", share, 0.5, 1.0)
    for scores in (concept, others):
        check_floating("margin", scores, "scores")
    low = in_full_precision(concept).quantile(1 - share, dim=-1)
    high = in_full_precision(others).quantile(share, dim=-1)
    return torch.where(_all_finite(concept, others), low - high, torch.nan)


def _all_finite(concept: Tensor, others: Tensor) -> Tensor:
    return concept.isfinite().all(-1) & others.isfinite().all(-1)


def _check_both(concept: Float[Tensor, "*batch k"], others: Float[Tensor, "*batch m"]) -> None:
    """Refuse an empty side: no pair could be compared."""
    k, m = concept.shape[-1], others.shape[-1]
    if not k or not m:
        raise ValueError(
            f"There are {k} scores of the concept and {m} of the others; expected at least one of "
            "each."
        )


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

    Raises:
        ValueError: If one has more values along the last axis than the other.
        TypeError: If values are whole numbers.

    References:
        Pearson, Proceedings of the Royal Society, 1895.

    Examples:
        >>> correlation(torch.tensor([0.0, 1.0]), torch.tensor([5.0, 3.0])).round(decimals=4)
        tensor(-1.)
    """
    if x.shape[-1:] != y.shape[-1:]:
        raise ValueError(
            f"The values have shapes {tuple(x.shape)} and {tuple(y.shape)}; expected as many along "
            "the last axis, (..., n) both."
        )
    for values in (x, y):
        check_floating("correlation", values, "values")
    x, y = centered(x), centered(y)
    square = x.square().sum(-1) * y.square().sum(-1)
    constant = square == 0
    r = (x * y).sum(-1) / torch.where(constant, 1.0, square).sqrt()
    # a correlation may exceed 1 by rounding
    return torch.where(constant, 0.0, r.clamp(-1.0, 1.0))


def centered(x: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch n"]:
    """Less the mean, at an ordinary size; a constant is exactly 0, its mean is not."""
    # the first value is taken off first: differences of equal numbers are exact
    x = in_full_precision(x)
    away = ordinary(x - x[..., :1])
    return away - away.mean(-1, keepdim=True)
