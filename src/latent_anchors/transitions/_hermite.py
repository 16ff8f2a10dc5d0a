"""Easings that can pass through their ends with a slope: cubic and quintic Hermite polynomials."""

from typing_extensions import Protocol, runtime_checkable

from latent_anchors._checks import check_between
from latent_anchors.transitions._easing import (
    Progress,
    Transition,
    clamped,
    minimum_jerk,
    minimum_jerk_factor,
    smoothstep,
)


def pchip(progress: Progress) -> Progress:
    """Cubic pieces through a track's keys, with continuous velocity.

    A track passes through each inner key with the slope that keeps it monotone where the keys are;
    :func:`hermite` is such a piece. Alone, with slope 0 at both ends, it is :func:`smoothstep`.

    Args:
        progress: Of shape ``(...)`` or a number, from 0 to 1.

    Returns:
        The same shape, from 0 to 1.

    Examples:
        >>> [pchip(tau) for tau in (0.0, 0.25, 1.0)]
        [0.0, 0.15625, 1.0]
    """
    return smoothstep(progress)


def quintic(progress: Progress) -> Progress:
    """Quintic pieces through a track's keys, with continuous velocity and no acceleration there.

    A track passes through each inner key with the slope of :func:`pchip` or a gentler one. Alone,
    with slope 0 at both ends, it is :func:`minimum_jerk`.

    Args:
        progress: Of shape ``(...)`` or a number, from 0 to 1.

    Returns:
        The same shape, from 0 to 1.

    Examples:
        >>> [quintic(tau) for tau in (0.0, 0.25, 1.0)]
        [0.0, 0.103515625, 1.0]
    """
    return minimum_jerk(progress)


def max_slope(transition: Transition) -> float:
    r"""The largest slope at an end with which a transition stays monotone.

    It holds whatever the slope at the other end. A cubic turns back above 3. The derivative of a
    quintic whose ends have slopes :math:`\alpha` and :math:`\beta` and no acceleration has the
    Bernstein coefficients

    .. math:: \alpha,\ \alpha,\ 5 - 2\alpha - 2\beta,\ \beta,\ \beta

    none of which is negative up to 5/4. All other transitions end with slope 0 and give 0.

    References:
        Fritsch & Carlson, Monotone Piecewise Cubic Interpolation, SIAM J. Numer. Anal. 17, 1980;
        Dougherty, Edelman & Hyman, Nonnegativity-, Monotonicity-, or Convexity-Preserving Cubic
        and Quintic Hermite Interpolation, Math. Comp. 52, 1989.

    Examples:
        >>> [max_slope(each) for each in (pchip, quintic, minimum_jerk)]
        [3.0, 1.25, 0.0]
    """
    return 3.0 if transition is pchip else 1.25 if transition is quintic else 0.0


@runtime_checkable
class Piece(Protocol):
    """A transition for a number or an array."""

    def __call__(self, progress: Progress, /) -> Progress:
        """Eased progress."""
        ...


def hermite(transition: Transition, start: float, end: float) -> Piece:
    r"""The polynomial of :func:`pchip` or :func:`quintic` with given slopes at its ends.

    .. math::
        \alpha\tau + (3 - 2\alpha - \beta)\tau^2 + (\alpha + \beta - 2)\tau^3
        \\
        \alpha\tau + (10 - 6\alpha - 4\beta)\tau^3 + (8\alpha + 7\beta - 15)\tau^4
        + (6 - 3\alpha - 3\beta)\tau^5

    with the slopes :math:`\alpha` at the ``start`` and :math:`\beta` at the ``end``.

    Args:
        transition: :func:`pchip` or :func:`quintic`.
        start: Slope at the start, from 0 to :func:`max_slope`.
        end: Slope at the end, in the same range.

    Raises:
        ValueError: If it is another transition, or a slope is out of its range.

    References:
        Dougherty, Edelman & Hyman, Math. Comp. 52, 1989: Hermite interpolation of both degrees.

    Examples:
        >>> [hermite(quintic, 1.0, 1.0)(tau) for tau in (0.0, 0.25, 1.0)]
        [0.0, 0.25, 1.0]
    """
    if transition not in (pchip, quintic):
        raise ValueError(
            f"The transition is {transition!r}; expected pchip or quintic, whose ends can have "
            "slopes."
        )
    most = max_slope(transition)
    check_between("The slope at the start", start, 0.0, most)
    check_between("The slope at the end", end, 0.0, most)
    return _quintic(start, end) if transition is quintic else _cubic(start, end)


def _cubic(start: float, end: float) -> Piece:
    """Smoothstep plus a term that vanishes at both ends, so the ends are exact."""
    bend = start + end

    def piece(progress: Progress) -> Progress:
        tau = clamped(progress)
        return clamped(tau * (tau * (3.0 - 2.0 * tau) + (1.0 - tau) * (start - bend * tau)))

    return piece


def _quintic(start: float, end: float) -> Piece:
    """Minimum jerk plus a term that vanishes at both ends."""

    def piece(progress: Progress) -> Progress:
        tau = clamped(progress)
        left, square = 1.0 - tau, tau * tau
        ends = start * left * left * (1.0 + 3.0 * tau) - end * square * (4.0 - 3.0 * tau)
        return clamped(tau * (square * minimum_jerk_factor(tau) + left * ends))

    return piece
