"""Mute red, and allow orange
==========================

A tiny autoencoder is trained with red at one pole of its latent sphere. Where red lies is then
known to a few degrees, so that an edit can act within a narrow cone around it: red turns gray, and
its neighbors, 30 degrees of hue away, stay as they are. With ``--graded`` the same networks are
muted in another way: everything in proportion to how similar it is to red.
"""

# %%
# The seeds, the hue, which of the two edits, and the folder for the results.

import math

import latent_anchors as la
from latent_anchors import colorspace, curriculum, evaluation, interventions, models, testbed, viz

evidence = testbed.Evidence.from_arguments(
    "mute_red",
    seeds=6,
    concept="red",
    switches={"graded": "mute in proportion to similarity instead of within a narrow cone"},
)
concept = evidence.concept

# %%
# The data: 512 colors, drawn with replacement, with noisy labels, drawn anew each time a color is
# sampled. Fewer than two in a thousand are labeled with the hue, and as many with its opposite. The
# objective puts the hue at one pole, its opposite at the other, vivid colors into the plane of hue,
# and grays at a right angle to it. A second loss, the fallback, has the decoder answer mid-gray at
# the origin, which is where muting sends the pole. In the schedule a low learning rate, and weights
# that stay a little above zero to the end, keep every seed's color wheel in order.

sampler = testbed.pole_sampler(concept)
objective = testbed.pole_objective(concept)
timeline = curriculum.read_dopesheet(testbed.POLE_SHEET).timeline()
print(objective, testbed.POLE_SHEET, sep="\n")

# %%
# Train all seeds at once.

with evidence.training():
    trained = la.fit(
        models.SphericalAutoencoder,
        objective,
        timeline,
        sampler,
        losses=testbed.pole_losses(),
        seeds=evidence.seeds,
        steps=evidence.steps,
    )

# %%
# The edits, the same for all seeds and hues. Both see latents only. The narrow one removes the part
# along the anchor, within a cone of 18 degrees around it; the graded one acts on everything
# on the hue's side of the sphere, more the nearer it is.

WIDTH = 18.0
anchor = [1.0, 0.0, 0.0, 0.0]
narrow = interventions.Suppression(
    anchor, interventions.BoundedFalloff(threshold=math.cos(math.radians(WIDTH)))
)
graded = interventions.Suppression(anchor, interventions.BoundedFalloff(power=0.2))
chosen, muted = ("graded", graded) if "graded" in evidence.switches else ("narrow", narrow)

# %%
# Measure with and without the chosen edit.

population, grid = trained.population, sampler.inputs
named = colorspace.named_colors(*colorspace.COLOR_NAMES)
wheel = colorspace.hsv_grid(360, [1.0], [1.0])
moved = evaluation.displacement(evaluation.latents(population, grid), muted)

found = testbed.evaluate_colors(population, concept)
outputs = {"as trained": testbed.reconstructions(population, named)}
errors = {"as trained": testbed.hue_sweep(population)}
with la.intervene(population, muted):
    found |= testbed.evaluate_colors(population, concept, "muted", exponent=2)
    found |= {"sharpness/muted": testbed.sharpness(population, concept)}
    outputs[f"{concept} muted"] = testbed.reconstructions(population, named)
    errors[f"{concept} muted"] = testbed.hue_sweep(population)
    damage = testbed.color_errors(population, grid)

predicted_r2 = evaluation.squared_correlation(damage, moved)
aligned = testbed.hue_alignments(population, anchor)
found |= {
    **{f"alignment/{name}": cosine for name, cosine in aligned.items()},
    "predicted_r2/muted": predicted_r2,
    "hue_order": testbed.hue_order(population).abs(),
    "noncircularity": testbed.noncircularity(population),
    "crumpled": testbed.crumpled(population),
    f"labels/{concept}": trained.history.labels_used("anchor"),
}
settings = {"sheet": testbed.POLE_SHEET, "mute": repr(muted), "batch_size": 64, "grid": 8}
metrics = evidence.write(found, settings, trained.failures)
print(testbed.error_table(metrics))
summary = ["selectivity_r2/muted", "sharpness/muted", "predicted_r2/muted", "error/muted/far"]
print(evaluation.metric_table(metrics, [*summary, f"labels/{concept}", "crumpled"]))

# %%
# The first run's sphere, the outputs, the error of every hue; what both edits do to unit
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
    f"similarity to {concept}, squared", similarity, damage, grid, title="Damage by similarity"
)
figures = {"mute_red": panels, "sphere": sphere, "lobes": lobes, "similarity": against}
viz.save_figures(figures, evidence.out)
