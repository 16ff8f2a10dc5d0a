"""Delete red from the weights
===========================

A tiny autoencoder is trained with red at one pole of its latent sphere. Then the pole's dimension
is cut out of the weights, for good. What is left is healed: without labels, it learns to say what
the whole network says while red is muted, and to encode a color that was red as what it has become.
"""

# %%
# Which seeds, which hue, where the results go.

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

evidence = testbed.Evidence.from_arguments("delete_red", seeds=4, concept="red")
concept = evidence.concept

# %%
# The recipe of ``mute_red.py``, with one dimension more: the colors that stay need a sphere to lie
# on when one dimension is gone.

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

anchor = [1.0, 0.0, 0.0, 0.0, 0.0]
opposite = [-1.0, 0.0, 0.0, 0.0, 0.0]
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
    interventions.Zeroing(range(5)), say=torch.full((3,), 0.5), inputs=torch.zeros(1, 3)
)


def make_model():
    """The network before the cut."""
    return models.SphericalAutoencoder(channels=3, latent_dim=5)


began = time.monotonic()
trained = la.fit(
    make_model,
    objective,
    timeline,
    sampler,
    losses={"recon": training.reconstruction, "fallback": fallback},
    seeds=evidence.seeds,
    steps=evidence.steps,
)
whole = trained.population

# %%
# The cut: the anchor's dimension leaves the weights on both sides of the latents. It takes the
# opposite hue along, which healing brings back. The teacher is the whole network with the concept
# muted, in proportion at first and steeply towards the pole; its pupil sees colors of a finer grid,
# and no labels. Vivid colors are shown more often: few colors of the grid are as vivid as the
# concept and its neighbors, and who sees too few of the neighbors lumps them in with the concept.

cut = interventions.prune(whole, [0])
falloff = interventions.BezierFalloff(threshold=0.0, end_slope=3.0, start_slope=0.6)
mute = interventions.Suppression(anchor, falloff)
teacher = training.Teacher(whole, mute)

HEALING = """\
STEP, lr,   imitate, collapse
0,    1e-3, 1,       1.6
20,   0.02, ,
2000, 0.02, ,        1.6
4000, 1e-4, ,        0.04
"""
healing = curriculum.read_dopesheet(HEALING).timeline()
finer = colorspace.rgb_grid(16)
vivid = data.Sampler(finer, batch_size=64, weights=0.25 + 3 * colorspace.vibrancy(finer) ** 4)
healed = la.fit(
    cut,
    la.Objective([], losses=["imitate", "collapse"], tracks=healing.names, other_tracks=["lr"]),
    healing,
    vivid,
    losses={
        "imitate": training.DistillationLoss(teacher),
        "collapse": training.LatentMatchingLoss(teacher, power=2.0),
    },
    steps=evidence.steps,
)
train_seconds = time.monotonic() - began

# %%
# Measure the whole network, the cut one, and the healed one, which is what is delivered.

conditions = {"as trained": whole, "cut": cut, f"{concept} removed": healed.population}
named = colorspace.named_colors(*colorspace.COLOR_NAMES)
wheel = colorspace.hsv_grid(360, [1.0], [1.0])
outputs = {name: evaluation.reconstructions(each, named) for name, each in conditions.items()}
errors = {name: evaluation.hue_sweep(each) for name, each in conditions.items()}

found = (
    evaluation.evaluate_colors(whole, concept)
    | evaluation.evaluate_colors(cut, concept, "cut", exponent=3)
    | evaluation.evaluate_colors(healed.population, concept, "removed", exponent=3)
    | {
        "sharpness/removed": evaluation.sharpness(healed.population, concept),
        f"alignment/{concept}": evaluation.alignment(whole, concept, anchor),
        "crumpled": evaluation.crumpled(whole),
        f"labels/{concept}": trained.history.labels_used("anchor"),
    }
)
settings = {"sheet": SHEET, "healing": HEALING, "mute": repr(mute), "batch_size": 64, "grid": 8}
metrics = evidence.write(found, settings, train_seconds, [*trained.failures, *healed.failures])
print(evaluation.error_table(metrics, ["baseline", "cut", "removed"]))
print(
    evaluation.metric_table(
        metrics,
        ["selectivity_r2/removed", "sharpness/removed", f"alignment/{concept}", "crumpled"],
    )
)

# %%
# The first run's sphere before the cut, what comes out before and after, the error of every hue;
# and how far the damage follows similarity to the concept.

panels = viz.plot_before_after(
    concept,
    anchor=anchor,
    z=evaluation.latents(whole, grid)[0],
    colors=grid,
    outputs=outputs,
    hues=wheel.hsv[:, 0],
    errors=errors,
    title=f"{concept.capitalize()} is cut out of the weights; what it took along is healed",
)
similarity = colorspace.hsv_similarity(grid, colorspace.named_colors(concept)) ** 3
damage = evaluation.color_errors(healed.population, grid)
against = viz.plot_error_against(
    f"similarity to {concept}, cubed", similarity, damage, grid, title="Who is hurt"
)
viz.save_figures({"delete_red": panels, "similarity": against}, evidence.out)
