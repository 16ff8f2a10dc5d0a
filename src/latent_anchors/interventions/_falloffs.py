"""Falloffs: how strongly an edit acts, as a function of alignment with the concept."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from typing_extensions import Protocol, runtime_checkable

from latent_anchors._checks import check_between, check_finite
from latent_anchors._typing import PerSample
from latent_anchors.interventions._bezier import ease, slope_range_error


@runtime_checkable
class Falloff(Protocol):
    """Alignment with the concept to the strength of an edit, both per sample.

    Any function will do that maps cosines ``(...)`` to numbers ``(...)`` from 0 to 1, grows with
    alignment, and works under ``torch.vmap``. To be saved it needs a registered name.

    Examples:
        >>> isinstance(BoundedFalloff(power=2.0), Falloff)
        True
    """

    def __call__(self, alignment: PerSample, /) -> Float[Tensor, "*batch"]:
        """Strengths from 0 to 1."""
        ...


def constant_falloff(alignment: PerSample) -> Float[Tensor, "*batch"]:
    """The falloff that spares nothing: 1 at every alignment.

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
    r"""Nothing up to a threshold, then a power, up to 1 at full alignment.

    .. math::
        g(\alpha) = \left( \frac{\alpha - a}{1 - a} \right)^p \text{ for } \alpha > a,
        \text{ else } 0

    with the ``threshold`` :math:`a` and the ``power`` :math:`p`. Power 0 is a gate, wide open above
    the threshold; power 1 is linear.

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
        check_threshold(self.threshold)
        check_finite("power", self.power)
        if self.power < 0:
            raise ValueError(
                f"power is {self.power}; expected at least 0: 0 is a gate, 1 grows in proportion."
            )

    def __call__(self, alignment: PerSample, /) -> Float[Tensor, "*batch"]:
        above = (alignment - self.threshold) / (1.0 - self.threshold)
        inside = above > 0
        if self.power == 0:
            return inside.to(alignment)
        # the branch not taken is at 1, where every power has a finite gradient
        return torch.where(inside, torch.where(inside, above, 1.0).pow(self.power), 0.0)


@dataclass(frozen=True)
class BezierFalloff:
    r"""Nothing up to a threshold, then one curve with chosen slopes at its ends, up to 1.

    A cubic Bezier curve from :math:`(a, 0)` to :math:`(1, 1)`, with the ``threshold`` :math:`a`.
    Slopes are those of strength against alignment. One of them must be at most that of the straight
    line, :math:`1 / (1 - a)`, and the other at least, so that the curve bends one way and passes no
    alignment twice.

    Args:
        threshold: A cosine from -1 to below 1.
        end_slope: At full alignment; above 1 / (1 - threshold) it is steepest there.
        start_slope: At the threshold; 0 begins smoothly.

    Raises:
        ValueError: If a number is out of its range, or the slopes do not enclose the straight line.

    Examples:
        >>> BezierFalloff(threshold=0.5, end_slope=4.0)(torch.tensor([0.0, 0.5, 0.75, 1.0]))
        tensor([0.0000, 0.0000, 0.2348, 1.0000])
    """

    threshold: float
    end_slope: float
    start_slope: float = 0.0

    def __post_init__(self) -> None:
        check_threshold(self.threshold)
        slopes, chord = (self.start_slope, self.end_slope), 1.0 / (1.0 - self.threshold)
        if error := slope_range_error(*slopes, chord):
            raise ValueError(error)

    def __call__(self, alignment: PerSample, /) -> Float[Tensor, "*batch"]:
        width = 1.0 - self.threshold
        return ease(
            (alignment - self.threshold) / width, self.start_slope * width, self.end_slope * width
        )


def named(rule: object) -> str:
    """A falloff or mapper as it is printed: a function by its name."""
    return getattr(rule, "__name__", repr(rule))


def check_threshold(threshold: float) -> None:
    """Refuse a threshold outside of [-1, 1)."""
    check_between("threshold", threshold, -1.0, 1.0)
    if threshold == 1.0:
        raise ValueError(
            "threshold is 1.0, so that the edit would never act; expected a cosine below 1, such "
            "as 0.866 for a cone of 30 degrees."
        )
