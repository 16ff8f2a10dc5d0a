"""A training with everything that has to be remembered: triggers, a data curriculum, memories."""

from copy import deepcopy
from functools import cache

import torch
from training.tiny import ANCHOR, COLORS, Dropped, network

import latent_anchors as la
from latent_anchors import curriculum, data, training
from latent_anchors.curriculum import Below, Keyframe, Phase, Timeline, Track, Trigger

EXECUTIONS = ("vmap", "sequential")
la.register("tests.Dropped")(Dropped)
VALUE = COLORS.amax(-1)
PLAN = Timeline(
    {
        "lr": Track([Keyframe(0, 0.02), Keyframe(69, 0.01)]),
        "anchor": Track([Keyframe(0, 0.5)]),
        "recon": Track([Keyframe(0, 1.0)]),
        "hold": Track([Keyframe(30, 0.0), Keyframe(60, 0.5)]),
        "dark": Track([Keyframe(0, 0.2), Keyframe(69, 1.0)]),
    },
    [Phase("hues", 0), Phase("all", 60)],
    {5: ["capture"]},
    steps=70,
)


def rules(low, longer):
    """Every kind of reaction."""
    return [
        Trigger("error", Below(0.64, 3), curriculum.EndPhase(), "any", during="hues"),
        Trigger("recon", Below(low), curriculum.Retarget("anchor", 0.1, 10)),
        Trigger("error", Below(0.55, 2, smoothing=0.5), curriculum.RunAction("capture"), "any"),
        Trigger("error", Below(1.0), curriculum.ExtendPhase(longer), during="all", last=1),
    ]


def weights(row):
    """Dark colors alone, then all."""
    return (1.01 - VALUE / row["dark"].clamp(min=0.2)).clamp(min=0.0)


SCHEDULED = data.ScheduledWeights(weights, PLAN, ["dark"], vectorized=True)
SAMPLER = data.Sampler(COLORS, {"red": data.SoftLabels(VALUE)}, 8, SCHEDULED)


def playhead(execution="sequential"):
    """Long enough together to come to another block of draws."""
    how = {"vmap": (0.003, 85), "sequential": (0.011, 10)}[execution]
    return curriculum.Playhead(PLAN, rules(*how), runs=2)


def error(progress):
    """By run, of the population as it is now."""
    with torch.no_grad():
        output = deepcopy(progress.population).eval()(COLORS)
    return {"error": (output - COLORS).square().mean((-1, -2)).sqrt()}


def play(execution, start=None, time=None, **options):
    """Train, and tell what came of it: the fit, the playhead, and what was captured."""
    start = start or {"vmap": network, "sequential": Dropped}[execution]
    time = time or playhead(execution)
    captured = training.LatentHoldLoss(COLORS[:3])
    losses = {"recon": training.reconstruction, "hold": captured}
    objective = la.Objective([ANCHOR], losses=losses, other_tracks=["lr", "dark"])
    options = {"measure": training.Every(4, error), "batches": SAMPLER, **options}
    trained = la.fit(
        start,
        objective,
        time,
        losses=losses,
        seeds=(3, 1),
        execution=execution,
        actions={"capture": captured.capture},
        progress=False,
        **options,
    )
    return trained, time, captured


@cache
def whole(execution):
    """The training without a stop; not to be written to."""
    return play(execution)


def same_fit(one, other):
    """Whether two trainings are the same, bit for bit."""
    ours, theirs = ({**fit.history.means, **fit.population.tensors()} for fit in (one, other))
    return one.failures == other.failures and all(
        torch.equal(ours[name].nan_to_num(9.0), theirs[name].nan_to_num(9.0))
        if ours[name].shape == theirs[name].shape
        else False
        for name in ours
    )
