"""Mute red, and allow orange
==========================

A tiny autoencoder is trained with red at one pole of its latent sphere. Where red lies is then
known to a few degrees, so that an edit can act within a narrow cone around it: red turns gray, and
its neighbors, 30 degrees of hue away, stay as they are. With ``--graded`` the same networks are
muted in another way: everything in proportion to how similar it is to red.
"""

# %%
# Which seeds, which hue, which of the two edits, where the results go.

import math
import time

import torch

import latent_anchors as la
from latent_anchors import (
    colorspace,
    curriculum,
    data,
    evaluation,
    interventions,
    models,
    testbed,
    training,
    viz,
)
from latent_anchors import regularizers as reg

torch.set_num_threads(1)  # tensors as small as these gain nothing from a second one

evidence = testbed.Evidence.from_arguments(
    "mute_red",
    seeds=6,
    concept="red",
    switches={"graded": "mute in proportion to similarity instead of within a narrow cone"},
)
concept = evidence.concept

# %%
# The data: 512 colors, drawn with replacement, and noisy labels, drawn anew each time a color is
# seen. Fewer than two in a thousand are labeled with the hue, and as many with its opposite.

grid, hue = colorspace.rgb_grid(8), colorspace.hue_of(concept)
sampler = data.Sampler(
    grid,
    labels={
        concept: data.BernoulliLabels(0.24 * colorspace.hue_degree(grid, hue) ** 12),
        "opposite": data.BernoulliLabels(0.24 * colorspace.hue_degree(grid, hue + 0.5) ** 12),
        "vibrant": data.BernoulliLabels(0.03 * colorspace.vibrancy(grid) ** 10),
        "gray": data.BernoulliLabels(0.02 * colorspace.grayness(grid) ** 8),
    },
    batch_size=64,
)

# %%
# The schedule. A low learning rate and weights that stay a little above zero to the end keep every
# seed's color wheel in order and its red within a few degrees of the pole.

SHEET = """\
STEP, lr,   recon, fallback, separate, anchor, plane, gray
0,    1e-8, 1,     0,        1.89,     0.01,   0.03,  0.03
10,   0.01, ,      ,         ,         ,       ,
1500, 0.03, ,      0.1,      1.89,     0.1,    ,
2250, ,     ,      ,         ,         ,       0.03,  0.03
2850, 0.02, ,      ,         0,        0.01,   0,     0.01
3000, 1e-3, ,      ,         ,         ,       ,
"""
timeline = curriculum.read_dopesheet(SHEET).timeline()

# %%
# The objective: the hue at one pole, its opposite at the other, vivid colors in the plane of hue,
# grays at a right angle to it. The fallback is what the decoder should say of the origin, which is
# where muting sends the pole: mid-gray.

anchor = [1.0, 0.0, 0.0, 0.0]
opposite = [-1.0, 0.0, 0.0, 0.0]
objective = la.Objective(
    [
        la.Term("separate", reg.Separation(power=100)),
        la.Term("anchor", reg.Anchor(anchor), label=concept),
        la.Term("opposite", reg.Anchor(opposite), label="opposite", track="anchor"),
        la.Term("plane", reg.Subspace(dims=(0, 1)), label="vibrant"),
        la.Term("gray", reg.AntiSubspace(dims=(0, 1)), label="gray"),
    ],
    losses=["recon", "fallback"],
    tracks=timeline.names,
    other_tracks=["lr"],
)
fallback = training.EditedOutputLoss(
    interventions.Zeroing(range(4)), say=torch.full((3,), 0.5), inputs=torch.zeros(1, 3)
)

# %%
# Train all seeds at once.

began = time.monotonic()
trained = la.fit(
    models.SphericalAutoencoder,
    objective,
    timeline,
    sampler,
    losses={"recon": training.reconstruction, "fallback": fallback},
    seeds=evidence.seeds,
    steps=evidence.steps,
)
train_seconds = time.monotonic() - began

# %%
# The edits, the same for all seeds and hues. Both see latents only. The narrow one takes out what
# points along the anchor, within a cone of 18 degrees around it; the graded one acts on everything
# on the hue's side of the sphere, more the nearer it is.

WIDTH = 18.0
narrow = interventions.Suppression(
    anchor, interventions.BoundedFalloff(threshold=math.cos(math.radians(WIDTH)))
)
graded = interventions.Suppression(anchor, interventions.BoundedFalloff(power=0.2))
chosen, muted = ("graded", graded) if "graded" in evidence.switches else ("narrow", narrow)

# %%
# Measure with and without the chosen edit.

population = trained.population
named = colorspace.named_colors(*colorspace.COLOR_NAMES)
wheel = colorspace.hsv_grid(360, [1.0], [1.0])
moved = evaluation.displacement(evaluation.latents(population, grid), muted)

found = evaluation.evaluate_colors(population, concept)
outputs = {"as trained": evaluation.reconstructions(population, named)}
errors = {"as trained": evaluation.color_errors(population, wheel.rgb)}
with la.intervene(population, muted):
    found |= evaluation.evaluate_colors(population, concept, "muted", exponent=2)
    found |= {"sharpness/muted": evaluation.sharpness(population, concept)}
    outputs[f"{concept} muted"] = evaluation.reconstructions(population, named)
    errors[f"{concept} muted"] = evaluation.color_errors(population, wheel.rgb)
    damage = evaluation.color_errors(population, grid)

foretold = evaluation.agreement(moved, damage)
aligned = evaluation.alignments(population, anchor)
found |= {
    **{f"alignment/{name}": cosine for name, cosine in aligned.items()},
    "foretold_r2/muted": foretold.r2,
    "hue_order": evaluation.hue_order(population).abs(),
    "noncircularity": evaluation.noncircularity(population),
    "crumpled": evaluation.crumpled(population),
    f"labels/{concept}": trained.history.labels_used("anchor"),
}
settings = {"sheet": SHEET, "mute": repr(muted), "batch_size": 64, "grid": 8}
metrics = evidence.write(found, settings, train_seconds, trained.failures)
print(evaluation.error_table(metrics))
summary = ["selectivity_r2/muted", "sharpness/muted", "foretold_r2/muted", "error/muted/far"]
print(evaluation.metric_table(metrics, [*summary, f"labels/{concept}", "crumpled"]))

# %%
# The first run's sphere, what comes out, the error of every hue; what both edits do to unit
# vectors; and how far the damage follows similarity to the concept.

title = {
    "narrow": f"{concept.capitalize()} is muted within {WIDTH:g} degrees; its neighbors stay",
    "graded": f"{concept.capitalize()} is muted, and what resembles it in proportion",
}[chosen]
z = evaluation.latents(population, grid)[0]
panels = viz.plot_before_after(
    concept,
    anchor=anchor,
    z=z,
    colors=grid,
    outputs=outputs,
    hues=wheel.hsv[:, 0],
    errors=errors,
    title=title,
)
sphere = viz.plot_latents(
    z, grid, cone=(anchor, WIDTH), title=f"The narrow edit's cone, {WIDTH:g} degrees around"
)
lobes = viz.plot_edit_polar({"narrow": narrow, "graded": graded}, anchor, title="Two ways to mute")
similarity = colorspace.hsv_similarity(grid, colorspace.named_colors(concept)) ** 2
against = viz.plot_error_against(
    f"similarity to {concept}, squared", similarity, damage, grid, title="Who is hurt"
)
figures = {"mute_red": panels, "sphere": sphere, "lobes": lobes, "similarity": against}
viz.save_figures(figures, evidence.out)
