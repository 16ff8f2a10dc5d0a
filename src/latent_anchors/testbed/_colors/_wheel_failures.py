"""Crumpling: color wheels out of order, and colors not learned."""

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from latent_anchors._numerics import missing
from latent_anchors._sites import At
from latent_anchors._typing import PerSample
from latent_anchors.colorspace import hue_distance, rgb_grid
from latent_anchors.testbed._colors._color_errors import color_errors
from latent_anchors.testbed._colors._wheel import PLANE, wheel

CLEAN = 1e-3
"""The error above which a network counts as crumpled, whatever its wheel."""


def disordered(
    model: nn.Module,
    plane: tuple[int, int] = PLANE,
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
    plane: tuple[int, int] = PLANE,
    at: At = "latent",
    learned: Float[Tensor, "n 3"] | None = None,
) -> Bool[Tensor, " runs"]:
    """Whether the color wheel is out of order or colors are not learned.

    Clean means: the wheel is not :func:`disordered`, and the mean error over the colors to be
    learned is at most 0.001, which NaN is not.

    Args:
        model: A model or a population.
        plane: The two latent dimensions that hold hue.
        at: The site.
        learned: RGB ``(n, 3)``, in [0, 1], which it was to learn; the 8x8x8 RGB grid if None.

    Returns:
        ``(runs,)``.

    Examples:
        >>> from latent_anchors.models import SphericalAutoencoder
        >>> crumpled(SphericalAutoencoder())
        tensor([True])
    """
    errors = color_errors(model, rgb_grid(8) if learned is None else learned)
    return ~(errors.mean(1) <= CLEAN) | disordered(model, plane, at)


def goes_round_once(angles: Float[Tensor, "*batch n"]) -> Tensor:
    """Whether angles ``(..., n)`` in radians all step one way and close after one turn."""
    steps = torch.remainder(angles.roll(-1, -1) - angles + torch.pi, 2 * torch.pi) - torch.pi
    one_way = (steps > 0).all(-1) | (steps < 0).all(-1)
    return one_way & ((steps.sum(-1).abs() - 2 * torch.pi).abs() < 1e-3)


DRIFTED = 15.0
"""Degrees from which on a color is no longer where it was: halfway to the next named hue."""


def drift(
    before: Float[Tensor, "*batch n dim"],
    after: Float[Tensor, "..."],
    plane: tuple[int, int] = PLANE,
) -> PerSample:
    """Degrees by which that color has moved round the plane of hue which moved most.

    No rotation is taken out first, as a concept is looked for where it lay. How far the wheel has
    turned as a whole is the change of :func:`hue_turn`.

    Args:
        before: The colors' latents at one moment, ``(..., n, dim)``, such as :func:`latents` gives.
        after: Those of the same colors at another, ``(..., n, dim)``.
        plane: The two latent dimensions that hold hue.

    Returns:
        From 0 to 180, ``(...)``, one for each run; NaN where a latent is not finite.

    Raises:
        ValueError: If the two differ in shape.

    Examples:
        >>> here, there = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, -3.0]])
        >>> drift(here, there)
        tensor(90.)
    """
    if before.shape != after.shape:
        raise ValueError(
            f"The latents have shapes {tuple(before.shape)} and {tuple(after.shape)}; expected the "
            "same colors of the same runs. Give both moments the same colors."
        )
    x, y = (missing(torch.stack([before, after])[..., dim]) for dim in plane)
    was, now = torch.atan2(y, x) / math.tau
    return 360 * hue_distance(now, was).amax(-1)


def drifted(
    before: Float[Tensor, "*batch n dim"],
    after: Float[Tensor, "..."],
    plane: tuple[int, int] = PLANE,
) -> Bool[Tensor, "*batch"]:
    """Whether a color has moved more than 15 degrees round the plane of hue.

    Args:
        before: The colors' latents at one moment, ``(..., n, dim)``, such as :func:`latents` gives.
        after: Those of the same colors at another, ``(..., n, dim)``.
        plane: The two latent dimensions that hold hue.

    Returns:
        ``(...)``, one for each run; true where a latent is NaN, of which nobody can say that it
        has not.

    Raises:
        ValueError: If the two differ in shape.

    Examples:
        >>> here, there = torch.tensor([[1.0, 0.0]]), torch.tensor([[1.0, 0.2]])
        >>> drifted(here, there)
        tensor(False)
    """
    return ~(drift(before, after, plane) <= DRIFTED)
