"""Perturbation: whether small random changes of the weights bring a concept back."""

from collections.abc import Sequence
from copy import deepcopy

import torch
from torch import Tensor

from latent_anchors._checks import check_between, check_count, check_name
from latent_anchors._streams import stream
from latent_anchors.audits._starts import by_layer, norm, parameters_of, per_run
from latent_anchors.colorspace import HUES, named_colors, rgb_grid
from latent_anchors.evaluation import Evaluation
from latent_anchors.models import Population
from latent_anchors.testbed._colors._color_errors import color_errors

SIZES = (0.0, 0.01, 0.03, 0.1, 0.3, 1.0)


def hue_perturbation(
    population: Population, concept: str, sizes: Sequence[float] = SIZES, draws: int = 16
) -> Evaluation:
    r"""Errors of the concept and of all colors while the weights tremble.

    .. math:: W' = W + \varepsilon \, \frac{\lVert W \rVert_2}{\sqrt{\lvert W \rvert}} \, \xi,
        \qquad \xi \sim \mathcal{N}(0, I)

    for each layer's weights and biases :math:`W` together, :math:`|W|` numbers in all, and the
    relative size :math:`\varepsilon`. Weights that surgery set to zero tremble with the others. A
    concept that a small size brings back was hidden, not removed; errors of all colors tell what
    the trembling does to a network anyway.

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
    check_count("The number of sizes", len(sizes))
    check_count("draws", draws)
    for size in sizes:
        check_between("size", size, 0.0, torch.inf)
    colors = torch.cat([named_colors(concept), rgb_grid(8)])
    found: dict[str, Tensor] = {}
    for size in sizes:
        errors = [color_errors(_shaken(population, size, draw), colors) for draw in range(draws)]
        mean = torch.stack(errors).mean(0)
        found[f"perturbation/concept/{size:g}"] = mean[:, 0]
        found[f"perturbation/grid/{size:g}"] = mean[:, 1:].mean(1)
    return Evaluation(found)


def _shaken(population: Population, size: float, draw: int) -> Population:
    other = deepcopy(population)
    parameters = parameters_of(other)
    generators = [stream(seed, "perturbation", draw) for seed in population.seeds]
    for names in by_layer(parameters).values():
        count = sum(parameters[name][0].numel() for name in names)
        rms = norm([parameters[name] for name in names]) / count**0.5
        for name in names:
            p = parameters[name]
            noise = torch.stack([torch.randn(p.shape[1:], generator=g) for g in generators])
            p += size * per_run(rms, p) * noise.to(p)
    return other
