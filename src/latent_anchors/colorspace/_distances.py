"""Color differences that are distances, with finite gradients where colors are equal."""

from jaxtyping import Float
from torch import Tensor

from latent_anchors.colorspace._planes import planes, root
from latent_anchors.colorspace._precision import in_single

ManyColors = Float[Tensor, "*#batch 3"]
Differences = Float[Tensor, "*#batch"]


@in_single()
def delta_e_76(lab: ManyColors, other: ManyColors) -> Differences:
    r"""Color difference CIE 1976: the distance in CIELAB.

    .. math::
        \Delta E = \sqrt{\Delta L^2 + \Delta a^2 + \Delta b^2}

    where the deltas are differences of the channels of ``lab`` and ``other``. The gradient is 0
    where the colors are equal.

    Args:
        lab: CIELAB as of `rgb_to_lab`, ``(..., 3)``.
        other: What to compare with, ``(..., 3)``.

    Returns:
        From 0, ``(...)``, in the shape that both broadcast to; 2.3 is just noticeable.

    Raises:
        TypeError: The colors are not floats.
        ValueError: The last axis does not hold three channels.

    References:
        CIE 15, 2004, "Colorimetry", eq. 8.13.

    Examples:
        >>> import torch
        >>> delta_e_76(torch.tensor([50.0, 3.0, 0.0]), torch.tensor([50.0, 0.0, 4.0])).item()
        5.0
    """
    return _distance(lab, other)


@in_single()
def delta_e_ok(oklab: ManyColors, other: ManyColors) -> Differences:
    r"""Color difference in Oklab: the distance there.

    .. math::
        \Delta E = \sqrt{\Delta L^2 + \Delta a^2 + \Delta b^2}

    where the deltas are differences of the channels of ``oklab`` and ``other``. The gradient is
    0 where the colors are equal.

    Args:
        oklab: Oklab as of `rgb_to_oklab`, ``(..., 3)``.
        other: What to compare with, ``(..., 3)``.

    Returns:
        From 0, ``(...)``, in the shape that both broadcast to; 0.02 is just noticeable.

    Raises:
        TypeError: The colors are not floats.
        ValueError: The last axis does not hold three channels.

    References:
        CSS Color Module Level 4, 2022, section 13.2, "deltaEOK".

    Examples:
        >>> import torch
        >>> delta_e_ok(torch.tensor([0.5, 0.375, 0.0]), torch.tensor([0.5, 0.0, 0.5])).item()
        0.625
    """
    return _distance(oklab, other)


def _distance(lab: ManyColors, other: ManyColors) -> Differences:
    pairs = zip(planes(lab), planes(other), strict=True)
    lightness, a, b = ((one - two).square() for one, two in pairs)
    return root(lightness + a + b)
