"""Reconstruction errors, color by color and by group."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from latent_anchors._numerics import missing
from latent_anchors._typing import Colors
from latent_anchors.colorspace import (
    COLOR_NAMES,
    GRAYS,
    hsv_to_rgb,
    hue_distance,
    hue_of,
    named_colors,
    rgb_grid,
    rgb_midpoints,
    rgb_to_hsv,
)
from latent_anchors.evaluation import predictions

FAR = 29.9 / 360
"""Turns from the concept's hue at which ``far`` begins: neighbors at 30 degrees are in, whatever
the rounding."""


def reconstructions(model: nn.Module, colors: Float[Tensor, "n 3"]) -> Float[Tensor, "runs n 3"]:
    """What comes out for some colors, in evaluation mode, clamped to [0, 1]; NaN if not finite.

    Args:
        model: A model (one run) or a population; edits in force count.
        colors: RGB ``(n, 3)``, in [0, 1].

    Returns:
        ``(runs, n, 3)``, in [0, 1].

    Examples:
        >>> reconstructions(nn.Identity(), torch.ones(2, 3)).shape
        torch.Size([1, 2, 3])
    """
    # clamped, an infinite channel would look as good as any
    return missing(predictions(model, colors)).clamp(0.0, 1.0)


def color_errors(model: nn.Module, colors: Float[Tensor, "n 3"]) -> Float[Tensor, "runs n"]:
    r"""Mean squared error of each color over its three channels, in evaluation mode.

    .. math:: e(x) = \tfrac{1}{3} \lVert f(x) - x \rVert_2^2

    Args:
        model: A model :math:`f` (one run) or a population; edits in force count.
        colors: RGB ``(n, 3)``, in [0, 1].

    Returns:
        ``(runs, n)``, from 0 to 1.

    References:
        The score of the color experiments of ``ex-preppy`` (2025).

    Examples:
        >>> color_errors(nn.Identity(), torch.rand(2, 3))
        tensor([[0., 0.]])
    """
    said = reconstructions(model, colors)
    return (said - colors.to(said)).square().mean(-1)


def error_groups(model: nn.Module, concept: str) -> dict[str, Float[Tensor, " runs"]]:
    """Errors by group of colors.

    Each of the twelve named hues and five grays; ``grays``, the worst of these five; ``grid``, the
    mean over the 8x8x8 RGB grid; ``between``, the mean over the 7x7x7 points halfway between;
    ``far``, the worst of all non-gray grid colors and of 360 hues at full saturation and value that
    are at least 29.9 degrees from the concept's hue.

    Args:
        model: A model or a population; edits in force count.
        concept: One of the twelve hues.

    Returns:
        By group ``(runs,)``, from 0 to 1.

    Raises:
        ValueError: If there is no such hue.

    Examples:
        >>> error_groups(nn.Identity(), "red")["far"]
        tensor([0.])
    """
    named, grid, between = named_colors(*COLOR_NAMES), rgb_grid(8), rgb_midpoints(8)
    far = _far(concept)
    colors = [named, grid, between, far]
    sizes = [len(part) for part in colors]
    errors = torch.split(color_errors(model, torch.cat(colors)), sizes, dim=1)
    by_name, on_grid, in_between, afar = errors
    groups = dict(zip(COLOR_NAMES, by_name.unbind(1), strict=True))
    return {
        **groups,
        "grays": torch.stack([groups[name] for name in GRAYS]).amax(0),
        "grid": on_grid.mean(1),
        "between": in_between.mean(1),
        "far": afar.amax(1),
    }


def _far(concept: str) -> Colors:
    """Every color whose hue is another one than the concept's and its near neighbors'."""
    hue = torch.arange(360, dtype=torch.float64) / 360
    wheel = hsv_to_rgb(torch.stack([hue, torch.ones_like(hue), torch.ones_like(hue)], dim=-1))
    colors = torch.cat([rgb_grid(8, dtype=torch.float64), wheel])
    hues, saturations, _ = rgb_to_hsv(colors).unbind(-1)
    far = away_from_hue(hues, concept) & (saturations > 1e-9)
    return colors[far].to(torch.get_default_dtype())


def away_from_hue(hues: Float[Tensor, "*n"], concept: str) -> Bool[Tensor, "*n"]:
    """Whether hues are other ones than a concept's and its near neighbors'."""
    return hue_distance(hues, hues.new_tensor(hue_of(concept))) >= FAR
