"""Which terms matter
==================

Four penalties arrange the colors: latents keep apart, red points along its anchor, vivid colors lie
in a plane, lengths are near 1. Here are all sixteen ways to have some of them and not the others,
on the same seeds, trained at once: they differ in weights alone. What each term does shows in
a comparison of the runs that have it with those that differ from them in nothing else.
"""

# %%
# The seeds, and the folder for the results.

from dataclasses import replace
from functools import partial
from itertools import combinations

import torch

import latent_anchors as la
from latent_anchors import colorspace, curriculum, evaluation, interventions, models
from latent_anchors import testbed, training, viz
from latent_anchors import regularizers as reg

evidence = testbed.Evidence.from_arguments("regularizer_combinations", seeds=6)

# %%
# The data: all hues, saturations and values, with the labels of ``sparse_labels.py``: one sample in
# 400 is labeled red, one in 50 vivid.

sampler = testbed.few_labels_sampler()

# %%
# The schedule with all four, and the same with some of them weighed 0.

print(testbed.FEW_LABELS_SHEET)
timeline = curriculum.read_dopesheet(testbed.FEW_LABELS_SHEET).timeline()
terms = ["separate", "anchor", "plane", "unit"]
subsets = [subset for size in range(5) for subset in combinations(terms, size)]


def having(subset):
    """The timeline of runs that have these terms alone."""
    return curriculum.scale(timeline, {term: 0.0 for term in terms if term not in subset})


# %%
# The objective.

anchor = [1.0, 0.0, 0.0, 0.0]
objective = la.Objective(
    [
        la.Term("separate", reg.Separation(power=100)),
        la.Term("anchor", reg.Anchor(anchor), label="red"),
        la.Term("plane", reg.Subspace(dims=(0, 1)), label="vivid"),
        la.Term("unit", reg.unit_norm),
    ],
    losses=["recon"],
    other_tracks=["lr"],
)

# %%
# Train all subsets on all seeds at once, a timeline for each run.

n = len(evidence.seeds)
with evidence.training():
    trained = la.fit(
        models.PlainAutoencoder,
        objective,
        [each for each in map(having, subsets) for _ in evidence.seeds],
        sampler,
        losses={"recon": training.reconstruction},
        seeds=[*evidence.seeds] * len(subsets),
        optimizer=partial(torch.optim.Adam, fused=True),
        steps=evidence.steps,
    )

# %%
# Measure where red lies, whether hues are in order, how uneven the lengths of hues are in their
# plane, the error, and, with the anchor's direction muted, how far the damage follows
# similarity to red.

population = trained.population
mute = interventions.Suppression(anchor)
with la.intervene(population, mute):
    selectivity = testbed.selectivity_r2(population, "red")
measured = {
    "alignment/red": testbed.color_alignment(population, "red", anchor),
    "hue_order": testbed.hue_order(population).abs(),
    "noncircularity": testbed.noncircularity(population),
    "selectivity_r2/muted": selectivity,
    "error/baseline/grid": testbed.error_groups(population, "red")["grid"],
    "crumpled": testbed.crumpled(population),
}
measured = {name: values.view(len(subsets), n) for name, values in measured.items()}

# %%
# As numbers: each subset; and the effect of each term, which is the mean of the eight subsets that
# have it, less that of the eight that differ from these in lacking it, seed by seed.

names = ["+".join(subset) or "none" for subset in subsets]
found = {
    f"{name}/{subset}": values
    for name, rows in measured.items()
    for subset, values in zip(names, rows, strict=True)
}
effects = {}
for name in ("alignment/red", "hue_order", "noncircularity", "selectivity_r2/muted"):
    for term in terms:
        has = torch.tensor([term in subset for subset in subsets])
        rows = measured[name]
        effects[f"effect/{term}/{name}"] = rows[has].mean(0) - rows[~has].mean(0)
metrics = evidence.write(
    evaluation.Evaluation(found | effects),
    {"sheet": testbed.FEW_LABELS_SHEET, "terms": terms, "mute": repr(mute), "batch_size": 64},
    [replace(failure, run=failure.run % n) for failure in trained.failures],
)
print(evaluation.metric_table(metrics, [f"selectivity_r2/muted/{subset}" for subset in names]))
print(evaluation.metric_table(metrics, [*effects]))

# %%
# All subsets, as a matrix; and the first run's latents with all terms, and without each.

shown = {
    "alignment of red": measured["alignment/red"],
    "order of hues": measured["hue_order"],
    "uneven lengths": measured["noncircularity"],
    "selectivity, R²": measured["selectivity_r2/muted"],
    "error in 1/1000": 1000 * measured["error/baseline/grid"],
}
matrix = viz.plot_ablation_table(subsets, shown, title="What each combination of terms does")
colors = colorspace.hsv_grid(24, 5, 5).rgb
z = evaluation.latents(population, colors)[::n]
missing = {
    f"without {term}": z[subsets.index(tuple(other for other in terms if other != term))]
    for term in terms
}
strip = viz.plot_unfolding({"all four": z[-1]} | missing, colors, title="What each term is for")
viz.save_figures({"regularizer_combinations": matrix, "latents": strip}, evidence.out)
