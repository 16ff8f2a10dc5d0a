"""Transitions that need not rest at their ends: those that pass through a key with a slope."""

from typing_extensions import Protocol, runtime_checkable

from latent_anchors._checks import check_between
from latent_anchors.transitions._easing import Progress, clamped, minimum_jerk, smoothstep
from latent_anchors.transitions._transition import Transition


def pchip(progress: Progress) -> Progress:
    """Through the keys of a track by cubics, of one speed on either side.

    In a track it passes through each key between two others, at the slope that keeps it monotone
    where the keys are; :func:`hermite` tells how. Alone, at rest at both ends, it is
    :func:`smoothstep`.

    Args:
        progress: of shape ``(...)`` or a number, from 0 to 1.

    Returns:
        The same shape, from 0 to 1.

    Examples:
        >>> [pchip(tau) for tau in (0.0, 0.25, 1.0)]
        [0.0, 0.15625, 1.0]
    """
    return smoothstep(progress)


def quintic(progress: Progress) -> Progress:
    """Through the keys of a track by quintics, of one speed on either side, and no acceleration.

    In a track it passes through each key between two others, at the slope of :func:`pchip` or a
    gentler one. Alone, at rest at both ends, it is :func:`minimum_jerk`.

    Args:
        progress: of shape ``(...)`` or a number, from 0 to 1.

    Returns:
        The same shape, from 0 to 1.

    Examples:
        >>> [quintic(tau) for tau in (0.0, 0.25, 1.0)]
        [0.0, 0.103515625, 1.0]
    """
    return minimum_jerk(progress)


def max_slope(transition: Transition) -> float:
    r"""The slope at an end up to which a transition never turns back, whatever the other end's.

    A cubic turns back above 3. The derivative of a quintic whose ends have slopes :math:`\alpha`
    and :math:`\beta` and no acceleration has the Bernstein coefficients

    .. math:: \alpha,\ \alpha,\ 5 - 2\alpha - 2\beta,\ \beta,\ \beta

    none of which is negative up to 5/4. What rests at its ends has 0.

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
class Passage(Protocol):
    """A transition on a number or on an array of them."""

    def __call__(self, progress: Progress, /) -> Progress:
        """Progress made."""
        ...


def hermite(transition: Transition, start: float, end: float) -> Passage:
    r""":func:`pchip` or :func:`quintic` with slopes at its ends.

    .. math::
        \alpha\tau + (3 - 2\alpha - \beta)\tau^2 + (\alpha + \beta - 2)\tau^3
        \\
        \alpha\tau + (10 - 6\alpha - 4\beta)\tau^3 + (8\alpha + 7\beta - 15)\tau^4
        + (6 - 3\alpha - 3\beta)\tau^5

    with the slopes :math:`\alpha` at the ``start`` and :math:`\beta` at the ``end``.

    Args:
        transition: one that can pass through its ends.
        start: from 0 to :func:`max_slope`.
        end: the same.

    Raises:
        ValueError: if a slope is none that the transition can have.

    References:
        Dougherty, Edelman & Hyman, Math. Comp. 52, 1989: Hermite interpolation of both degrees.

    Examples:
        >>> [hermite(quintic, 1.0, 1.0)(tau) for tau in (0.0, 0.25, 1.0)]
        [0.0, 0.25, 1.0]
    """
    most = max_slope(transition)
    check_between("The slope at the start", start, 0.0, most)
    check_between("The slope at the end", end, 0.0, most)
    return _quintic(start, end) if transition is quintic else _cubic(start, end)


def _cubic(start: float, end: float) -> Passage:
    """What rests at both ends, and slopes that vanish at both: so the ends stay exact."""
    bend = start + end

    def through(progress: Progress) -> Progress:
        tau = clamped(progress)
        return clamped(tau * (tau * (3.0 - 2.0 * tau) + (1.0 - tau) * (start - bend * tau)))

    return through


def _quintic(start: float, end: float) -> Passage:
    def through(progress: Progress) -> Progress:
        tau = clamped(progress)
        left, square = 1.0 - tau, tau * tau
        ends = start * left * left * (1.0 + 3.0 * tau) - end * square * (4.0 - 3.0 * tau)
        return clamped(tau * (square * (10.0 + tau * (6.0 * tau - 15.0)) + left * ends))

    return through
