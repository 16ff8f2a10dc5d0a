"""How much of a hue is gone, and what that costs other colors: the two measures of a frontier."""

import math

from jaxtyping import Float
from torch import Tensor, nn

from latent_anchors.colorspace import hue_degree, hue_of, rgb_grid, rgb_to_hsv
from latent_anchors.testbed._colors._color_errors import away_from_hue, color_errors


def color_removal(
    model: nn.Module, concept: str, most: int | float = math.inf
) -> Float[Tensor, " runs"]:
    r"""Error of colors of a hue, as a share of mid-gray's: 0 as they are, 1 as wrong as gray.

    .. math:: \frac{\sum_x d(x)^{12} \, \min(e(x), m \, g(x))}{\sum_x d(x)^{12} \, g(x)}

    over the 8x8x8 RGB grid, with the error :math:`e` of each color, its squared distance :math:`g`
    from mid-gray, and its degree :math:`d`, so that a color counts as often as it is labeled. A
    color halfway to gray counts a quarter; any other color counts, too.

    Args:
        model: A model or a population; edits in force count.
        concept: Name of the hue.
        most: What a color counts at most :math:`m`. At 1, one that has become gray is gone, and
            one that has become something worse is not more than gone, and makes up for no other.

    Raises:
        ValueError: If there is no such hue, or ``most`` is not above 0.

    References:
        The error of the color experiments of ``ex-preppy`` (2025), as a share of what gray has.

    Examples:
        >>> color_removal(nn.Identity(), "red")
        tensor([0.])
    """
    if not most > 0:
        raise ValueError(f"most is {most!r}; expected a number above 0, such as 1: as gray.")
    grid = rgb_grid(8)
    often, gray = hue_degree(grid, hue_of(concept)) ** 12, (grid - 0.5).square().mean(-1)
    errors = color_errors(model, grid).clamp(max=most * gray)
    return (errors * often).sum(1) / (gray * often).sum()


def color_collateral(model: nn.Module, concept: str) -> Float[Tensor, " runs"]:
    """Mean error of grays, and of the grid's colors that are at least 29.9 degrees away in hue.

    Args:
        model: A model or a population; edits in force count.
        concept: Name of the hue.

    Raises:
        ValueError: If there is no such hue.

    Examples:
        >>> color_collateral(nn.Identity(), "red")
        tensor([0.])
    """
    grid = rgb_grid(8)
    hues, saturations, _ = rgb_to_hsv(grid).unbind(-1)
    elsewhere = away_from_hue(hues, concept) | (saturations < 1e-6)
    return color_errors(model, grid[elsewhere]).mean(1)
