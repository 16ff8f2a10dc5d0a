"""Does red stay deleted?
======================

The networks of ``delete_red.py`` are given to attackers who fine-tune them until red is back. How
many steps does that take, beside learning red from nothing, beside networks that were never taught
red, and beside other ways to remove it? And can red still be read off what is left?
"""

# %%
# Which seeds, which hue, where the results go.

import time

import torch

import latent_anchors as la
from latent_anchors import (
    audits,
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

evidence = testbed.Evidence.from_arguments("relearn_red", seeds=2, concept="red")
concept = evidence.concept

# %%
# Recipe, cut and healing are those of ``delete_red.py``.

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
edited = la.fit(
    cut,
    la.Objective([], losses=["imitate", "collapse"], tracks=healing.names, other_tracks=["lr"]),
    healing,
    vivid,
    losses={
        "imitate": training.DistillationLoss(teacher),
        "collapse": training.LatentMatchingLoss(teacher, power=2.0),
    },
    steps=evidence.steps,
).population

# %%
# To compare with: networks of the edited shape that learnt from the same muted teacher from the
# start, so that nobody ever taught them the concept; networks without an anchor that lost the same
# dimension; and such networks from whose weights a fitted direction was projected out afterwards.

TEACHING = """\
STEP, lr,   imitate
0,    1e-3, 1
20,   0.03,
2000, 0.03,
4000, 1e-4,
"""
teaching = curriculum.read_dopesheet(TEACHING).timeline()
untaught = la.fit(
    models.SphericalAutoencoder,
    la.Objective([], losses=["imitate"], tracks=teaching.names, other_tracks=["lr"]),
    teaching,
    data.Sampler(finer, batch_size=64),
    losses={"imitate": training.DistillationLoss(teacher)},
    seeds=evidence.seeds,
    steps=evidence.steps,
).population
PLAIN = """\
STEP, lr,   recon
0,    1e-8, 1
10,   0.01,
1500, 0.03,
2850, 0.02,
3000, 1e-3,
"""
plain = curriculum.read_dopesheet(PLAIN).timeline()
unanchored = la.fit(
    make_model,
    la.Objective([], losses=["recon"], tracks=plain.names, other_tracks=["lr"]),
    plain,
    sampler,
    losses={"recon": training.reconstruction},
    seeds=evidence.seeds,
    steps=evidence.steps,
).population

degree = colorspace.hue_degree(grid, hue)
layers = interventions.find_layers(unanchored)
erased = models.Population.from_models(
    [
        interventions.orthogonalize(
            model, interventions.fit_mean_difference(z, degree).right, layers, side="reading"
        )
        for model, z in zip(unanchored, evaluation.latents(unanchored, grid), strict=True)
    ],
    evidence.seeds,
)
train_seconds = time.monotonic() - began

# %%
# The audits.

audit = audits.relearning(
    edited,
    concept,
    untaught=untaught,
    original=whole,
    against={"unanchored": interventions.prune(unanchored, [0]), "erased": erased},
    limit=5.0 if evidence.smoke else None,
)
networks = {"whole": whole, "edited": edited, "untaught": untaught, "erased": erased}
found = audit.found | evaluation.evaluate_colors(edited, concept, "removed", exponent=3)
for name, network in networks.items():
    leaks = audits.leakage(network, concept)
    found |= {f"{measure}/{name}": values for measure, values in leaks.items()}
found |= audits.perturbation(edited, concept)

settings = {
    "sheet": SHEET,
    "healing": HEALING,
    "teaching": TEACHING,
    "plain": PLAIN,
    "mute": repr(mute),
    "limit": audit.limit,
    "medians": audit.medians(),
    "best": audit.best,
}
metrics = evidence.write(found, settings, train_seconds, trained.failures)
print(evaluation.metric_table(metrics, [*audit.found]))
print(evaluation.metric_table(metrics, [name for name in found if name.startswith("leakage")]))

# %%
# The concept's error while each network learns it, under the attacker who brings it back soonest;
# and the ratios, seed by seed.

steps = range(min(len(curve) for curve in audit.curves.values()))
curves = viz.plot_relearning(
    steps,
    {name: curve[: len(steps)].mT for name, curve in audit.curves.items()},
    threshold=0.01,
    logarithmic="neither",
    title=f"How soon {concept} comes back",
)
names = ["relearning/ratio", "relearning/ratio_untaught", "relearning/control"]
ratios = viz.plot_seeds(
    "steps, in relation to the other's",
    {name.removeprefix("relearning/"): metrics[name].per_seed for name in names},
    scale="log",
    title="Steps to bring it back: beside fresh, beside untaught; and to teach something else",
)
viz.save_figures({"relearning": curves, "ratios": ratios}, evidence.out)
