"""Easing functions, each for a number or an array."""

import math
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Protocol, runtime_checkable

Progress = TypeVar("Progress", float | int, NDArray[np.float64])


@runtime_checkable
class Transition(Protocol):
    """A function from progress in [0, 1] to progress in [0, 1].

    Any function that maps 0 to 0 and 1 to 1 is a transition; in between it may overshoot.

    Examples:
        >>> isinstance(lambda progress: progress**2, Transition)
        True
    """

    def __call__(self, progress: float, /) -> float | int:
        """Eased progress."""
        ...


def clamped(progress: Progress) -> Progress:
    """Progress within [0, 1]."""
    if isinstance(progress, np.ndarray):
        return np.minimum(np.maximum(progress, 0.0), 1.0)
    return 0.0 if progress <= 0.0 else 1.0 if progress >= 1.0 else progress  # pyright: ignore[reportReturnType] -- an int's end is a float


def linear(progress: Progress) -> Progress:
    """Constant speed: progress itself, clamped to [0, 1].

    Args:
        progress: Of shape ``(...)`` or a number, from 0 to 1.

    Returns:
        The same shape, from 0 to 1.

    Examples:
        >>> [linear(tau) for tau in (-1.0, 0.25, 2.0)]
        [0.0, 0.25, 1.0]
    """
    return clamped(progress)


def smoothstep(progress: Progress) -> Progress:
    r"""The cubic with zero velocity at both ends.

    .. math:: 3\tau^2 - 2\tau^3

    where :math:`\tau` is ``progress``, clamped to [0, 1].

    Args:
        progress: Of shape ``(...)`` or a number, from 0 to 1.

    Returns:
        The same shape, from 0 to 1.

    References:
        Ebert, Musgrave, Peachey, Perlin & Worley, Texturing and Modeling, 2003, chapter 2:
        the cubic Hermite blend of 0 and 1.

    Examples:
        >>> [smoothstep(tau) for tau in (0.0, 0.25, 1.0)]
        [0.0, 0.15625, 1.0]
    """
    tau = clamped(progress)
    return clamped(tau * tau * (3.0 - 2.0 * tau))


def minimum_jerk(progress: Progress) -> Progress:
    r"""The quintic with zero velocity and acceleration at both ends.

    .. math:: 10\tau^3 - 15\tau^4 + 6\tau^5

    where :math:`\tau` is ``progress``, clamped to [0, 1].

    Args:
        progress: Of shape ``(...)`` or a number, from 0 to 1.

    Returns:
        The same shape, from 0 to 1.

    References:
        Flash & Hogan, The coordination of arm movements, J. Neurosci. 5, 1985: the trajectory
        that minimizes the integral of squared jerk.

    Examples:
        >>> [minimum_jerk(tau) for tau in (0.0, 0.25, 0.5, 1.0)]
        [0.0, 0.103515625, 0.5, 1.0]
    """
    tau = clamped(progress)
    # near the end the polynomial can round to just above 1, and a falling weight to below 0
    return clamped(tau * tau * tau * minimum_jerk_factor(tau))


def minimum_jerk_factor(tau: Progress) -> Progress:
    """What :func:`minimum_jerk` multiplies the cube of its progress with."""
    return 10.0 + tau * (6.0 * tau - 15.0)


def cosine(progress: Progress) -> Progress:
    r"""Half a period of a cosine, with zero velocity at both ends.

    .. math:: \tfrac12 (1 - \cos \pi\tau)

    where :math:`\tau` is ``progress``, clamped to [0, 1].

    Args:
        progress: Of shape ``(...)`` or a number, from 0 to 1.

    Returns:
        The same shape, from 0 to 1.

    References:
        Loshchilov & Hutter, SGDR, 2017, equation 5, for one descent.

    Examples:
        >>> [round(cosine(tau), 6) for tau in (0.0, 0.25, 0.5, 1.0)]
        [0.0, 0.146447, 0.5, 1.0]
    """
    tau = clamped(progress)
    if isinstance(tau, np.ndarray):
        return 0.5 * (1.0 - np.cos(math.pi * tau))
    return 0.5 * (1.0 - math.cos(math.pi * tau))


def step_end(progress: Progress) -> Progress:
    """A step: 0 until the end, where it jumps to 1.

    Args:
        progress: Of shape ``(...)`` or a number, from 0 to 1.

    Returns:
        The same shape: 1 where progress has reached 1, else 0.

    Examples:
        >>> [step_end(tau) for tau in (0.0, 0.999, 1.0)]
        [0.0, 0.0, 1.0]
    """
    return clamped(progress) // 1.0
