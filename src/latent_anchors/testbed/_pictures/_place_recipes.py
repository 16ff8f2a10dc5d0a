"""The recipes for a hue and for faces in pictures: labels by place, terms, losses, schedules."""

from functools import partial
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from latent_anchors import data, interventions, training
from latent_anchors import regularizers as reg
from latent_anchors.concepts import Concept
from latent_anchors.regularizers import Term
from latent_anchors.testbed._pictures._places import GRAY, Places
from latent_anchors.training import Forward, Loss, Objective

PLACE_SHEET = """\
STEP, lr,   recon, anchor, others, fallback
0,    1e-4, 1,     0.005,  0.005,  0
200,  0.02, ,      ,       ,
500,  ,     ,      0.02,   0.05,   0.005
1100, 0.02, ,      0.005,  0.015,  0.001
2399, 5e-4, ,      ,       ,
"""
"""Schedule that puts a hue near an axis at every place of pictures: terms are strong while the
network takes shape, then weaker, so that it learns the pictures nearly as well as without them.
"""

PLACE_HEALING_SHEET = """\
STEP, lr,   heal
0,    1e-4, 1
50,   0.02,
2000, 0.02,
3999, 5e-4,
"""
"""Schedule that repairs such a network after the axis was removed from its weights."""

INSIDE, OUTSIDE = 65, 80
"""Degrees from the axis: where places of a hue may lie, and where all others may."""

MUCH = 0.05
"""Share of a picture's places near the axis from which on it comes more often in healing."""

FACE_SHEET = """\
STEP, lr,   recon, anchor, others, fallback
0,    1e-4, 1,     0.005,  0.005,  0
100,  0.01, ,      ,       ,
250,  ,     ,      0.04,   0.15,   0.005
2399, 5e-4, ,      0.04,   0.15,   0.001
"""
"""Schedule that puts faces near an axis, which takes more steps than a hue, and a lower rate; all
other places are kept off."""


def place_sampler(
    places: Places, concept: str, chosen: Bool[Tensor, "n rows columns"]
) -> data.Sampler:
    """Pictures with noisy labels for a concept, place by place.

    Labels are drawn anew each time: a chosen place has one three times in ten, others never.
    Nothing says what does not have the concept.

    Args:
        places: Of the pictures.
        concept: Its name.
        chosen: The places that may have a label ``(n, rows, columns)``, such as
            ``places.near("red", degrees=12)``.

    Raises:
        ValueError: If the chosen places are not those of the pictures.

    Examples:
        >>> pictures = torch.eye(3).reshape(3, 3, 1, 1).expand(3, 3, 8, 8)
        >>> places = Places(pictures)
        >>> sampler = place_sampler(places, "red", places.near("red", degrees=12))
        >>> sampler.labels["red"].probability[:, 0, 0]
        tensor([0.3000, 0.0000, 0.0000])
    """
    if chosen.shape != places.chroma.shape:
        raise ValueError(
            f"The chosen places have shape {tuple(chosen.shape)}; expected "
            f"{tuple(places.chroma.shape)}: pictures, rows, columns. Give one value for each place."
        )
    return data.Sampler(
        places.pictures,
        {concept: data.BernoulliLabels(0.3 * chosen.float())},
        batch_size=32,
        extras={"colored": places.colored},
    )


def place_healing_sampler(
    places: Places, degrees: Float[Tensor, "n rows columns"], width: int | float
) -> data.Sampler:
    """Pictures without labels, and what a network whose axis was cut out is to draw of each.

    That is mid-gray where a place lay near the axis, and the picture itself elsewhere. What lay
    between, up to where other places are to lie, counts for nothing: to jump right there, as an
    edit with a gate does, would take much of a network without one. Pictures with places near the
    axis come twice as often.

    Args:
        places: Of the pictures.
        degrees: How far from the axis each place lay before the cut ``(n, rows, columns)``.
        width: Up to how far is near, in degrees.

    Returns:
        A sampler with the extras ``target`` ``(n, 3, height, width)`` and ``counts``
        ``(n, 1, height, width)``, for :func:`place_healing_loss`.

    Examples:
        >>> places = Places(torch.ones(2, 3, 8, 8))
        >>> degrees = torch.tensor([100.0, 60.0]).reshape(2, 1, 1).expand(2, 2, 2)
        >>> again = place_healing_sampler(places, degrees, width=73)
        >>> again.weights, again.extras["target"].mean((1, 2, 3))
        (tensor([1., 2.]), tensor([1.0000, 0.5000]))
    """
    near, between = degrees <= width, (degrees > width) & (degrees < OUTSIDE)
    gray = places.pictures.new_full((), GRAY)
    return data.Sampler(
        places.pictures,
        batch_size=32,
        weights=1.0 + (near.float().mean((1, 2)) > MUCH),
        extras={
            "target": torch.where(_pixels(near, places.patch), gray, places.pictures),
            "counts": _pixels(~between, places.patch),
        },
    )


def _pixels(chosen: Bool[Tensor, "n rows columns"], patch: int) -> Bool[Tensor, "n 1 height width"]:
    return chosen.repeat_interleave(patch, 1).repeat_interleave(patch, 2).unsqueeze(1)


def place_healing_loss(forward: Forward, batch: data.LabeledBatch) -> Float[Tensor, " batch"]:
    """Mean squared error of what counts, from what is to be drawn.

    Args:
        forward: A pure forward pass.
        batch: Pictures, with the extras of :func:`place_healing_sampler`.

    Returns:
        ``(batch,)``.

    Examples:
        >>> pictures, seen = torch.ones(1, 3, 4, 8), torch.zeros(1, 1, 4, 8)
        >>> seen[..., :4] = 1
        >>> extras = {"target": torch.zeros_like(pictures), "counts": seen}
        >>> batch = data.LabeledBatch(pictures, extras=extras)
        >>> place_healing_loss(lambda inputs: (inputs, {}), batch)
        tensor([0.5000])
    """
    output, _ = forward(batch.inputs)
    errors = (output - batch.extras["target"]).square() * batch.extras["counts"]
    return errors.flatten(1).mean(1)


def place_objective(
    concept: Concept, inside: int = INSIDE, outside: int = OUTSIDE, mask: str | None = "colored"
) -> Objective:
    """A concept in a cone around an axis at every place, and other places out of it.

    The cone is wide, so that there is room for what else a place holds.

    Args:
        concept: With its axis and site.
        inside: Degrees from the axis within which the concept may lie.
        outside: Degrees from the axis beyond which other places may lie.
        mask: Which other places are kept off, all if None. Gray may lie near a hue, which is close
            to it anyway; white is no face.

    Examples:
        >>> red = Concept("red", [1, 0, 0], at="latent")
        >>> place_objective(red).names
        ('anchor', 'others', 'recon', 'fallback')
    """
    axis, at = concept.direction, concept.sites
    terms = [
        Term("anchor", reg.Anchor(axis, within=inside), at=at, label=concept.name),
        Term("others", reg.AntiAnchor(axis, beyond=outside), at=at, mask=mask),
    ]
    return Objective(terms, losses=["recon", "fallback"], other_tracks=["lr"])


def place_losses(concept: Concept, places: Places) -> dict[str, Loss]:
    """Reconstruction, and a fallback: mid-gray is decoded from the pole where muting leads.

    Args:
        concept: With its axis and site.
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
        say=torch.tensor(GRAY),
        inputs=torch.zeros_like(places.pictures[:1]),
    )
    return {"recon": training.reconstruction, "fallback": fallback}


def place_options() -> dict[str, Any]:
    """How networks of pictures are trained, as arguments of :func:`latent_anchors.fit`.

    One after the other, as convolutions gain nothing together; and with an Adam that soon forgets
    the size of gradients, since a label comes rarely and pulls hard.

    Examples:
        >>> sorted(place_options())
        ['execution', 'optimizer']
    """
    adam = partial(torch.optim.Adam, betas=(0.9, 0.95))
    return {"execution": "sequential", "optimizer": adam}
