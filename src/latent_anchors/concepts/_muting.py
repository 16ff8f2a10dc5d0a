"""Edits that mute a concept, by name and angle, or amplify it."""

import math
from typing import Literal, TypeAlias, get_args

import torch
from torch import Tensor

from latent_anchors import interventions
from latent_anchors._checks import check_name

LEAST = 0.02
"""Degrees; the cosine of a smaller angle is 1 in single precision."""

How: TypeAlias = Literal["suppress", "project", "repel", "redirect"]
"""Ways to mute: shorten along the direction, project it out, turn away from it, or turn over."""


def edit_of(
    name: str, direction: Tensor, within: int | float | None, how: How, strength: float
) -> interventions.EditModule:
    """The edit of a concept; see :meth:`Concept.edit`."""
    plane = direction.ndim == 2
    how = "project" if plane and how == "suppress" else how
    check_name("how to mute", how, get_args(How))
    if plane and how != "project":
        raise ValueError(
            f"Concept {name!r} is a plane of {len(direction)} directions, and "
            f"how={how!r} needs one; expected how='project'."
        )
    if how == "project":
        falloff = interventions.constant_falloff if within is None else _gate(float(within))
        return interventions.Projection(torch.atleast_2d(direction), falloff, strength)
    if how == "repel":
        ceiling = math.cos(_radians(60.0 if within is None else float(within), below=90.0))
        mapper = interventions.LinearMapper(ceiling=ceiling)
        return interventions.Repulsion(direction, mapper, strength)
    falloff = _gate(90.0 if within is None else float(within))
    if how == "redirect":
        opposite = -direction
        return interventions.Redirection(direction, opposite, falloff, strength, "arc")
    return interventions.Suppression(direction, falloff, strength)


def amplifier_of(
    name: str, direction: Tensor, factor: float, within: int | float, strength: float
) -> interventions.Amplification:
    """The edit that amplifies a concept; see :meth:`Concept.amplified`."""
    if direction.ndim == 2:
        raise ValueError(
            f"Concept {name!r} is a plane of {len(direction)} directions, and amplifying needs "
            "one; expected a concept with one direction. Amplify each: "
            "interventions.Amplification(row)."
        )
    return interventions.Amplification(direction, factor, _gate(float(within)), strength)


def _radians(degrees: float, below: float = 180.0) -> float:
    if not LEAST <= degrees < below:
        raise ValueError(
            f"within is {degrees!r} degrees; expected {LEAST} or more and below {below:g}. What "
            "acts everywhere is how='project' without within, or an edit of interventions."
        )
    return math.radians(degrees)


def _gate(degrees: float) -> interventions.BoundedFalloff:
    return interventions.BoundedFalloff(threshold=math.cos(_radians(degrees)))
