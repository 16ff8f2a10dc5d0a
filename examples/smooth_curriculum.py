"""Hue first, then the whole color space
=====================================

A small autoencoder begins with six pure hues and ends with all colors; red and the primaries stay
in place while the rest unfolds. Weights, learning rate and what is sampled travel along one sheet,
without a jump. Once the color wheel has formed, its hues are anchored, so that the colors that come
later have to arrange themselves around it. Two variants, on the same seeds: only red is given
beforehand, and the others are captured where they came to lie; or all six are given. In a
curriculum a wheel can crumple: hues out of order stay out of order.
"""

# %%
# Which seeds, and where the results go.

from dataclasses import replace
from functools import partial

import torch

import latent_anchors as la
from latent_anchors import colorspace, curriculum, data, evaluation, models, testbed, training, viz
from latent_anchors import regularizers as reg

evidence = testbed.Evidence.from_arguments("smooth_curriculum", seeds=2)

# %%
# The sheet. "hues" and "vibrancies" are fractions: at 0 only the pure hues are drawn, then more and
# more of what lies between. "captured" is how firmly five hues are held where they lay at step
# 1200, "given" at the corners of a hexagon; each variant has one of the two, by the name of "hold".

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
timeline = curriculum.stretch(sheet.timeline(), 71) if evidence.smoke else sheet.timeline()


def variant(name):
    """The timeline of one of the two."""
    tracks = {each: timeline[each] for each in timeline.names if each not in ("captured", "given")}
    hold = {"hold": timeline[name]}
    return curriculum.Timeline(
        tracks | hold, timeline.phases, timeline.actions_by_step, timeline.steps
    )


variants = {name: variant(name) for name in ("captured", "given")}
print(sheet)

# %%
# The data: all hues, saturations and values, of which the sheet says how many are drawn. Pure red
# is labeled as such.

grid = colorspace.hsv_grid(36, 10, 10)
hue_focus, vibrancy = testbed.hue_focus(grid.hsv[:, 0]), colorspace.vibrancy(grid.rgb)


def weights(row):
    """How often each color is drawn."""
    return (
        grid.weight * data.focus(hue_focus, row["hues"]) * data.focus(vibrancy, row["vibrancies"])
    )


six = [*colorspace.HUES][::2]
red = (grid.rgb == colorspace.named_colors("red")).all(-1)
sampler = data.Sampler(
    grid.rgb,
    labels={"red": data.SoftLabels(red.float())},
    weights=data.ScheduledWeights(weights, timeline, ["hues", "vibrancies"], vectorized=True),
)

# %%
# The objective. Hue is to lie in the plane of dimensions 0 and 1, red at (1, 0). Where the others
# are held is given for the runs of one variant; for those of the other it is not a number until it
# is captured, run by run.

n = len(evidence.seeds)
turns = 2 * torch.pi * torch.tensor([colorspace.hue_of(name) for name in six[1:]])
corners = torch.stack([turns.cos(), turns.sin(), 0 * turns, 0 * turns], dim=-1)
places = torch.stack([torch.full_like(corners, torch.nan)] * n + [corners] * n)
captured = training.LatentHoldLoss(colorspace.named_colors(*six[1:]), latents=places)
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
# it is noted whether the wheel is in order and where the primaries lie; along the way we keep where
# some colors lie.

primaries = colorspace.named_colors("red", "green", "blue")
shown = colorspace.hsv_grid(24, 4, 4).rgb
snapshots = training.Snapshots(shown)
after_hue: list[torch.Tensor] = []
places: list[torch.Tensor] = []


def capture(progress):
    """What the sheet's action does."""
    captured.capture(progress)
    after_hue.append(testbed.disordered(progress.population))
    places.append(evaluation.latents(progress.population, primaries))


with evidence.training():
    trained = la.fit(
        models.Population.make(models.PlainAutoencoder, [*evidence.seeds, *evidence.seeds]),
        objective,
        [variants["captured"]] * n + [variants["given"]] * n,
        sampler,
        losses={"recon": training.reconstruction, "hold": captured},
        actions={"capture": capture},
        callbacks=[training.Every(150, snapshots)],
        optimizer=partial(torch.optim.Adam, fused=True),
    )

# %%
# Is the wheel in order after the first phase, and is everything clean at the end? Has a primary
# moved since the first phase, by more than 15 degrees even, how far from its place does red lie,
# and is the wheel flat?

end = testbed.crumpled(trained.population)
places.append(evaluation.latents(trained.population, primaries))
moved, drifted = testbed.drift(*places), testbed.drifted(*places)
red_off = testbed.anchor_angle(trained.population, "red", [1.0, 0.0, 0.0, 0.0])
residue = testbed.nonplanarity(trained.population)
order = testbed.disordered(trained.population)
error = testbed.error_groups(trained.population, "red")["grid"]
found = {}
for variant, runs in {"captured": slice(0, n), "given": slice(n, 2 * n)}.items():
    found[f"disordered/{variant}/first_phase"] = after_hue[0][runs]
    found[f"disordered/{variant}/end"] = order[runs]
    found[f"crumpled/{variant}/end"] = end[runs]
    found[f"drift/{variant}/end"] = moved[runs]
    found[f"drifted/{variant}/end"] = drifted[runs]
    found[f"anchor_angle/{variant}/red"] = red_off[runs]
    found[f"nonplanarity/{variant}"] = residue[runs]
    found[f"error/baseline/{variant}/grid"] = error[runs]
failures = [replace(failure, run=failure.run % n) for failure in trained.failures]
settings = {"sheet": SHEET, "batch_size": 64}
metrics = evidence.write(found, settings, failures)
print(evaluation.metric_table(metrics, [*found]))

# %%
# The space of the first run as it unfolds, from above and from the side; a strip of the same for
# print; and the sheet that made it.

first, title = snapshots.latents[:, 0], "Hue first, then the whole color space unfolds"
motion = viz.animate_latents(
    first, shown, snapshots.steps, views=[(1, 0, 2), (1, 2, 0)], title=title
)
strip = viz.plot_snapshots(first, shown, snapshots.steps, title=title)
plan = viz.plot_timeline(timeline, title="What is emphasized, and when")
viz.save_figures({"motion": motion, "unfolding": strip, "timeline": plan}, evidence.out, dark=True)
