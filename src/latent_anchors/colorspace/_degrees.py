"""How much of a concept a color has, and how near it is to one."""

from jaxtyping import Float
from torch import Tensor

from latent_anchors._checks import check_finite
from latent_anchors._typing import Colors, PerSample
from latent_anchors.colorspace._hsv_hsl import hsv_to_rgb, rgb_to_hsv
from latent_anchors.colorspace._hues import hue_distance
from latent_anchors.colorspace._precision import check_colors, in_single, planes, stack


@in_single()
def hue_degree(colors: Colors, hue: float) -> PerSample:
    r"""How much of a hue a color has: redness, and the same for any other hue.

    .. math::
        r \, (1 - g / 2 - b / 2)

    where r, g, b are the channels of ``colors``, turned so that ``hue`` becomes red. Orange has
    redness 0.75, yellow 0.5, mid-gray 0.25; white and black have none of any hue. At grays the
    slope towards a hue is known for red, green and blue alone; for others it is that of lightness.

    Args:
        colors: RGB, ``(..., 3)``, from 0 to 1.
        hue: Turns from red, any number of them; `hue_of` tells those with a name.

    Returns:
        Degrees from 0 to 1, ``(...)``.

    Raises:
        TypeError: The colors are not floats.
        ValueError: The last axis does not hold three channels, or the hue is not finite.

    References:
        The redness of the color experiments 1.7 and later of ``ex-preppy`` (2025); the turn,
        which serves every other hue, is ours.

    Examples:
        >>> import torch
        >>> orange = torch.tensor([1.0, 0.5, 0.0])
        >>> hue_degree(orange, hue=0.0).item(), hue_degree(orange, hue=1 / 12).item()
        (0.75, 1.0)
    """
    r, g, b = planes(_turned(colors, hue))
    return r * (1 - g / 2 - b / 2)


def _turned(colors: Colors, by: float) -> Colors:
    """The hue circle turned back, so that the hue at ``by`` becomes red."""
    check_finite("hue", by)
    thirds = 3 * float(by)
    if thirds == round(thirds):  # channels change places; HSV has no slope of hue at grays
        check_colors(colors)
        return colors.roll(-round(thirds) % 3, -1)
    hue, saturation, value = planes(rgb_to_hsv(colors))
    return hsv_to_rgb(stack(hue - by, saturation, value))


@in_single()
def vibrancy(colors: Colors) -> PerSample:
    r"""How vivid a color is, saturation times value.

    .. math::
        S V = \max(r, g, b) - \min(r, g, b)

    where r, g, b are the channels of ``colors``: without a division, so that black needs no care.

    Args:
        colors: RGB, ``(..., 3)``, from 0 to 1.

    Returns:
        From 0, for grays, to 1, ``(...)``.

    Raises:
        TypeError: The colors are not floats.
        ValueError: The last axis does not hold three channels.

    References:
        Smith, 1978, "Color gamut transform pairs", for S and V.

    Examples:
        >>> import torch
        >>> vibrancy(torch.tensor([[1.0, 0.5, 0.0], [0.5, 0.5, 0.5]])).tolist()
        [1.0, 0.0]
    """
    check_colors(colors)
    return colors.amax(-1) - colors.amin(-1)


@in_single()
def grayness(colors: Colors) -> PerSample:
    """How gray a color is: what `vibrancy` leaves.

    Args:
        colors: RGB, ``(..., 3)``, from 0 to 1.

    Returns:
        From 0 to 1, for grays, ``(...)``.

    Raises:
        TypeError: The colors are not floats.
        ValueError: The last axis does not hold three channels.

    Examples:
        >>> import torch
        >>> grayness(torch.tensor([[1.0, 0.5, 0.0], [0.5, 0.5, 0.5]])).tolist()
        [0.0, 1.0]
    """
    return 1 - vibrancy(colors)


@in_single()
def hsv_similarity(
    colors: Float[Tensor, "*#batch 3"], concept: Float[Tensor, "*#batch 3"]
) -> Float[Tensor, "*#batch"]:
    r"""How alike two colors are in hue, saturation and value; hue counts as far as it shows.

    .. math::
        (\rho \, \max(0, 1 - 4 d) + 1 - \rho) (1 - |\Delta S|) (1 - |\Delta V|), \quad
        \rho = (S_1 V_1 + S_2 V_2) / 2

    where H, S, V are those of ``colors`` and ``concept``, d is the distance of their hues in
    turns, so that hues a quarter turn apart are unlike, and the deltas are differences.
    Symmetric; 1 for equal colors, 0 for complementary pure hues and for black and white.

    Args:
        colors: RGB, ``(..., 3)``, from 0 to 1.
        concept: RGB of what to compare with, ``(..., 3)``, from 0 to 1; one for all, or one each.

    Returns:
        From 0 to 1, ``(...)``, in the shape that both broadcast to.

    Raises:
        TypeError: The colors are not floats.
        ValueError: The last axis does not hold three channels.

    References:
        The HSV similarity of the color experiments of ``ex-preppy`` (2025), its hemi-angular form.

    Examples:
        >>> import torch
        >>> red, orange, cyan = torch.tensor([[1.0, 0.0, 0.0], [1.0, 0.5, 0.0], [0.0, 1.0, 1.0]])
        >>> hsv_similarity(cyan, red).item(), round(hsv_similarity(orange, red).item(), 3)
        (0.0, 0.667)
    """
    hue, saturation, value = planes(rgb_to_hsv(colors))
    concept_hue, concept_saturation, concept_value = planes(rgb_to_hsv(concept))
    rho = (saturation * value + concept_saturation * concept_value) / 2
    alike = (1 - 4 * hue_distance(hue, concept_hue)).clamp_min(0)
    apart = (1 - (saturation - concept_saturation).abs()) * (1 - (value - concept_value).abs())
    return (rho * alike + 1 - rho) * apart
