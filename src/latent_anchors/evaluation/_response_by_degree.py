"""How often answers are right, by how much of a concept is in the question."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from latent_anchors._checks import check_count
from latent_anchors.evaluation._intervals import wilson_interval


@dataclass(frozen=True)
class DegreeBin:
    """One bin of degrees.

    Attributes:
        low: The least degree that falls into it.
        high: Where the next one begins; the last bin includes its end.
        n: Answers in it, of all runs.
        share: How many of them are right; None in an empty bin.
        ci95: Wilson's interval of the share, as if answers were independent; None likewise.

    Examples:
        >>> DegreeBin(0.0, 0.1, n=4, share=1.0, ci95=(0.51, 1.0)).n
        4
    """

    low: float
    high: float
    n: int
    share: float | None
    ci95: tuple[float, float] | None


def response_by_degree(
    right: Bool[Tensor, "*runs n"], degree: Float[Tensor, " n"], bins: int = 10
) -> tuple[DegreeBin, ...]:
    """Share of right answers in equal bins of a degree from 0 to 1, all runs together.

    Args:
        right: Whether each answer is, ``(..., n)``, such as :func:`exact_match`.
        degree: Of the concept in each line ``(n,)``, from 0 to 1: the redness of the reddest
            operand, or of the answer.
        bins: How many.

    Returns:
        The bins in order, empty ones included.

    Raises:
        TypeError: If the number of bins is not a whole number, or answers are not booleans.
        ValueError: If there are no bins, or a degree is not from 0 to 1.

    References:
        Wilson, "Probable inference, the law of succession, and statistical inference", JASA, 1927.

    Examples:
        >>> import torch
        >>> right = torch.tensor([True, True, False])
        >>> response = response_by_degree(right, torch.tensor([0.0, 0.2, 1.0]), bins=2)
        >>> [(part.n, part.share) for part in response]
        [(2, 1.0), (1, 0.0)]
    """
    check_count("bins", bins)
    if right.dtype != torch.bool:
        raise TypeError(
            f"The answers have type {right.dtype}; expected booleans, whether each is right. Write "
            "right.bool(), or compare an error with a bound."
        )
    if not bool(((degree >= 0) & (degree <= 1)).all()):
        raise ValueError(
            f"The degrees run from {degree.min():g} to {degree.max():g}; expected numbers from 0 "
            "to 1, such as hue_degree(colors, hue)."
        )
    # a degree that is the end of a bin up to rounding belongs to the next
    rounding = max(1e-6, bins * torch.finfo(degree.dtype).eps)
    index = (degree.double() * bins + rounding).long().clamp(max=bins - 1)
    return tuple(_bin(right[..., index == k], k / bins, (k + 1) / bins) for k in range(bins))


def is_monotone_decreasing(response: tuple[DegreeBin, ...]) -> bool:
    r"""Whether the share of right answers falls with the degree, within its intervals.

    .. math:: \ell_k \le p_j \quad \text{for all bins } j < k

    with the shares :math:`p` and the lower end :math:`\ell` of a bin's 95 % interval: no bin lies
    above an earlier one by more than its own interval reaches down. Empty bins say nothing.

    Args:
        response: Bins in order of degree.

    References:
        Ours: a monotone trend, tested bin against bin.

    Examples:
        >>> import torch
        >>> right = torch.tensor([True, False] * 50)
        >>> given = torch.tensor([0.0, 1.0] * 50), torch.tensor([1.0, 0.0] * 50)
        >>> [is_monotone_decreasing(response_by_degree(right, degree)) for degree in given]
        [True, False]
    """
    least = math.inf
    for part in response:
        if part.share is None or part.ci95 is None:
            continue
        # by rounding, an interval may begin above its own share where that is 0
        if min(part.ci95[0], part.share) > least:
            return False
        least = min(least, part.share)
    return True


def _bin(right: Tensor, low: float, high: float) -> DegreeBin:
    n = right.numel()
    share = float(right.double().mean()) if n else None
    return DegreeBin(low, high, n, share, None if share is None else wilson_interval(share, n))
