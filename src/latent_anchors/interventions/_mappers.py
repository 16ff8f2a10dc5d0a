"""Mappers: a latent's alignment after a repulsion, as a function of the one before."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from typing_extensions import Protocol, runtime_checkable

from latent_anchors._checks import check_between
from latent_anchors._typing import PerSample
from latent_anchors.interventions._falloffs import bezier_curve, check_slopes


@runtime_checkable
class Mapper(Protocol):
    """Alignment before a repulsion to alignment after it, both per sample.

    Any function that maps cosines ``(...)`` to cosines ``(...)`` that are not greater, and works
    under ``torch.vmap``. To be saved it needs a registered name.

    Examples:
        >>> isinstance(LinearMapper(ceiling=0.5), Mapper)
        True
    """

    def __call__(self, alignment: PerSample, /) -> Float[Tensor, "*batch"]:
        """Cosines not greater than those given."""
        ...


@dataclass(frozen=True)
class LinearMapper:
    r"""Unchanged up to a threshold, then a straight line up to a ceiling at full alignment.

    .. math:: m(\alpha) = a + (b - a) \frac{\alpha - a}{1 - a} \text{ for } \alpha > a

    with the ``threshold`` :math:`a` and the ``ceiling`` :math:`b`. No latent stays closer to the
    direction than the ceiling, and the order of alignments is kept.

    Args:
        threshold: Cosine up to which nothing changes, at least 0.
        ceiling: Cosine that full alignment is mapped to, above the threshold and below 1.

    Raises:
        ValueError: If a cosine is out of its range.

    References:
        The linear mapper of the color experiment 2.1 of ``ex-preppy`` (2025).

    Examples:
        >>> LinearMapper(threshold=0.5, ceiling=0.75)(torch.tensor([-1.0, 0.5, 0.75, 1.0]))
        tensor([-1.0000,  0.5000,  0.6250,  0.7500])
    """

    threshold: float = 0.0
    ceiling: float = 0.5

    def __post_init__(self) -> None:
        _check_range(self.threshold, self.ceiling)

    def __call__(self, alignment: PerSample, /) -> Float[Tensor, "*batch"]:
        slope = (self.ceiling - self.threshold) / (1.0 - self.threshold)
        above = self.threshold + slope * (alignment - self.threshold)
        return torch.where(alignment > self.threshold, above, alignment)


@dataclass(frozen=True)
class BezierMapper:
    r"""Unchanged up to a threshold, then a smooth curve up to a ceiling at full alignment.

    A cubic Bezier curve from :math:`(a, a)` to :math:`(1, b)`, with the ``threshold`` :math:`a` and
    the ``ceiling`` :math:`b`. It leaves the threshold with slope 1, so that there is no kink. To be
    a function of the alignment it must end with at most the slope of the straight line,
    :math:`(b - a) / (1 - a)`.

    Args:
        threshold: Cosine up to which nothing changes, at least 0.
        ceiling: Cosine that full alignment is mapped to, above the threshold and below 1.
        end_slope: Slope at full alignment; 0 ends flat.

    Raises:
        ValueError: If a cosine is out of its range, or the end is too steep.

    References:
        The Bezier mapper of the color experiment 2.1 of ``ex-preppy`` (2025), which has no check.

    Examples:
        >>> curve = BezierMapper(threshold=0.0, ceiling=0.5)
        >>> curve(torch.tensor([-1.0, 0.0, 0.5, 1.0])).round(decimals=3)
        tensor([-1.0000,  0.0000,  0.3830,  0.5000])
    """

    threshold: float = 0.0
    ceiling: float = 0.5
    end_slope: float = 0.0

    def __post_init__(self) -> None:
        _check_range(self.threshold, self.ceiling)
        chord = (self.ceiling - self.threshold) / (1.0 - self.threshold)
        check_slopes(1.0, self.end_slope, chord)

    def __call__(self, alignment: PerSample, /) -> Float[Tensor, "*batch"]:
        width, height = 1.0 - self.threshold, self.ceiling - self.threshold
        x, unit = (alignment - self.threshold) / width, width / height
        curve = self.threshold + height * bezier_curve(x, unit, self.end_slope * unit)
        return torch.where(alignment > self.threshold, curve, alignment)


def _check_range(threshold: float, ceiling: float) -> None:
    check_between("threshold", threshold, 0.0, 1.0)
    check_between("ceiling", ceiling, 0.0, 1.0)
    if not threshold < ceiling < 1.0:
        raise ValueError(
            f"threshold is {threshold:g} and ceiling is {ceiling:g}; expected cosines with "
            "0 <= threshold < ceiling < 1, such as 0 and 0.5: nothing ends within 60 degrees."
        )
