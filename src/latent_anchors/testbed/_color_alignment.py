"""Alignment of colors with an anchor."""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn

from latent_anchors._sites import At
from latent_anchors.colorspace import HUES, named_colors
from latent_anchors.evaluation import alignment, latents


def color_alignment(
    model: nn.Module,
    color: str,
    direction: Sequence[float] | Tensor,
    at: At = "latent",
) -> Float[Tensor, " runs"]:
    """Cosine between a color's latent and an anchor.

    Args:
        model: A model or a population.
        color: One of the named colors.
        direction: The anchor ``(dim,)``.
        at: The site.

    Returns:
        ``(runs,)``, from -1 to 1.

    Raises:
        ValueError: If there is no such color, or the direction is zero or not finite.

    Examples:
        >>> from latent_anchors.models import SphericalAutoencoder
        >>> color_alignment(SphericalAutoencoder(), "red", [1, 0, 0, 0]).abs() <= 1
        tensor([True])
    """
    return alignment(latents(model, named_colors(color), at)[:, 0], direction)


def hue_alignments(
    model: nn.Module, direction: Sequence[float] | Tensor, at: At = "latent"
) -> dict[str, Float[Tensor, " runs"]]:
    """Cosines between an anchor and the latents of the twelve named hues.

    Args:
        model: A model or a population.
        direction: The anchor ``(dim,)``.
        at: The site.

    Returns:
        By hue ``(runs,)``, from -1 to 1.

    Raises:
        ValueError: If the direction is zero or not finite.

    Examples:
        >>> from latent_anchors.models import SphericalAutoencoder
        >>> [*hue_alignments(SphericalAutoencoder(), [1, 0, 0, 0])][:3]
        ['red', 'orange', 'yellow']
    """
    found = alignment(latents(model, named_colors(*HUES), at), direction)
    return dict(zip(HUES, found.unbind(1), strict=True))
