"""Perturbation of autoencoders of colors: whether noise on the weights brings a hue back."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from latent_anchors._checks import check_name
from latent_anchors.audits import perturbation
from latent_anchors.audits._perturbation import SIZES
from latent_anchors.colorspace import HUES, named_colors, rgb_grid
from latent_anchors.evaluation import Evaluation
from latent_anchors.models import Population
from latent_anchors.testbed._colors._color_errors import color_errors


def hue_perturbation(
    population: Population, concept: str, sizes: Sequence[float] = SIZES, draws: int = 16
) -> Evaluation:
    r"""Errors of the concept and of all colors while noise is added to the weights.

    .. math:: e_\varepsilon(x) = \operatorname{mean}_\xi \, e(x \mid W + \varepsilon \,
        \mathrm{rms}(W) \, \xi)

    as :func:`latent_anchors.audits.perturbation` has it. A concept that a small size brings back
    was hidden, not removed; errors of all colors show what the noise does to a network anyway.

    Args:
        population: The networks; unchanged.
        concept: One of the twelve hues.
        sizes: Of the noise, in relation to each layer's own weights.
        draws: Over how many draws errors are averaged; they are the same for every size.

    Returns:
        By name ``(runs,)``, from 0 to 1: ``perturbation/concept/SIZE`` and
        ``perturbation/grid/SIZE``, the mean over the 8x8x8 RGB grid.

    Raises:
        ValueError: If there is no such hue, no size or no draw, or a size is negative.
        TypeError: If the number of draws is not a whole one.

    References:
        Tice et al., "Noise injection reveals hidden capabilities of sandbagging language models",
        2024.

    Examples:
        >>> from latent_anchors.models import SphericalAutoencoder
        >>> population = Population.make(SphericalAutoencoder, seeds=[0])
        >>> found = hue_perturbation(population, "red", sizes=(0.0, 0.1), draws=2)
        >>> list(found)[:2]
        ['perturbation/concept/0', 'perturbation/grid/0']
    """
    check_name("hue", concept, tuple(HUES))
    colors = torch.cat([named_colors(concept), rgb_grid(8)])

    def measure(model: nn.Module) -> dict[str, Tensor]:
        errors = color_errors(model, colors)
        return {"concept": errors[:, 0], "grid": errors[:, 1:].mean(1)}

    return perturbation(population, measure, sizes, draws)
