"""Crumpling: color wheels out of order, and colors not learnt."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from latent_anchors._sites import At
from latent_anchors.colorspace import rgb_grid
from latent_anchors.evaluation._errors import color_errors
from latent_anchors.evaluation._wheel import wheel

CLEAN = 1e-3
"""The error above which a network counts as crumpled, whatever its wheel."""


def disordered(
    model: nn.Module,
    plane: tuple[int, int] = (0, 1),
    at: At = "latent",
    colors: Float[Tensor, "n 3"] | None = None,
) -> Bool[Tensor, " runs"]:
    """Whether the color wheel is out of order, whatever the colors look like.

    Clean means: the angles of the hues in the plane of hue all step one way, each by less than half
    a turn, and go round exactly once. A wheel with a latent that is NaN is out of order.

    Args:
        model: A model or a population.
        plane: The two latent dimensions that hold hue.
        at: The site.
        colors: RGB ``(n, 3)``, in [0, 1], in the order of their hues; the twelve named hues if
            None.

    Returns:
        ``(runs,)``.

    Examples:
        >>> from latent_anchors.models import SphericalAutoencoder
        >>> disordered(SphericalAutoencoder()).shape
        torch.Size([1])
    """
    _, angles = wheel(model, plane, at, colors)
    return ~goes_round_once(angles)


def crumpled(
    model: nn.Module,
    plane: tuple[int, int] = (0, 1),
    at: At = "latent",
    learnt: Float[Tensor, "n 3"] | None = None,
) -> Bool[Tensor, " runs"]:
    """Whether the color wheel is out of order or colors are not learned.

    Clean means: the wheel is not :func:`disordered`, and the mean error over the colors to be
    learnt is at most 0.001, which NaN is not.

    Args:
        model: A model or a population.
        plane: The two latent dimensions that hold hue.
        at: The site.
        learnt: RGB ``(n, 3)``, in [0, 1], which it was to learn; the 8x8x8 RGB grid if None.

    Returns:
        ``(runs,)``.

    Examples:
        >>> from latent_anchors.models import SphericalAutoencoder
        >>> crumpled(SphericalAutoencoder())
        tensor([True])
    """
    errors = color_errors(model, rgb_grid(8) if learnt is None else learnt)
    return ~(errors.mean(1) <= CLEAN) | disordered(model, plane, at)


def goes_round_once(angles: Float[Tensor, "*batch n"]) -> Tensor:
    """Whether angles ``(..., n)`` in radians all step one way and close after one turn."""
    steps = torch.remainder(angles.roll(-1, -1) - angles + torch.pi, 2 * torch.pi) - torch.pi
    one_way = (steps > 0).all(-1) | (steps < 0).all(-1)
    return one_way & ((steps.sum(-1).abs() - 2 * torch.pi).abs() < 1e-3)
