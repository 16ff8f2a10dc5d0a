"""Put red on a chosen axis, and mute it
=====================================

A tiny autoencoder learns the colors of the RGB cube. Before training we choose a direction of its
latent sphere for red, and a plane for vivid hues. About 80 of 96,000 samples carry a label "red",
given at random and only to colors that are very red; a schedule lets the penalties rise and fade.
Afterwards red lies on the chosen axis, and muting that direction turns red gray.
"""

# %%
# The seeds, the hue, and the folder for the results.

import latent_anchors as la
from latent_anchors import colorspace, curriculum, data, evaluation, interventions
from latent_anchors import models, testbed, training, viz
from latent_anchors import regularizers as reg

evidence = testbed.Evidence.from_arguments("anchor_red", seeds=12, concept="red")
concept = evidence.concept

# %%
# The data: 512 colors, drawn with replacement. A label is drawn anew each time a color is sampled,
# with a probability that grows steeply with how much of the hue, or how vivid, the color is.

grid = colorspace.rgb_grid(8)
degree = colorspace.hue_degree(grid, colorspace.hue_of(concept))
vibrancy = colorspace.vibrancy(grid)
sampler = data.Sampler(
    grid,
    labels={
        concept: data.BernoulliLabels(0.08 * degree**8),
        "vibrant": data.BernoulliLabels(0.01 * vibrancy**10),
    },
    batch_size=64,
)

# %%
# The schedule, as a dope sheet. Separation is a mean over the other 63 samples of a batch, where
# published recipes sum over them: their weight 0.01 is 0.63 here. From step 1425 on only the
# reconstruction is trained.

SHEET = """\
STEP, lr,   recon, separate, anchor, subspace
0,    1e-8, 1,     0.63,     0.01,   0.01
10,   0.01, ,      ,         ,
375,  ,     ,      ,         ,       0.1
750,  0.1,  ,      0.63,     0.1,
1125, ,     ,      ,         ,       0.1
1425, 0.1,  ,      0,        0,      0
1500, 0.05, ,      ,         ,
"""
timeline = curriculum.read_dopesheet(SHEET).timeline()

# %%
# The objective: where latents should be.

anchor = [1.0, 0.0, 0.0, 0.0]
objective = la.Objective(
    [
        la.Term("separate", reg.Separation(power=100)),
        la.Term("anchor", reg.Anchor(anchor), label=concept),
        la.Term("subspace", reg.Subspace(dims=(0, 1)), label="vibrant"),
    ],
    losses=["recon"],
    other_tracks=["lr"],
)

# %%
# Train all seeds at once.

with evidence.training():
    trained = la.fit(
        models.SphericalAutoencoder,
        objective,
        timeline,
        sampler,
        losses={"recon": training.reconstruction},
        seeds=evidence.seeds,
        steps=evidence.steps,
    )

# %%
# Measure without an edit, and with the concept's direction muted: the part along the anchor is
# removed, everything else stays.

population, named = trained.population, colorspace.named_colors(*colorspace.COLOR_NAMES)
wheel = colorspace.hsv_grid(360, [1.0], [1.0])
mute = interventions.Suppression(anchor)

found = testbed.evaluate_colors(population, concept)
outputs = {"as trained": testbed.reconstructions(population, named)}
errors = {"as trained": testbed.hue_sweep(population)}
with la.intervene(population, mute):
    found |= testbed.evaluate_colors(population, concept, "muted", exponent=2)
    outputs[f"{concept} muted"] = testbed.reconstructions(population, named)
    errors[f"{concept} muted"] = testbed.hue_sweep(population)

found |= {
    f"alignment/{concept}": testbed.color_alignment(population, concept, anchor),
    "crumpled": testbed.crumpled(population),
    f"labels/{concept}": trained.history.labels_used("anchor"),
    "labels/vibrant": trained.history.labels_used("subspace"),
}
settings = {"sheet": SHEET, "mute": repr(mute), "batch_size": 64, "grid": 8}
metrics = evidence.write(found, settings, trained.failures)
print(testbed.error_table(metrics))
print(evaluation.metric_table(metrics, ["selectivity_r2/muted", f"labels/{concept}", "crumpled"]))

# %%
# The first run's latent sphere, its outputs, and the error of every hue over all runs.

z = evaluation.latents(population, grid)[0]
summary = viz.plot_before_after(
    concept,
    anchor=anchor,
    z=z,
    colors=grid,
    outputs=outputs,
    hues=wheel.hsv[:, 0],
    errors=errors,
    title=f"{concept.capitalize()} was put at the top before training; "
    "muted, it turns gray, its neighbors in part",
)
sphere = viz.plot_latents(z, grid, title="The latent sphere of the first run, from three sides")
viz.save_figures({"anchor_red": summary, "sphere": sphere}, evidence.out)
