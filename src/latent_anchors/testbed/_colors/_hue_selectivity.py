"""Selectivity: how far damage follows similarity to the concept."""

from jaxtyping import Float
from torch import Tensor, nn

from latent_anchors._checks import check_finite
from latent_anchors.colorspace import hsv_similarity, named_colors, rgb_grid, vibrancy
from latent_anchors.evaluation import squared_correlation
from latent_anchors.testbed._colors._color_errors import color_errors


def selectivity_r2(model: nn.Module, concept: str, exponent: float = 2.0) -> Float[Tensor, " runs"]:
    r"""Share of the error's variance that similarity to the concept explains.

    .. math:: r^2, \quad r = \mathrm{corr}(e(x), s(x)^p)

    over the 8x8x8 RGB grid, with the error :math:`e` of each color, its similarity :math:`s` to the
    concept and the ``exponent`` :math:`p`: 2 for what is muted, 3 for what is removed. 0 where
    :math:`r` is negative, and where either is constant.

    Args:
        model: A model or a population, with the edit in force.
        concept: One of the named colors.
        exponent: Of the similarity.

    Returns:
        ``(runs,)``, from 0 to 1.

    Raises:
        ValueError: If there is no such color or the exponent is not finite.

    References:
        The score of the color experiments 2.4.1 and 2.9.1 of ``ex-preppy`` (2025), which ignores
        the sign.

    Examples:
        >>> selectivity_r2(nn.Identity(), "red")
        tensor([0.])
    """
    check_finite("exponent", exponent)
    grid = rgb_grid(8)
    errors = color_errors(model, grid)
    similarity = hsv_similarity(grid, named_colors(concept)).to(errors) ** exponent
    return squared_correlation(errors, similarity.expand_as(errors))


def vibrancy_r2(model: nn.Module, exponent: float = 2.3) -> Float[Tensor, " runs"]:
    r"""Share of the error's variance that vibrancy explains, where all hues were taken out.

    .. math:: r^2, \quad r = \mathrm{corr}(e(x), v(x)^p)

    over the 8x8x8 RGB grid, with the error :math:`e` of each color, its vibrancy :math:`v`,
    saturation times value, and the ``exponent`` :math:`p`. 0 where :math:`r` is negative, and where
    either is constant.

    Args:
        model: A model or a population, with the edit in force.
        exponent: Of the vibrancy.

    Returns:
        ``(runs,)``, from 0 to 1.

    Raises:
        ValueError: If the exponent is not finite.

    References:
        The score of the color experiment 2.7.1 of ``ex-preppy`` (2025), which ignores the sign.

    Examples:
        >>> vibrancy_r2(nn.Identity())
        tensor([0.])
    """
    check_finite("exponent", exponent)
    grid = rgb_grid(8)
    errors = color_errors(model, grid)
    return squared_correlation(errors, (vibrancy(grid).to(errors) ** exponent).expand_as(errors))
