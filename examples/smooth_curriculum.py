"""Hue first, then the whole color space
=====================================

A small autoencoder begins with six pure hues and ends with all colors. Weights, learning rate and
sampling follow one sheet, without a jump. Once the color wheel has formed, its hues are anchored,
so that later colors arrange themselves around it. In one variant only red is given beforehand, and
the others are captured where they lie; in the other all six are given.
"""

# %%
# The seeds, and the folder for the results.

from dataclasses import replace
from functools import partial

import torch

import latent_anchors as la
from latent_anchors import colorspace, curriculum, data, evaluation, models, testbed, training, viz
from latent_anchors import regularizers as reg

evidence = testbed.Evidence.from_arguments("smooth_curriculum", seeds=2)

# %%
# The sheet. Of "hues" and "vibrancies" only the purest are drawn at 0, all at 1. Five hues are held
# where they lay at step 1200 ("captured") or at the corners of a hexagon ("given").

SHEET = """\
STEP, PHASE,  ACTION,  lr,    recon, separate, planar, unit, red, captured, given, hues, vibrancies
0,    hue,    ,        0.01,  1,     0,        0.2,    0.1,  0.1,  0,       2,     0,    0
60,   ,       ,        ,      ,      0.1,      ,       ,     ,     ,        ,      ,
600,  ,       ,        ,      ,      0,        0.4,    0.25, 0.1,  ,        2,     0,
1000, ,       ,        ,      ,      ,         0.2,    ,     ,     ,        ,      1,
1200, unfold, capture, 0.01,  ,      ,         ,       ,     ,     0.1,     ,      ,     0
1500, ,       ,        ,      ,      ,         ,       ,     ,     0.25,    ,      ,
2500, ,       ,        ,      ,      ,         0,      0.25, 0.25, 0.25,    0.25,  ,     0.3
3500, ,       ,        0.012, ,      ,         ,       ,     ,     ,        ,      ,     1
4000, ,       ,        0.015, ,      ,         ,       0.25, 0.3,  0.3,     0.3,   ,
5200, ,       ,        0.015, ,      ,         ,       0.02, 0.05, 0.05,    0.05,  ,
7000, ,       ,        2e-4,  1,     ,         ,       0.01, 0.05, 0.05,    0.05,  ,
"""
sheet = curriculum.read_dopesheet(SHEET)
print(sheet)
timeline = curriculum.stretch(sheet.timeline(), 71) if evidence.smoke else sheet.timeline()


def variant(name):
    """The timeline of one of the two."""
    tracks = {each: timeline[each] for each in timeline.names if each not in ("captured", "given")}
    tracks["hold"] = timeline[name]
    return curriculum.Timeline(tracks, timeline.phases, timeline.actions_by_step, timeline.steps)


# %%
# The data: hues, saturations and values, as many as the sheet says. Pure red is labeled as such.

grid = colorspace.hsv_grid(36, 10, 10)
hue_focus, vibrancy = testbed.hue_focus(grid.hsv[:, 0]), colorspace.vibrancy(grid.rgb)


def weights(row):
    """How often each color is drawn."""
    hues = data.focus(hue_focus, row["hues"])
    return grid.weight * hues * data.focus(vibrancy, row["vibrancies"])


red = (grid.rgb == colorspace.named_colors("red")).all(-1)
drawn = data.ScheduledWeights(weights, timeline, ["hues", "vibrancies"], vectorized=True)
sampler = data.Sampler(grid.rgb, {"red": data.SoftLabels(red.float())}, weights=drawn)

# %%
# The objective: hue in the plane of dimensions 0 and 1, red at (1, 0). The places of the others are
# given for the runs of one variant; for those of the other they are NaN until they are captured.

n, others = len(evidence.seeds), ["yellow", "green", "cyan", "blue", "magenta"]
turns = 2 * torch.pi * torch.tensor([colorspace.hue_of(name) for name in others])
corners = torch.stack([turns.cos(), turns.sin(), 0 * turns, 0 * turns], dim=-1)
held_at = torch.stack([torch.full_like(corners, torch.nan)] * n + [corners] * n)
captured = training.LatentHoldLoss(colorspace.named_colors(*others), latents=held_at)
objective = la.Objective(
    [
        la.Term("separate", reg.EuclideanSeparation(softening=0.01)),
        la.Term("planar", reg.Subspace(dims=(0, 1))),
        la.Term("unit", reg.unit_norm),
        la.Term("red", reg.EuclideanAnchor([1.0, 0.0, 0.0, 0.0]), label="red"),
    ],
    losses=["recon", "hold"],
    other_tracks=["lr", "hues", "vibrancies"],
)

# %%
# Train both variants of all seeds at once. At the end of the first phase the hues are captured, and
# we record whether the wheel is in order and where the primaries lie.

primaries = colorspace.named_colors("red", "green", "blue")
shown = colorspace.hsv_grid(24, 4, 4).rgb
snapshots, after_hue, places = training.Snapshots(shown), [], []


def capture(progress):
    """The action of the sheet."""
    captured.capture(progress)
    after_hue.append(testbed.disordered(progress.population))
    places.append(evaluation.latents(progress.population, primaries))


with evidence.training():
    trained = la.fit(
        models.Population.make(models.PlainAutoencoder, [*evidence.seeds, *evidence.seeds]),
        objective,
        [variant("captured")] * n + [variant("given")] * n,
        sampler,
        losses={"recon": training.reconstruction, "hold": captured},
        actions={"capture": capture},
        callbacks=[training.Every(150, snapshots)],
        optimizer=partial(torch.optim.Adam, fused=True),
    )

# %%
# Is the wheel in order after the first phase and at the end? Has a primary moved since the first
# phase, by more than 15 degrees even, how far from its place does red lie, and is the wheel flat?

population = trained.population
places.append(evaluation.latents(population, primaries))
measured = {
    "disordered/{}/first_phase": after_hue[0],
    "disordered/{}/end": testbed.disordered(population),
    "crumpled/{}/end": testbed.crumpled(population),
    "drift/{}/end": testbed.drift(*places),
    "drifted/{}/end": testbed.drifted(*places),
    "anchor_angle/{}/red": testbed.anchor_angle(population, "red", [1.0, 0.0, 0.0, 0.0]),
    "nonplanarity/{}": testbed.nonplanarity(population),
    "error/baseline/{}/grid": testbed.error_groups(population, "red")["grid"],
}
found = {}
for each, runs in {"captured": slice(n), "given": slice(n, None)}.items():
    found |= {name.format(each): values[runs] for name, values in measured.items()}
failures = [replace(failure, run=failure.run % n) for failure in trained.failures]
metrics = evidence.write(found, {"sheet": SHEET, "batch_size": 64}, failures)
print(evaluation.metric_table(metrics, [*found]))

# %%
# The space of the first run as it unfolds, from above and from the side; and the sheet.

first, title = snapshots.latents[:, 0], "Hue first, then the whole color space unfolds"
views = [(1, 0, 2), (1, 2, 0)]
motion = viz.animate_latents(first, shown, snapshots.steps, views=views, title=title)
strip = viz.plot_snapshots(first, shown, snapshots.steps, title=title)
plan = viz.plot_timeline(timeline, title="What is emphasized, and when")
viz.save_figures({"motion": motion, "unfolding": strip, "timeline": plan}, evidence.out, dark=True)
