"""The recipe for a hue in pictures: labels by place, terms, losses, schedules, surgery."""

import torch

from latent_anchors import data, interventions, training
from latent_anchors import regularizers as reg
from latent_anchors.concepts import Concept
from latent_anchors.regularizers import Term
from latent_anchors.testbed._pictures._places import Places
from latent_anchors.training import Loss, Objective

PLACE_SHEET = """\
STEP, lr,   recon, anchor, others, fallback
0,    1e-4, 1,     0.02,   0.02,   0
100,  0.02, ,      ,       ,
500,  ,     ,      0.1,    0.3,    0.1
1000, 0.02, ,      0.003,  0.01,   0.05
1999, 5e-4, ,      ,       ,
"""
"""Schedule that puts a hue on an axis at every place of pictures: terms are strong while the
network takes shape, then weak, so that it learns the pictures as well as without them.
"""

PLACE_HEALING_SHEET = """\
STEP, lr,   imitate
0,    1e-4, 1
100,  0.01,
999,  5e-4,
"""
"""Schedule that repairs such a network after the axis was removed from its weights."""


def place_sampler(places: Places, concept: str) -> data.Sampler:
    """Pictures with noisy labels for a hue, place by place.

    Labels are drawn anew each time: a vivid place whose hue is at most 12 degrees away has one
    three times in ten, others never. Nothing says what is not of this hue.

    Args:
        places: Of the pictures.
        concept: Name of the hue.

    Raises:
        ValueError: If there is no such hue.

    Examples:
        >>> pictures = torch.eye(3).reshape(3, 3, 1, 1).expand(3, 3, 8, 8)
        >>> place_sampler(Places(pictures), "red").labels["red"].probability[:, 0, 0]
        tensor([0.3000, 0.0000, 0.0000])
    """
    chance = 0.3 * places.near(concept, degrees=12).float()
    return data.Sampler(
        places.pictures,
        {concept: data.BernoulliLabels(chance)},
        batch_size=48,
        extras={"colored": places.chroma > COLORED},
    )


COLORED = 0.35
"""Chroma above which a place is kept off the axis unless it has the label."""


def place_objective(concept: Concept) -> Objective:
    """A hue in a cone around an axis at every place, and colored places of other hues out of it.

    The cone is wide, so that there is room for what else a place holds.

    Args:
        concept: The hue, with its axis and site.

    Examples:
        >>> red = Concept("red", [1, 0, 0], at="latent")
        >>> place_objective(red).names
        ('anchor', 'others', 'recon', 'fallback')
    """
    axis, at = concept.direction, concept.sites
    terms = [
        Term("anchor", reg.Anchor(axis, within=INSIDE), at=at, label=concept.name),
        Term("others", reg.AntiAnchor(axis, beyond=OUTSIDE), at=at, mask="colored"),
    ]
    return Objective(terms, losses=["recon", "fallback"], other_tracks=["lr"])


INSIDE, OUTSIDE = 40, 85
"""Degrees from the axis: where places of the hue may lie, and where all others may."""


def place_losses(concept: Concept, places: Places) -> dict[str, Loss]:
    """Reconstruction, and a fallback: mid-gray is decoded from the pole where muting leads.

    Args:
        concept: The hue, with its axis and site.
        places: Of the pictures.

    Examples:
        >>> red = Concept("red", [1, 0, 0], at="latent")
        >>> list(place_losses(red, Places(torch.zeros(2, 3, 8, 8))))
        ['recon', 'fallback']
    """
    turn = interventions.Redirection(
        concept.direction, -concept.direction, interventions.constant_falloff
    )
    fallback = training.EditedOutputLoss(
        dict.fromkeys(concept.sites, turn),
        say=torch.tensor(0.5),
        inputs=torch.zeros_like(places.pictures[:1]),
    )
    return {"recon": training.reconstruction, "fallback": fallback}
