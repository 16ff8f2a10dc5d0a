"""A few noisy labels are enough
=============================

All colors from the start, no curriculum over the data. Red is pulled to its anchor, and vivid
colors to a plane, by labels alone: at the full rate one sample in 400 is labeled red, and one in 50
vivid. Then the same training with a quarter of the labels, with a 16th, a 64th, and with none at
all, on the same seeds: how few suffice? Nothing else is changed, or tuned, from one rate to the
next.
"""

# %%
# The seeds, and the folder for the results.

from functools import partial

import torch

import latent_anchors as la
from latent_anchors import colorspace, curriculum, evaluation, interventions, models
from latent_anchors import testbed, training, viz
from latent_anchors import regularizers as reg

evidence = testbed.Evidence.from_arguments("sparse_labels", seeds=8)

# %%
# The data: all hues, saturations and values. Pure red is labeled red every other time that it is
# sampled, orange one time in 36. Pure hues are labeled vivid every other time, and little else is.

RATES = [0, 1 / 64, 1 / 16, 1 / 4, 1]

# %%
# The schedule. The anchor is firm from the first step on, so that even a few labels turn the wheel
# before it has set; it fades with the others before the end, so that colors become exact.

print(testbed.FEW_LABELS_SHEET)
timeline = curriculum.read_dopesheet(testbed.FEW_LABELS_SHEET).timeline()

# %%
# The objective: latents keep apart and near length 1, all of them; samples labeled red point along
# the anchor; those labeled vivid lie in the plane of hue. Red is pulled by its angle: pulled by
# distance, as in the published experiment, it drags its neighbors inward.

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
# Train all seeds at every rate.

with evidence.training():
    trained = {
        rate: la.fit(
            models.PlainAutoencoder,
            objective,
            timeline,
            testbed.few_labels_sampler(rate),
            losses={"recon": training.reconstruction},
            seeds=evidence.seeds,
            optimizer=partial(torch.optim.Adam, fused=True),
            steps=evidence.steps,
        )
        for rate in RATES
    }

# %%
# Measure how many labels were used, where red lies, whether hues are in order, the error, and,
# with the anchor's direction muted, how far the damage follows similarity to red.

mute = interventions.Suppression(anchor)


def measured(fitted):
    """All measures of the runs of one rate."""
    population = fitted.population
    with la.intervene(population, mute):
        selectivity = testbed.selectivity_r2(population, "red")
    return {
        "labels/red": fitted.history.labels_used("anchor"),
        "labels/vivid": fitted.history.labels_used("plane"),
        "alignment/red": testbed.color_alignment(population, "red", anchor),
        "hue_order": testbed.hue_order(population).abs(),
        "selectivity_r2/muted": selectivity,
        "error/baseline/grid": testbed.error_groups(population, "red")["grid"],
        "crumpled": testbed.crumpled(population),
    }


found = {rate: measured(fitted) for rate, fitted in trained.items()}
names = [*found[0]]

# %%
# As numbers, rate by rate.

metrics = evidence.write(
    evaluation.Evaluation(
        {f"{name}/{rate:g}": found[rate][name] for name in names for rate in RATES}
    ),
    {"sheet": testbed.FEW_LABELS_SHEET, "rates": RATES, "mute": repr(mute), "batch_size": 64},
    [failure for fitted in trained.values() for failure in fitted.failures],
)
print(evaluation.metric_table(metrics, [*metrics]))

# %%
# As a picture, and the first run's latents at every rate.

used = {rate: f"{found[rate]['labels/red'].mean():.0f}" for rate in RATES}
shown = {
    "alignment of red with its anchor": "alignment/red",
    "order of hues": "hue_order",
    "selectivity of muting, R²": "selectivity_r2/muted",
}
response = viz.plot_response(
    f"samples labeled red, of {64 * len(timeline):,}",
    [*used.values()],
    {words: torch.stack([found[rate][name] for rate in RATES]) for words, name in shown.items()},
    title="A few noisy labels decide where red lies",
)
colors = colorspace.hsv_grid(24, 5, 5).rgb
moments = {
    f"{used[rate]} labeled red": evaluation.latents(trained[rate].population, colors)[0]
    for rate in RATES
}
strip = viz.plot_unfolding(moments, colors, title="The same network, with ever more labels")
viz.save_figures({"sparse_labels": response, "latents": strip}, evidence.out)
