"""Delete red from the weights
===========================

A tiny autoencoder is trained with red at one pole of its latent sphere. Then the pole's dimension
is removed from the weights. The rest is healed: without labels, it learns to reproduce the whole
network with red muted, and to encode a color that was red as the color that it became.
"""

# %%
# The seeds, the hue, and the folder for the results.

from functools import partial

import latent_anchors as la
from latent_anchors import colorspace, curriculum, evaluation, interventions, models
from latent_anchors import testbed, training, viz

evidence = testbed.Evidence.from_arguments("delete_red", seeds=4, concept="red")
concept = evidence.concept

# %%
# The recipe of ``mute_red.py``, with one dimension more: when one is gone, the colors that stay
# still need a sphere.

print(testbed.POLE_SHEET)
with evidence.training():
    trained = la.fit(
        partial(models.SphericalAutoencoder, latent_dim=5),
        testbed.pole_objective(concept, latent_dim=5),
        curriculum.read_dopesheet(testbed.POLE_SHEET).timeline(),
        testbed.pole_sampler(concept),
        losses=testbed.pole_losses(latent_dim=5),
        seeds=evidence.seeds,
        steps=evidence.steps,
    )
whole = trained.population

# %%
# The cut: the anchor's dimension is removed from the weights before and after the latents. The
# opposite hue goes with it, and healing brings that one back. The teacher is the whole network with
# the concept muted, in proportion at first and steeply towards the pole. The cut network learns to
# reproduce the teacher, on colors of a finer grid and without labels.

anchor = [1.0, 0.0, 0.0, 0.0, 0.0]
cut = interventions.prune(whole, [0])
falloff = interventions.BezierFalloff(threshold=0.0, end_slope=3.0, start_slope=0.6)
mute = interventions.Suppression(anchor, falloff)
with evidence.training():
    healed = testbed.heal(cut, training.Teacher(whole, mute), evidence.steps)

# %%
# Measure the whole network, the cut one, and the healed one, which is what is delivered.

conditions = {"as trained": whole, "cut": cut, f"{concept} removed": healed.population}
named = colorspace.named_colors(*colorspace.COLOR_NAMES)
grid, wheel = colorspace.rgb_grid(8), colorspace.hsv_grid(360, [1.0], [1.0])
outputs = {name: testbed.reconstructions(each, named) for name, each in conditions.items()}
errors = {name: testbed.hue_sweep(each) for name, each in conditions.items()}

found = (
    testbed.evaluate_colors(whole, concept)
    | testbed.evaluate_colors(cut, concept, "cut", exponent=3)
    | testbed.evaluate_colors(healed.population, concept, "removed", exponent=3)
    | {
        "sharpness/removed": testbed.sharpness(healed.population, concept),
        f"alignment/{concept}": testbed.color_alignment(whole, concept, anchor),
        "crumpled": testbed.crumpled(whole),
        f"labels/{concept}": trained.history.labels_used("anchor"),
    }
)
settings = {
    "sheet": testbed.POLE_SHEET,
    "healing": testbed.HEALING_SHEET,
    "mute": repr(mute),
    "batch_size": 64,
    "grid": 8,
}
metrics = evidence.write(found, settings, [*trained.failures, *healed.failures])
print(testbed.error_table(metrics, ["baseline", "cut", "removed"]))
print(
    evaluation.metric_table(
        metrics,
        ["selectivity_r2/removed", "sharpness/removed", f"alignment/{concept}", "crumpled"],
    )
)

# %%
# The first run's sphere before the cut, outputs before and after, the error of every hue;
# and how far the damage follows similarity to the concept.

panels = viz.plot_before_after(
    concept,
    anchor=anchor,
    z=evaluation.latents(whole, grid)[0],
    colors=grid,
    outputs=outputs,
    hues=wheel.hsv[:, 0],
    errors=errors,
    title=f"{concept.capitalize()} is removed from the weights; the damage to others is healed",
)
similarity = colorspace.hsv_similarity(grid, colorspace.named_colors(concept)) ** 3
damage = testbed.color_errors(healed.population, grid)
against = viz.plot_error_against(
    f"similarity to {concept}, cubed", similarity, damage, grid, title="Damage by similarity"
)
viz.save_figures({"delete_red": panels, "similarity": against}, evidence.out)
