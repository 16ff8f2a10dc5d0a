"""Falloffs: how strongly an edit acts, as a function of alignment with the direction."""

import torch
from jaxtyping import Float
from torch import Tensor

from latent_anchors._checks import check_between, check_finite
from latent_anchors._typing import PerSample


def bounded_falloff(
    alignment: PerSample, threshold: float = 0.0, power: float = 0.0
) -> Float[Tensor, "*batch"]:
    r"""Nothing up to a threshold, then a power, up to 1 at full alignment.

    .. math::
        g(\alpha) = \left( \frac{\alpha - a}{1 - a} \right)^p \text{ for } \alpha > a,
        \text{ else } 0

    with the ``threshold`` :math:`a` and the ``power`` :math:`p`; at power 0 it is a gate, wide open
    above the threshold.

    Args:
        alignment: Cosines ``(...)``, from -1 to 1.
        threshold: A cosine from -1 to below 1; 0 is a cone of 90 degrees.
        power: At least 0.

    Returns:
        ``(...)``, from 0 to 1.

    References:
        The bounded falloff of the color experiment 2.1 of ``ex-preppy`` (2025).

    Examples:
        >>> bounded_falloff(torch.tensor([-0.5, 0.5, 0.75, 1.0]), threshold=0.5, power=2)
        tensor([0.0000, 0.0000, 0.2500, 1.0000])
    """
    above = (alignment - threshold) / (1.0 - threshold)
    inside = above > 0
    # the branch not taken is at 1, where every power has a finite gradient
    return torch.where(inside, torch.where(inside, above, 1.0).pow(power), 0.0)


def check_falloff(threshold: float, power: float) -> None:
    """Refuse a threshold outside of [-1, 1) and a negative power."""
    check_between("threshold", threshold, -1.0, 1.0)
    if threshold == 1.0:
        raise ValueError(
            "threshold is 1.0, so that the edit would never act; expected a cosine below 1, such "
            "as 0.866 for a cone of 30 degrees."
        )
    check_finite("power", power)
    if power < 0:
        raise ValueError(
            f"power is {power}; expected at least 0: 0 is a gate, 1 grows in proportion."
        )
