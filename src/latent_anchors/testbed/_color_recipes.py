"""Recipes that several color examples share: an anchored autoencoder, its removal, few labels."""

import torch
from jaxtyping import Float
from torch import Tensor

from latent_anchors import curriculum, data, interventions, training
from latent_anchors import regularizers as reg
from latent_anchors.colorspace import (
    grayness,
    hsv_grid,
    hue_degree,
    hue_of,
    rgb_grid,
    vibrancy,
)
from latent_anchors.models import Population
from latent_anchors.regularizers import Term
from latent_anchors.training import FitResult, Loss, Objective, fit

POLE_SHEET = """\
STEP, lr,   recon, fallback, separate, anchor, plane, gray
0,    1e-8, 1,     0,        1.89,     0.01,   0.03,  0.03
10,   0.01, ,      ,         ,         ,       ,
1500, 0.03, ,      0.1,      1.89,     0.1,    ,
2250, ,     ,      ,         ,         ,       0.03,  0.03
2850, 0.02, ,      ,         0,        0.01,   0,     0.01
3000, 1e-3, ,      ,         ,         ,       ,
"""
"""Schedule that puts a hue at a pole: a low learning rate, and weights that never quite reach 0
before the end, keep every seed's color wheel in order and its hue within a few degrees of the pole.
"""

HEALING_SHEET = """\
STEP, lr,   imitate, collapse
0,    1e-3, 1,       1.6
20,   0.02, ,
2000, 0.02, ,        1.6
4000, 1e-4, ,        0.04
"""
"""Schedule that repairs a network after a hue was removed from its weights."""

FEW_LABELS_SHEET = """\
STEP, lr,   recon, separate, anchor, plane, unit
0,    1e-8, 1,     0.63,     1,      0.1,   0.03
10,   0.01, ,      ,         ,       ,
750,  0.03, ,      0.63,     1,      0.1,
1350, 0.03, ,      0,        0.1,    0.01,
1500, 1e-3, ,      ,         ,       ,
"""
"""Schedule for few labels: the anchor is strong from the first step on, so that even a few labels
turn the color wheel before it has set; it fades before the end, so that colors become exact.
"""


def pole_sampler(concept: str) -> data.Sampler:
    """512 colors with noisy labels for a hue, its opposite, vivid colors and grays.

    Labels are drawn anew each time a color is sampled. Fewer than two samples in a thousand are
    labeled with the hue, and as many with its opposite.

    Args:
        concept: Name of the hue.

    Examples:
        >>> sorted(pole_sampler("red").labels)
        ['gray', 'opposite', 'red', 'vibrant']
    """
    chances = pole_chances(concept)
    labels = {name: data.BernoulliLabels(chance) for name, chance in chances.items()}
    return data.Sampler(rgb_grid(8), labels, batch_size=64)


def pole_chances(concept: str, often: float = 0.24) -> dict[str, Float[Tensor, " n"]]:
    """How often each of the colors is labeled, pure ones of the hue and its opposite ``often``."""
    grid, hue = rgb_grid(8), hue_of(concept)
    return {
        concept: often * hue_degree(grid, hue) ** 12,
        "opposite": often * hue_degree(grid, hue + 0.5) ** 12,
        "vibrant": 0.03 * vibrancy(grid) ** 10,
        "gray": 0.02 * grayness(grid) ** 8,
    }


def pole_objective(concept: str, latent_dim: int = 4) -> Objective:
    """A hue at one pole of the latent sphere, its opposite at the other, grays off their plane.

    Vivid colors lie in the plane of dimensions 0 and 1, grays at a right angle to it.

    Args:
        concept: Name of the hue, anchored at 1 in dimension 0.
        latent_dim: Number of latent dimensions.

    Examples:
        >>> pole_objective("red").names
        ('separate', 'anchor', 'opposite', 'plane', 'gray', 'recon', 'fallback')
    """
    pole = torch.eye(latent_dim)[0]
    terms = [
        Term("separate", reg.Separation(power=100.0)),
        Term("anchor", reg.Anchor(pole), label=concept),
        Term("opposite", reg.Anchor(-pole), label="opposite", track="anchor"),
        Term("plane", reg.Subspace(dims=(0, 1)), label="vibrant"),
        Term("gray", reg.AntiSubspace(dims=(0, 1)), label="gray"),
    ]
    return Objective(terms, losses=["recon", "fallback"], other_tracks=["lr"])


def pole_losses(latent_dim: int = 4) -> dict[str, Loss]:
    """Reconstruction, and a fallback: mid-gray is decoded from the origin, where muting leads.

    Args:
        latent_dim: Number of latent dimensions.

    Examples:
        >>> list(pole_losses())
        ['recon', 'fallback']
    """
    origin = interventions.ZeroAblation(range(latent_dim))
    fallback = training.EditedOutputLoss(
        origin, say=torch.full((3,), 0.5), inputs=torch.zeros(1, 3)
    )
    return {"recon": training.reconstruction, "fallback": fallback}


def heal(cut: Population, teacher: training.Teacher, steps: int | None = None) -> FitResult:
    """Repair networks after surgery: they imitate the muted whole ones, without any labels.

    They learn the teacher's outputs, and to encode a color that is muted as what it became. Vivid
    colors are sampled more often: there are few in the grid, and a network that sees too few of a
    hue's neighbors treats them like the hue.

    Args:
        cut: The networks after surgery.
        teacher: The whole networks under the edit.
        steps: Only so many; the whole of :data:`HEALING_SHEET` if None.

    Examples:
        >>> from latent_anchors.models import SphericalAutoencoder
        >>> whole = Population.make(SphericalAutoencoder, seeds=[0])
        >>> mute = interventions.Suppression([1.0, 0.0, 0.0, 0.0])
        >>> cut = interventions.prune(whole, [0])
        >>> len(heal(cut, training.Teacher(whole, mute), steps=2).population)
        1
    """
    colors = rgb_grid(16)
    vivid_more_often = 0.25 + 3 * vibrancy(colors) ** 4
    return fit(
        cut,
        Objective([], losses=["imitate", "collapse"], other_tracks=["lr"]),
        curriculum.read_dopesheet(HEALING_SHEET).timeline(),
        data.Sampler(colors, batch_size=64, weights=vivid_more_often),
        losses={
            "imitate": training.DistillationLoss(teacher),
            "collapse": training.LatentMatchingLoss(teacher, power=2.0),
        },
        steps=steps,
    )


def few_labels_sampler(rate: float = 1.0) -> data.Sampler:
    """All hues, saturations and values, with labels for red and for vivid colors at some rate.

    At the full rate pure red is labeled every other time that it is sampled, orange one time in 36,
    and pure hues are labeled vivid every other time. Draws are the same at every rate: what is
    labeled at a low rate is labeled at a higher one, too.

    Args:
        rate: Share of the labels that are kept.

    Examples:
        >>> few_labels_sampler(0.5).labels["red"].probability.max()
        tensor(0.2500)
    """
    grid = hsv_grid(36, 10, 10)
    labels = {
        "red": data.BernoulliLabels(rate * (0.5 * hue_degree(grid.rgb, 0.0) ** 10)),
        "vivid": data.BernoulliLabels(rate * (0.5 * vibrancy(grid.rgb) ** 100)),
    }
    return data.Sampler(grid.rgb, labels, batch_size=64, weights=grid.weight)
