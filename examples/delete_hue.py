"""Delete the whole plane of hue
=============================

Before training, a plane of the latent sphere is set aside for hue: a few labels draw vivid colors
into it and grays out of it. Two operations on the weights then delete the plane. Silenced, the
decoder no longer reads it: every color turns into about its own gray. Pruned, the encoder can no
longer write it either: all that is left is a circle, which grays need. But what little is left of a
vivid color is stretched to full length by the normalization, and often comes out black or white. A
short healing pass, without labels, trains the pruned network to reproduce the silenced one.
"""

# %%
# The seeds, and the folder for the results.

import torch

import latent_anchors as la
from latent_anchors import colorspace, curriculum, data, evaluation, interventions
from latent_anchors import models, testbed, training, viz
from latent_anchors import regularizers as reg

evidence = testbed.Evidence.from_arguments("delete_hue", seeds=12)

# %%
# The data: 512 colors, drawn with replacement. A label is drawn anew each time a color is sampled,
# with a probability that grows steeply with how vivid, or how gray, the color is.

grid = colorspace.rgb_grid(8)
vibrancy = colorspace.vibrancy(grid)
labels = {
    "vibrant": data.BernoulliLabels(0.02 * vibrancy**10),
    "gray": data.BernoulliLabels(0.02 * colorspace.grayness(grid) ** 8),
}
sampler = data.Sampler(grid, labels, batch_size=64)

# The schedule: the two penalties of the plane never end, but become weak.
SHEET = """\
STEP, lr,   recon, fallback, separate, plane, gray
0,    1e-8, 1,     0,        1.89,     0.05,  0.03
10,   0.01, ,      ,         ,         ,
1500, 0.03, ,      0.2,      1.89,     ,
2250, ,     ,      ,         ,         0.05,  0.03
2850, 0.02, ,      ,         0,        0.01,  0.01
3000, 1e-3, ,      ,         ,         ,
"""
timeline = curriculum.read_dopesheet(SHEET).timeline()

# %%
# The objective. A color that is nothing but hue will be left at the origin, where no latent ever
# lies during training; a second loss, the fallback, has the decoder answer mid-gray there.

PLANE = (0, 1)
objective = la.Objective(
    [
        la.Term("separate", reg.Separation(power=100)),
        la.Term("plane", reg.Subspace(dims=PLANE), label="vibrant"),
        la.Term("gray", reg.AntiSubspace(dims=PLANE), label="gray"),
    ],
    losses=["recon", "fallback"],
    other_tracks=["lr"],
)

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
# The surgery, twice: the decoder's side alone, and both sides. Neither looks at any color. Then
# healing: 1000 steps in which the pruned network imitates the silenced one, without any labels.

population = trained.population
silenced = interventions.ablate(population, PLANE, side="reading")
pruned = interventions.prune(population, PLANE)

HEALING = """\
STEP, lr,   imitate
0,    1e-4, 1
20,   0.01,
500,  0.01,
1000, 1e-4,
"""
with evidence.training():
    healed = la.fit(
        pruned,
        la.Objective([], losses=["imitate"], other_tracks=["lr"]),
        curriculum.read_dopesheet(HEALING).timeline(),
        sampler,
        losses={"imitate": training.DistillationLoss(training.Teacher(silenced))},
        steps=evidence.steps,
    )

# %%
# Measure each: the errors of named colors, and how well the error follows vibrancy.

networks = {"baseline": population, "silenced": silenced, "pruned": pruned}
networks["removed"] = healed.population
groups = [*colorspace.COLOR_NAMES, "grays", "grid", "between"]
found = {}
for condition, network in networks.items():
    errors = testbed.error_groups(network, "red")  # "far" alone depends on the hue
    found |= {f"error/{condition}/{group}": errors[group] for group in groups}
    if condition != "baseline":
        found |= {f"vibrancy_r2/{condition}": testbed.vibrancy_r2(network)}

found |= {
    "crumpled": testbed.crumpled(population),
    "labels/vibrant": trained.history.labels_used("plane"),
    "labels/gray": trained.history.labels_used("gray"),
}
settings = {"sheet": SHEET, "healing": HEALING, "plane": PLANE, "batch_size": 64, "grid": 8}
metrics = evidence.write(found, settings, [*trained.failures, *healed.failures])
print(testbed.error_table(metrics, [*networks], groups))
print(evaluation.metric_table(metrics, [name for name in metrics if "error" not in name]))

# %%
# The outputs of the first run's networks; the error of every color, over all runs; and the first
# run's latents before surgery, each with a ring in the color of its output once hue is gone.

named = colorspace.named_colors(*colorspace.COLOR_NAMES)
outputs = [testbed.reconstructions(network, named)[0] for network in networks.values()]
table = viz.plot_reconstructions(
    named.expand(len(networks), -1, -1),
    torch.stack(outputs),
    rows=[*networks],
    columns=colorspace.COLOR_NAMES,
    title="Without the plane of hue, everything is gray",
)
against = viz.plot_error_against(
    "vibrancy to the power of 2.3",
    vibrancy**2.3,
    testbed.color_errors(healed.population, grid),
    grid,
    title="The more vivid a color was, the more of it is gone",
)
sphere = viz.plot_latents(
    evaluation.latents(population, grid)[0],
    grid,
    testbed.reconstructions(healed.population, grid)[0],
    views=[(1, 0, 2), (1, 2, 0), (2, 3, 0)],
    title="Hue lies in the plane at the left; rings show the outputs without it",
)
viz.save_figures({"delete_hue": table, "error": against, "sphere": sphere}, evidence.out)
