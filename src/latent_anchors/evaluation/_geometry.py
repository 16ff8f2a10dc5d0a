"""Geometry: where colors came to lie."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from latent_anchors._numerics import cosine
from latent_anchors._sites import At
from latent_anchors._vectors import as_direction
from latent_anchors.colorspace import HUES, named_colors, rgb_grid
from latent_anchors.evaluation._errors import as_evaluated, color_errors, like
from latent_anchors.models import Population, record

CLEAN = 1e-3
"""The error on the grid above which a network counts as crumpled, whatever its wheel."""


def latents(
    model: nn.Module, colors: Float[Tensor, "n 3"], at: At = "latent"
) -> Float[Tensor, "runs n dim"]:
    """Latents of some colors, in evaluation mode.

    Args:
        model: A model (one run) or a population; edits in force count.
        colors: RGB ``(n, 3)``, in [0, 1].
        at: The site.

    Returns:
        ``(runs, n, dim)``.

    Raises:
        ValueError: If the site does not exist.
        RuntimeError: If the site never ran.

    Examples:
        >>> from latent_anchors.models import SphericalAutoencoder
        >>> latents(SphericalAutoencoder(), torch.rand(5, 3)).shape
        torch.Size([1, 5, 4])
    """
    with as_evaluated(model), record(model, at) as recorded:
        model(colors.to(like(model, colors)))
    z = recorded[at]
    return z if isinstance(model, Population) else z.unsqueeze(0)


def alignment(
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
        >>> alignment(SphericalAutoencoder(), "red", [1, 0, 0, 0]).abs() <= 1
        tensor([True])
    """
    z = latents(model, named_colors(color), at)[:, 0]
    return cosine(z, as_direction(direction))


def disordered(
    model: nn.Module, plane: tuple[int, int] = (0, 1), at: At = "latent"
) -> Float[Tensor, " runs"]:
    """1 where the color wheel is out of order, 0 where it is clean, whatever the colors look like.

    Clean means: the angles of the twelve named hues in the plane of hue all step one way and go
    round exactly once.

    Args:
        model: A model or a population.
        plane: The two latent dimensions that hold hue.
        at: The site.

    Returns:
        ``(runs,)``, 0 or 1.

    Examples:
        >>> from latent_anchors.models import SphericalAutoencoder
        >>> disordered(SphericalAutoencoder()).shape
        torch.Size([1])
    """
    z = latents(model, named_colors(*HUES), at)
    angles = torch.atan2(z[..., plane[1]], z[..., plane[0]])
    return 1.0 - goes_round_once(angles).to(z.dtype)


def crumpled(
    model: nn.Module, plane: tuple[int, int] = (0, 1), at: At = "latent"
) -> Float[Tensor, " runs"]:
    """1 where the color wheel is out of order or colors are not learnt, 0 where all is clean.

    Clean means: the wheel is not :func:`disordered`, and the mean error over the 8x8x8 RGB grid is
    at most 0.001.

    Args:
        model: A model or a population.
        plane: The two latent dimensions that hold hue.
        at: The site.

    Returns:
        ``(runs,)``, 0 or 1.

    Examples:
        >>> from latent_anchors.models import SphericalAutoencoder
        >>> crumpled(SphericalAutoencoder())
        tensor([1.])
    """
    sharp = color_errors(model, rgb_grid(8)).mean(1) <= CLEAN  # NaN is not
    wheel = disordered(model, plane, at)
    return torch.where(sharp, wheel, torch.ones_like(wheel))


def goes_round_once(angles: Float[Tensor, "*batch n"]) -> Tensor:
    """Whether angles ``(..., n)`` in radians all step one way and close after one turn."""
    steps = torch.remainder(angles.roll(-1, -1) - angles + torch.pi, 2 * torch.pi) - torch.pi
    one_way = (steps > 0).all(-1) | (steps < 0).all(-1)
    return one_way & ((steps.sum(-1).abs() - 2 * torch.pi).abs() < 1e-3)
