"""Alignment of colors with an anchor."""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from latent_anchors._numerics import ordinary
from latent_anchors._sites import At
from latent_anchors._typing import Latents, PerSample
from latent_anchors._vectors import as_direction
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


def anchor_angle(
    model: nn.Module,
    color: str,
    direction: Sequence[float] | Tensor,
    at: At = "latent",
) -> Float[Tensor, " runs"]:
    r"""Degrees between a color's latent and an anchor.

    .. math:: 2 \, \mathrm{atan2}\big(\lVert z - r a \rVert, \lVert z + r a \rVert\big)

    with the latent :math:`z`, its length :math:`r` and the unit vector :math:`a` along
    ``direction``: exact for the smallest angles too, where the cosine of :func:`alignment` has no
    digits left. NaN for a latent at the origin, which has no direction.

    Args:
        model: A model or a population.
        color: One of the named colors.
        direction: The anchor ``(dim,)``.
        at: The site.

    Returns:
        ``(runs,)``, from 0 to 180.

    Raises:
        ValueError: If there is no such color, or the direction is zero or not finite.

    References:
        Kahan, 2006, "How futile are mindless assessments of roundoff", section 12.

    Examples:
        >>> from latent_anchors.models import SphericalAutoencoder
        >>> anchor_angle(SphericalAutoencoder(), "red", [1, 0, 0, 0]) <= 180
        tensor([True])
    """
    z = ordinary(latents(model, named_colors(color), at)[:, 0])
    r = _length(z)
    along = r.unsqueeze(-1) * as_direction(direction).to(z)
    angle = 2 * torch.atan2(_length(z - along), _length(z + along))
    return torch.where(r > 0, angle * (180 / math.pi), torch.nan)


def _length(z: Latents) -> PerSample:
    return z.square().sum(-1).sqrt()
