"""How much a color is like a concept's: what damage should follow."""

from jaxtyping import Float
from torch import Tensor

from latent_anchors.colorspace._hsv import rgb_to_hsv
from latent_anchors.colorspace._hues import hue_distance
from latent_anchors.colorspace._planes import planes
from latent_anchors.colorspace._precision import in_single


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
