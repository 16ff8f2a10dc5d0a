"""Curriculum learning: from a ring of hues to a dome
==================================================

In ``mlp_bottleneck.py`` a circle was built into the network. Here latents may lie anywhere in three
dimensions; two cheap penalties ask for length 1 and for a plane, and what is shown grows in phases:
twelve hues, all hues, then darker and darker ones. The wheel forms, and as the weight of the plane
falls, value becomes height: a dome, with hue as the angle. Nothing holds the hues in place, though,
so that they drift from phase to phase, and now and then a wheel comes out crumpled.
"""

# %%
# The seeds, and the folder for the results.

from functools import partial

import torch

import latent_anchors as la
from latent_anchors import colorspace, curriculum, data, evaluation, models, testbed, training, viz
from latent_anchors import regularizers as reg

evidence = testbed.Evidence.from_arguments("curriculum_learning", seeds=4)

# %%
# The sheet: five phases, each of which begins abruptly. "reach" says how far the data go on either
# side of the twelve named hues, in turns, and "darkest" how far down in value; "unit" and "planar"
# are the weights of the penalties. Phases and weights are those of the experiment that this
# follows, and the learning rate warms up over a tenth of each phase, as it did there. Three things
# differ. It cools down over another tenth, so that what is measured at the end has settled. Colors
# come in batches of 64, drawn with replacement, not all at once. And values are 0.1 apart, so that
# each phase keeps what it had before.

SHEET = """\
STEP, PHASE,        ACTION, lr::linear, recon, unit::step, planar::step, reach::step, darkest::step
0,    twelve hues,  ,       1e-4,       1,     0.02,       0.1,          0,           1
+0.1, ,             ,       0.01,       ,      ,           ,             ,
-0.1, ,             ,       0.01,       ,      ,           ,             ,
2000, all hues,     look,   1e-4,       ,      0.02,       0.1,          0.05,        1
+0.1, ,             ,       0.01,       ,      ,           ,             ,
-0.1, ,             ,       0.01,       ,      ,           ,             ,
4000, a bit darker, look,   1e-4,       ,      0.05,       0.02,         0.05,        0.9
+0.1, ,             ,       0.01,       ,      ,           ,             ,
-0.1, ,             ,       0.01,       ,      ,           ,             ,
7000, darker,       look,   1e-4,       ,      0.1,        0.005,        0.05,        0.8
+0.1, ,             ,       0.01,       ,      ,           ,             ,
-0.1, ,             ,       0.01,       ,      ,           ,             ,
9000, all values,   look,   1e-4,       ,      0.1,        0,            0.05,        0.2
+0.1, ,             ,       0.01,       ,      ,           ,             ,
-0.1, ,             ,       0.01,       ,      ,           ,             ,
12000,,             ,       1e-4,       1,     0.1,        0,            0.05,        0.2
"""
sheet = curriculum.read_dopesheet(SHEET)
timeline = curriculum.stretch(sheet.timeline(), 61) if evidence.smoke else sheet.timeline()
print(sheet)

# %%
# The data: hues at full saturation, in nine values from 0.2 to 1. The edges of what is shown are
# hard.

grid = colorspace.hsv_grid(72, [1.0], [k / 10 for k in range(2, 11)])


def weights(row):
    """How often each color is drawn."""
    return testbed.color_extent(
        grid.hsv,
        hues=[*colorspace.HUES.values()],
        reach=row["reach"],
        value=(row["darkest"], 1.0),
        edges=(1e-6, 1e-6, 1e-6),
    )


shown = data.ScheduledWeights(weights, timeline, ["reach", "darkest"])
sampler = data.Sampler(grid.rgb, batch_size=64, weights=shown)

# %%
# The objective: length 1, and hue in the plane of dimensions 0 and 1.

objective = la.Objective(
    [la.Term("unit", reg.unit_norm), la.Term("planar", reg.Subspace(dims=(0, 1)))],
    losses=["recon"],
    other_tracks=["lr", "reach", "darkest"],
)

# %%
# Train all seeds at once. At the end of each phase we note what the wheel is like, where the three
# primaries lie, and what one run's latents look like. A wheel has drifted if one of them has moved
# more than 15 degrees since the phase before.

primaries = colorspace.named_colors("red", "green", "blue")
phases = [phase.name for phase in timeline.phases]
found, places, dome = {}, [], []


def look(population):
    """At the end of a phase."""
    phase = phases[len(places)].replace(" ", "_")
    places.append(evaluation.latents(population, primaries))
    dome.append(evaluation.latents(population, grid.rgb)[0])
    found[f"hue_order/{phase}"] = testbed.hue_order(population).abs()
    found[f"disordered/{phase}"] = testbed.disordered(population)
    found[f"noncircularity/{phase}"] = testbed.noncircularity(population)
    found[f"nonplanarity/{phase}"] = testbed.nonplanarity(population)
    if len(places) > 1:
        found[f"drift/{phase}"] = testbed.drift(*places[-2:])
        found[f"drifted/{phase}"] = testbed.drifted(*places[-2:])


with evidence.training():
    trained = la.fit(
        partial(models.PlainAutoencoder, latent_dim=3),
        objective,
        timeline,
        sampler,
        losses={"recon": training.reconstruction},
        seeds=evidence.seeds,
        actions={"look": lambda progress: look(progress.population)},
        optimizer=partial(torch.optim.Adam, fused=True),
    )
look(trained.population)

# %%
# At the end: does height follow value, how high is the dome, and is everything clean? That means a
# wheel in order, and an error of at most 0.001 over the colors that were shown: grays never were.

population = trained.population
found |= {
    "height": testbed.height(population),
    "height_order": testbed.height_order(population),
    "drifted/ever": torch.stack([found[name] for name in found if "drifted" in name]).any(0),
    "crumpled/end": testbed.crumpled(population, learned=grid.rgb),
    "error/shown": testbed.color_errors(population, grid.rgb).mean(1),
}
metrics = evidence.write(found, {"sheet": SHEET, "batch_size": 64}, trained.failures)
print(evaluation.metric_table(metrics, [*found]))

# %%
# The first run after each phase: from above, where the wheel is, and from the side, where value is.
# All values are drawn each time, also those that the network has not been shown yet. And the sheet
# that made it.

ends = dict(zip(phases, dome, strict=True))
above = viz.plot_unfolding(ends, grid.rgb, title="From above: hue goes round")
side = viz.plot_unfolding(
    ends, grid.rgb, view=(1, 2, 0), title="From the side: the darker, the farther out of the plane"
)
plan = viz.plot_timeline(timeline, title="Data and weights in five phases")
viz.save_figures({"above": above, "side": side, "timeline": plan}, evidence.out)
