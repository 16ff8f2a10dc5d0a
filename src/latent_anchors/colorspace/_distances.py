"""Differences between colors: Euclidean, along a hue circle, and CIEDE2000."""

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from latent_anchors.colorspace._precision import Plane, angle, in_single, planes, root, turns

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


@in_single()
def delta_e_2000(lab: ManyColors, other: ManyColors) -> Differences:
    r"""Color difference CIEDE2000, the most even one for small differences.

    .. math::
        \Delta E_{00} = \sqrt{l^2 + c^2 + h^2 + R_T \, c h}, \quad
        l = \frac{\Delta L'}{S_L}, \quad c = \frac{\Delta C'}{S_C}, \quad h = \frac{\Delta H'}{S_H}

    where the deltas compare ``lab`` with ``other`` in lightness, chroma and hue, each divided by
    its own tolerance S, and R_T turns the ellipses of blues. All three factors k are 1.
    Symmetric. The gradient is 0 where the colors are equal; the formula itself jumps where hues
    are opposite.

    Args:
        lab: CIELAB as of `rgb_to_lab`, ``(..., 3)``.
        other: What to compare with, ``(..., 3)``.

    Returns:
        From 0, ``(...)``, in the shape that both broadcast to; 1 is about just noticeable.

    Raises:
        TypeError: The colors are not floats.
        ValueError: The last axis does not hold three channels.

    References:
        Sharma, Wu and Dalal, 2005, "The CIEDE2000 color-difference formula", eqs. 2 to 22.

    Examples:
        >>> import torch
        >>> blue = torch.tensor([50.0, 2.6772, -79.7751])
        >>> round(delta_e_2000(blue, torch.tensor([50.0, 0.0, -82.7485])).item(), 4)
        2.0425
    """
    (l1, a1, b1), (l2, a2, b2) = planes(lab), planes(other)
    # Eqs. 4 and 5: grays look closer than they are, so their red-green axis is stretched.
    stretch = 1.5 - _fullness((_length(a1, b1) + _length(a2, b2)) / 2) / 2
    a1, a2 = a1 * stretch, a2 * stretch
    c1, c2 = _length(a1, b1), _length(a2, b2)
    step, hue = _step_and_mean(angle(b1, a1, c1 <= 0), angle(b2, a2, c2 <= 0), c1 * c2 <= 0)
    chroma = (c1 + c2) / 2
    lightness = (l2 - l1) / _lightness_tolerance((l1 + l2) / 2)
    fuller = (c2 - c1) / (1 + 0.045 * chroma)
    turned = 2 * root(c1 * c2) * (math.pi * step).sin() / (1 + 0.015 * chroma * _unevenness(hue))
    blues = _rotation(hue, chroma) * fuller * turned
    return root(lightness.square() + fuller.square() + turned.square() + blues)


def _length(a: Plane, b: Plane) -> Plane:
    return root(a.square() + b.square())


def _fullness(chroma: Plane) -> Plane:
    """Square root of C^7 / (C^7 + 25^7), written so that its gradient at 0 is finite."""
    share = chroma / 25
    return share**3.5 / (1 + share**7).sqrt()


def _step_and_mean(h1: Plane, h2: Plane, gray: Bool[Tensor, "..."]) -> tuple[Plane, Plane]:
    """Eqs. 10 and 14: from the first hue to the second, and halfway; a gray has no say."""
    step = h2 - h1
    step = torch.where(step > 0.5, step - 1, torch.where(step < -0.5, step + 1, step))
    step = torch.where(gray, 0.0, step)
    return step, torch.where(gray, h1 + h2, turns(h1 + step / 2))


def _lightness_tolerance(lightness: Plane) -> Plane:
    """Eq. 16."""
    square = (lightness - 50).square()
    return 1 + 0.015 * square / (20 + square).sqrt()


def _unevenness(hue: Plane) -> Plane:
    """Eq. 15: how much coarser or finer hue is seen round the circle."""
    h = math.tau * hue
    return (
        1
        - 0.17 * (h - math.radians(30)).cos()
        + 0.24 * (2 * h).cos()
        + 0.32 * (3 * h + math.radians(6)).cos()
        - 0.20 * (4 * h - math.radians(63)).cos()
    )


def _rotation(hue: Plane, chroma: Plane) -> Plane:
    """Eqs. 17, 18 and 21: around a hue of 275 degrees, chroma and hue are not apart."""
    bump = (-((360 * hue - 275) / 25).square()).exp()
    return -2 * _fullness(chroma) * (math.radians(60) * bump).sin()
