"""Gaps: the sectors of the plane of hue that some colors leave empty."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from latent_anchors._sites import At
from latent_anchors.evaluation._wheel import PLANE, rank_correlation, wheel


def hue_gaps(
    model: nn.Module,
    colors: Float[Tensor, "n 3"],
    plane: tuple[int, int] = PLANE,
    at: At = "latent",
) -> Float[Tensor, "runs n"]:
    """The angle in degrees from each color on, round the wheel, up to the next color there is.

    Round the wheel is the way that :func:`hue_order` tells, and the next color is the next on the
    wheel, whatever its hue. The widest gap of a run is ``hue_gaps(...).amax(1)``, and ``argmax(1)``
    is the color after which it opens. NaN in a run one of whose latents is.

    Args:
        model: A model or a population.
        colors: RGB ``(n, 3)``, in [0, 1], in the order of their hues.
        plane: The two latent dimensions that hold hue.
        at: The site.

    Returns:
        ``(runs, n)``, from 0 to 360; each run's add up to 360.

    Raises:
        ValueError: If the site does not exist.

    Examples:
        >>> from latent_anchors.colorspace import named_colors
        >>> from latent_anchors.models import SphericalAutoencoder
        >>> gaps = hue_gaps(SphericalAutoencoder(), named_colors("red", "green", "blue"))
        >>> gaps.shape, round(gaps.sum().item(), 3)
        (torch.Size([1, 3]), 360.0)
    """
    _, angles = wheel(model, plane, at, colors)
    backward = rank_correlation(angles).unsqueeze(-1) < 0
    forward, place = torch.where(backward, -angles, angles).sort(-1)
    following = torch.cat([forward[:, 1:], forward[:, :1] + math.tau], dim=-1)
    gaps = torch.empty_like(forward).scatter(-1, place, following - forward)
    # where one angle is missing, so is what lies next to it
    known = angles.isfinite().all(-1, keepdim=True)
    return torch.where(known, gaps * (360 / math.tau), math.nan)
