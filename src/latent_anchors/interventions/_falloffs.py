"""Falloffs: how strongly an edit acts, as a function of alignment with the concept."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from typing_extensions import Protocol, runtime_checkable

from latent_anchors._checks import check_between, check_finite
from latent_anchors._typing import PerSample

PULL = 0.5**0.5
"""How far along the end tangents the inner control points of a Bezier curve lie."""

BISECTIONS = 30
"""They leave an error of 1e-9, which one step of Newton's method squares."""


@runtime_checkable
class Falloff(Protocol):
    """Alignment with the concept to the strength of an edit, both per sample.

    Any function that maps cosines ``(...)`` to numbers ``(...)`` from 0 to 1, does not decrease
    with alignment, and works under ``torch.vmap``. To be saved it needs a registered name.

    Examples:
        >>> isinstance(BoundedFalloff(power=2.0), Falloff)
        True
    """

    def __call__(self, alignment: PerSample, /) -> Float[Tensor, "*batch"]:
        """Strengths from 0 to 1."""
        ...


def constant_falloff(alignment: PerSample) -> Float[Tensor, "*batch"]:
    """Full strength at every alignment: the edit acts on all latents alike.

    Args:
        alignment: Cosines ``(...)``.

    Returns:
        Ones ``(...)``.

    Examples:
        >>> constant_falloff(torch.tensor([-1.0, 0.0, 1.0]))
        tensor([1., 1., 1.])
    """
    return torch.ones_like(alignment)


@dataclass(frozen=True)
class BoundedFalloff:
    r"""Zero up to a threshold, then a power of the alignment, 1 at full alignment.

    .. math::
        g(\alpha) = \left( \frac{\alpha - a}{1 - a} \right)^p \text{ for } \alpha > a,
        \text{ else } 0

    with the ``threshold`` :math:`a` and the ``power`` :math:`p`. Power 0 is a hard gate: full
    strength above the threshold. Power 1 is linear.

    Args:
        threshold: A cosine from -1 to below 1; 0 is a cone of 90 degrees.
        power: At least 0.

    Raises:
        ValueError: If a number is out of its range.

    References:
        The bounded falloff of the color experiment 2.1 of ``ex-preppy`` (2025).

    Examples:
        >>> BoundedFalloff(threshold=0.5, power=2.0)(torch.tensor([-0.5, 0.5, 0.75, 1.0]))
        tensor([0.0000, 0.0000, 0.2500, 1.0000])
    """

    threshold: float = 0.0
    power: float = 0.0

    def __post_init__(self) -> None:
        _check_threshold(self.threshold)
        check_finite("power", self.power)
        if self.power < 0:
            raise ValueError(
                f"power is {self.power}; expected at least 0: 0 is a hard gate, 1 is linear."
            )

    def __call__(self, alignment: PerSample, /) -> Float[Tensor, "*batch"]:
        # a cosine may exceed 1 by rounding, which a narrow range makes much of
        above = ((alignment - self.threshold) / (1.0 - self.threshold)).clamp_max(1.0)
        inside = above > 0
        if self.power == 0:
            return inside.to(alignment)
        # the branch not taken is at 1, where every power has a finite gradient
        return torch.where(inside, torch.where(inside, above, 1.0).pow(self.power), 0.0)


@dataclass(frozen=True)
class ConeFalloff:
    r"""Full strength within one angle, zero beyond another, a minimum-jerk curve between them.

    .. math::
        g = 10 p^3 - 15 p^4 + 6 p^5, \qquad
        p = \frac{\theta_o - \arccos \alpha}{\theta_o - \theta_i} \text{ within } [0, 1]

    with the angles ``inner`` :math:`\theta_i` and ``outer`` :math:`\theta_o`. The first two
    derivatives are continuous.

    Args:
        inner: Degrees from the direction within which the edit acts at full strength; at least 0.
        outer: Degrees from the direction beyond which it does nothing; above ``inner``, at most
            180.

    Raises:
        ValueError: If an angle is out of its range.

    References:
        Flash and Hogan, "The coordination of arm movements", 1985, for the minimum-jerk curve.

    Examples:
        >>> angles = torch.tensor([0.0, 10.0, 15.0, 20.0, 90.0])
        >>> ConeFalloff(inner=10.0, outer=20.0)(angles.deg2rad().cos()).round(decimals=3)
        tensor([1.0000, 1.0000, 0.5000, 0.0000, 0.0000])
    """

    inner: float
    outer: float

    def __post_init__(self) -> None:
        check_between("inner", self.inner, 0.0, 180.0)
        check_between("outer", self.outer, 0.0, 180.0)
        if self.inner >= self.outer:
            raise ValueError(
                f"inner is {self.inner:g} and outer is {self.outer:g} degrees; expected inner "
                "below outer. For a hard gate, use BoundedFalloff(threshold=cosine)."
            )

    def __call__(self, alignment: PerSample, /) -> Float[Tensor, "*batch"]:
        inner, outer = math.radians(self.inner), math.radians(self.outer)
        full = alignment >= math.cos(inner)
        between = (alignment > math.cos(outer)) & ~full
        # the branch not taken is at a right angle, where the arc cosine has a finite gradient
        angle = torch.where(between, alignment, 0.0).acos()
        p = (outer - angle) / (outer - inner)
        return torch.where(between, p**3 * (10.0 - p * (15.0 - 6.0 * p)), full.to(alignment))


@dataclass(frozen=True)
class BezierFalloff:
    r"""Zero up to a threshold, then a curve with given slopes at both ends, 1 at full alignment.

    A cubic Bezier curve from :math:`(a, 0)` to :math:`(1, 1)`, with the ``threshold`` :math:`a`.
    Slopes are those of strength against alignment. One of them must be at most that of the straight
    line, :math:`1 / (1 - a)`, and the other at least that, so that the curve bends one way only and
    is a function of the alignment.

    Args:
        threshold: A cosine from -1 to below 1.
        end_slope: At full alignment; above 1 / (1 - threshold) it is steepest there.
        start_slope: At the threshold; 0 begins smoothly.

    Raises:
        ValueError: If a number is out of its range, or both slopes are on the same side of that of
            the straight line.

    Examples:
        >>> BezierFalloff(threshold=0.5, end_slope=4.0)(torch.tensor([0.0, 0.5, 0.75, 1.0]))
        tensor([0.0000, 0.0000, 0.2348, 1.0000])
    """

    threshold: float
    end_slope: float
    start_slope: float = 0.0

    def __post_init__(self) -> None:
        _check_threshold(self.threshold)
        check_slopes(self.start_slope, self.end_slope, chord=1.0 / (1.0 - self.threshold))

    def __call__(self, alignment: PerSample, /) -> Float[Tensor, "*batch"]:
        width = 1.0 - self.threshold
        x = (alignment - self.threshold) / width
        return bezier_curve(x, self.start_slope * width, self.end_slope * width)


def bezier_curve(x: Tensor, start_slope: float, end_slope: float) -> Tensor:
    """The height over x of a cubic Bezier curve from (0, 0) to (1, 1).

    0 below 0 and 1 above 1, with finite gradients. The slopes lie on both sides of 1, that of the
    diagonal; see :func:`check_slopes`.
    """
    within = (x > 0) & (x < 1)
    corner_x, corner_y = _corner(start_slope, end_slope)
    t = _parameter(torch.where(within, x, 0.5), corner_x)
    return torch.where(within, _coordinate(t, corner_y), (x > 0).to(x))


def check_slopes(start_slope: float, end_slope: float, chord: float) -> None:
    """Refuse slopes with which a curve would not be a function of x."""
    low, high = min(start_slope, end_slope), max(start_slope, end_slope)
    if not (0.0 <= low <= chord <= high < float("inf") and (low < high or low == chord)):
        raise ValueError(
            f"start_slope is {start_slope:g} and end_slope is {end_slope:g}, and the straight line "
            f"between the ends has slope {chord:g}; expected finite slopes of at least 0, one of "
            f"them at most {chord:g} and the other at least that, or the curve would turn back. "
            "Change a slope, or the threshold."
        )


def _corner(start_slope: float, end_slope: float) -> tuple[float, float]:
    """Where the tangents at both ends meet."""
    if 1.0 in (start_slope, end_slope):
        return 0.5, 0.5  # a straight line: any point on it
    x = (1.0 - end_slope) / (start_slope - end_slope)
    return x, start_slope * x


def _parameter(x: Tensor, corner: float) -> Tensor:
    """The parameter t at which the curve has this x, as a differentiable function of x."""
    target = x.detach()
    t = torch.full_like(target, 0.5)
    for n in range(2, BISECTIONS + 2):
        t = t + torch.where(_coordinate(t, corner) < target, 0.5**n, -(0.5**n))
    # two steps of Newton's method: the last digits and, by the implicit function theorem, the
    # first derivative and the second
    for _ in range(2):
        t = t + (x - _coordinate(t, corner)) / _derivative(t, corner)
    return t


def _coordinate(t: Tensor, corner: float) -> Tensor:
    first, second = PULL * corner, 1.0 - PULL * (1.0 - corner)
    return t * (3.0 * (1.0 - t) * ((1.0 - t) * first + t * second) + t * t)


def _derivative(t: Tensor, corner: float) -> Tensor:
    first, last = PULL * corner, PULL * (1.0 - corner)
    rest = 1.0 - t
    return 3.0 * (rest * rest * first + 2.0 * rest * t * (1.0 - PULL) + t * t * last)


def named(rule: object) -> str:
    """A falloff or mapper as printed: a function by its name."""
    return getattr(rule, "__name__", repr(rule))


def _check_threshold(threshold: float) -> None:
    check_between("threshold", threshold, -1.0, 1.0)
    if threshold == 1.0:
        raise ValueError(
            "threshold is 1.0, so the edit would never act; expected a cosine below 1, such as "
            "0.866 for a cone of 30 degrees."
        )
