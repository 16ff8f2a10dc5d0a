"""A smooth gate between two angles."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from latent_anchors._checks import check_between
from latent_anchors._typing import PerSample


@dataclass(frozen=True)
class ConeFalloff:
    r"""Everything within one angle, nothing from another on, minimum jerk between them.

    .. math::
        g = 10 p^3 - 15 p^4 + 6 p^5, \qquad
        p = \frac{\theta_o - \arccos \alpha}{\theta_o - \theta_i} \text{ within } [0, 1]

    with the angles ``inner`` :math:`\theta_i` and ``outer`` :math:`\theta_o`: smooth to the second
    derivative, whose width is the same wherever in the latent space the concept lies.

    Args:
        inner: Degrees from the direction within which the edit acts in full; at least 0.
        outer: Degrees from which on it does nothing; above ``inner``, at most 180.

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
