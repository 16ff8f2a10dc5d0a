"""95 % intervals: Student's t for means, Wilson's for shares."""

import math
from functools import cache

from latent_anchors._checks import check_between, check_count

Z95 = 1.959963984540054
"""The normal distribution's 97.5 % point."""


def t_interval(mean: float, std: float, n: int) -> tuple[float, float] | None:
    r"""95 % interval of a mean; None for fewer than two values, which say nothing of spread.

    .. math:: \bar x \pm t_{0.975, n-1} \, s / \sqrt n

    with the ``mean``, the ``std`` :math:`s` (dividing by n - 1) and Student's :math:`t`.

    References:
        Student, "The probable error of a mean", Biometrika, 1908.

    Examples:
        >>> low, high = t_interval(10.0, 2.0, n=5)
        >>> round(low, 3), round(high, 3)
        (7.517, 12.483)
    """
    if n < 2:
        return None
    half = student_t95(n - 1) * std / math.sqrt(n)
    return mean - half, mean + half


def wilson_interval(share: float, n: int) -> tuple[float, float] | None:
    r"""95 % interval of a share, Wilson's; None without a value.

    .. math::
        \frac{p + z^2 / 2n \pm z \sqrt{p (1 - p) / n + z^2 / 4 n^2}}{1 + z^2 / n}, \quad z = 1.96

    with the ``share`` :math:`p` of ``n``; it stays within [0, 1], even if nobody or everybody did.

    Raises:
        ValueError: If the share is not from 0 to 1.

    References:
        Wilson, "Probable inference, the law of succession, and statistical inference", JASA, 1927.

    Examples:
        >>> low, high = wilson_interval(0.0, n=60)
        >>> low, round(high, 3)
        (0.0, 0.06)
    """
    check_between("share", share, 0.0, 1.0)
    if n < 1:
        return None
    center = share + Z95**2 / (2 * n)
    half = Z95 * math.sqrt(share * (1 - share) / n + Z95**2 / (4 * n**2))
    scale = 1 + Z95**2 / n
    # of nobody and of everybody the end is exact, and rounding would miss it
    low = 0.0 if share == 0 else max(0.0, (center - half) / scale)
    high = 1.0 if share == 1 else min(1.0, (center + half) / scale)
    return low, high


@cache
def student_t95(freedom: int) -> float:
    r"""Student's t for a two-sided 95 % interval, by bisecting its distribution function.

    With :math:`\theta = \arctan(t / \sqrt\nu)` the share within :math:`\pm t` is a finite sum.

    Args:
        freedom: Degrees of freedom :math:`\nu`.

    Raises:
        ValueError: If there are no degrees of freedom.
        TypeError: If they are not a whole number.

    References:
        Abramowitz and Stegun, 1964, 26.7.3 and 26.7.4.

    Examples:
        >>> round(student_t95(59), 4)
        2.001
    """
    check_count("freedom", freedom)
    low, high = 0.0, 20.0
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if _share_within(middle, freedom) < 0.95 else (low, middle)
    return (low + high) / 2


def _share_within(t: float, freedom: int) -> float:
    theta = math.atan2(t, math.sqrt(freedom))
    odd = freedom % 2
    term = math.cos(theta) if odd else 1.0
    total = 0.0
    for k in range(1 + odd, freedom, 2):
        total += term
        term *= math.cos(theta) ** 2 * k / (k + 1)
    if odd:
        return 2 / math.pi * (theta + math.sin(theta) * total)
    return math.sin(theta) * total
