"""Small networks that learn from a muted teacher."""

from functools import cache

import torch
from training.tiny import COLORS, SAMPLER, timeline, trained

from latent_anchors import Objective, fit
from latent_anchors.interventions import ZeroAblation, intervene, prune
from latent_anchors.training import DistillationLoss, LatentMatchingLoss, Teacher

EDIT = ZeroAblation([0])


def distilled(student, teacher, *, imitation=1.0, collapse=0.0, steps=60, **options):
    """A training with losses alone: no terms."""
    names = ["imitation", "collapse"]
    time = timeline(steps, imitation=imitation, collapse=collapse)
    time = type(time)({name: time[name] for name in ("lr", *names)}, steps=steps)
    losses = {"imitation": DistillationLoss(teacher), "collapse": LatentMatchingLoss(teacher)}
    objective = Objective([], losses=names, other_tracks=["lr"])
    options = {"losses": losses, "progress": False, **options}
    return fit(student, objective, time, SAMPLER, **options)


def difference(student, teacher, edit=EDIT):
    """What each run says, against what a teacher of its own says under the edit ``(runs,)``."""
    with torch.no_grad(), intervene(teacher.eval(), edit):
        answers = teacher(COLORS)
    with torch.no_grad():
        return (student.eval()(COLORS) - answers).square().mean((1, 2))


@cache
def pruned():
    return prune(trained().population, [0])


@cache
def healed():
    return distilled(pruned(), Teacher(trained().population, EDIT), steps=80).population
