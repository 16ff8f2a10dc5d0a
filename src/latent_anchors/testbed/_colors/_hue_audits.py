"""Audits of a hue: what probes read off the latents, and whether noise brings it back."""

from collections.abc import Mapping, Sequence
from functools import cache, partial

import torch
from jaxtyping import Float
from torch import Tensor, nn

from latent_anchors._checks import check_name
from latent_anchors._numerics import in_full_precision
from latent_anchors._runs import seeds_of
from latent_anchors._sites import At
from latent_anchors.audits import leakage, nonlinear_probe, perturbation
from latent_anchors.audits._leakage import of_finite, read
from latent_anchors.audits._perturbation import SIZES
from latent_anchors.audits._probes import r_squared
from latent_anchors.colorspace import (
    HUES,
    hsv_similarity,
    hue_degree,
    hue_of,
    named_colors,
    rgb_grid,
    rgb_midpoints,
)
from latent_anchors.evaluation import Evaluation, latents
from latent_anchors.models import Population
from latent_anchors.testbed._colors._color_errors import color_errors


def hue_leakage(model: nn.Module, concept: str, at: At = "latent") -> Evaluation:
    r"""How much of a concept's degree can be read off a site, beside what colors alone tell.

    Learned on the 8x8x8 RGB grid, read at the 7x7x7 points halfway between: R², at most 1. A color
    has a degree of redness whether or not anyone kept a place for it, and latents that hold all
    other colors tell much of it; so a number means nothing alone. Beside ``leakage/linear`` and
    ``leakage/nonlinear`` stand

    * ``/shuffled``: learned from shuffled degrees; chance;
    * ``/floor``: the same probe on the raw RGB values. What a line finds in them is in any code
      that holds colors; only what exceeds it is a place of the concept's own. A small network
      finds all of it there, so that for it the next is the measure;
    * ``/ideal``: the same probe on colors from which the concept was taken, each blended with gray
      by its similarity :math:`s` to it: :math:`x + s (1/2 - x)`.

    ``leakage/decoder`` is a fresh decoder's: a small network that learns to say every color from
    its latent; R² of the degree of what it says. ``leakage/decoder/error`` is its error at the
    concept itself, and ``/decoder/ideal`` and ``/decoder/error/ideal`` the same from blended
    colors.

    Args:
        model: A model (one run) or a population; edits in force count.
        concept: One of the twelve hues.
        at: The site.

    Returns:
        By name ``(runs,)``.

    Raises:
        ValueError: If there is no such hue or site.
        RuntimeError: If the site never ran.

    References:
        Alain and Bengio, "Understanding intermediate layers using linear classifier probes", 2016.

    Examples:
        >>> from latent_anchors.models import SphericalAutoencoder
        >>> found = hue_leakage(SphericalAutoencoder(), "red")
        >>> round(float(found["leakage/linear/floor"]), 2), len(found)
        (0.9, 12)
    """
    check_name("hue", concept, tuple(HUES))
    color, colors, new = named_colors(concept), rgb_grid(8), rgb_midpoints(8)
    z, z_new, z_concept = (
        in_full_precision(latents(model, some, at)) for some in (colors, new, color)
    )
    degrees, degrees_new = (hue_degree(some, hue_of(concept)).to(z) for some in (colors, new))
    seeds = seeds_of(model)
    probed = leakage(z, degrees, z_new, degrees_new, seeds=seeds)
    decoded = _decoded(concept, z, z_new, z_concept, seeds)
    beside = {name: score.to(z) for name, score in _of_colors(concept).items()}
    return probed | of_finite(decoded | beside, z, z_new, z_concept)


@cache
def _of_colors(concept: str) -> Mapping[str, Tensor]:
    """What the same probes find in colors, which is the same beside every network."""
    color, colors, new = named_colors(concept), rgb_grid(8), rgb_midpoints(8)
    degrees, degrees_new = (hue_degree(some, hue_of(concept)) for some in (colors, new))
    ideal, ideal_new, ideal_concept = (_without(some, color)[None] for some in (colors, new, color))
    found = read("/floor", colors[None], degrees, new[None], degrees_new, (0,))
    found |= read("/ideal", ideal, degrees, ideal_new, degrees_new, (0,))
    decoded = _decoded(concept, ideal, ideal_new, ideal_concept, (0,)).items()
    return found | {f"{name}/ideal": score for name, score in decoded}


def _decoded(
    concept: str, x: Tensor, x_new: Tensor, x_concept: Tensor, seeds: Sequence[int]
) -> dict[str, Tensor]:
    """What a fresh decoder of representations says: its degrees, and its error at the concept."""
    degree, color = partial(hue_degree, hue=hue_of(concept)), named_colors(concept).to(x)
    asked = torch.cat([x_new, x_concept], 1)
    said = nonlinear_probe(x, rgb_grid(8).to(x), asked, seeds).clamp(0, 1)
    return {
        "decoder": r_squared(degree(said[:, :-1]), degree(rgb_midpoints(8)).to(x)),
        "decoder/error": (said[:, -1] - color).square().mean(1),
    }


def _without(colors: Float[Tensor, "n 3"], concept: Float[Tensor, "1 3"]) -> Tensor:
    """Colors blended with gray, by their similarity to a concept."""
    return colors + hsv_similarity(colors, concept).unsqueeze(-1) * (0.5 - colors)


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
