"""Does red stay deleted?
======================

The networks of ``delete_red.py`` are fine-tuned until red is back. How many steps does that take,
beside networks that never learned red, which is what a complete removal would equal? Beside other
ways to remove it? And can red still be read off what is left? Fresh networks, which have
everything to learn, are there for scale.
"""

# %%
# The seeds, the hue, and the folder for the results.

from functools import partial

import latent_anchors as la
from latent_anchors import audits, colorspace, curriculum, data, evaluation, interventions
from latent_anchors import models, testbed, training, viz

evidence = testbed.Evidence.from_arguments("relearn_red", seeds=2, concept="red")
concept = evidence.concept

# %%
# Recipe, cut and healing are those of ``delete_red.py``.

make_model = partial(models.SphericalAutoencoder, latent_dim=5)
sampler = testbed.pole_sampler(concept)
mute = interventions.Suppression(
    [1.0, 0.0, 0.0, 0.0, 0.0],
    interventions.BezierFalloff(threshold=0.0, end_slope=3.0, start_slope=0.6),
)
with evidence.training():
    trained = la.fit(
        make_model,
        testbed.pole_objective(concept, latent_dim=5),
        curriculum.read_dopesheet(testbed.POLE_SHEET).timeline(),
        sampler,
        losses=testbed.pole_losses(latent_dim=5),
        seeds=evidence.seeds,
        steps=evidence.steps,
    )
    whole = trained.population
    teacher = training.Teacher(whole, mute)
    healed = testbed.heal(interventions.prune(whole, [0]), teacher, evidence.steps)
edited, failures = healed.population, [*trained.failures, *healed.failures]

# %%
# To compare with: networks of the edited shape that learned from the same muted teacher from the
# start, so that they never learned the concept. Others have no anchor: some lost the same
# dimension, and from the weights of the rest a fitted direction was projected out afterwards.

TEACHING = """\
STEP, lr,   imitate
0,    1e-3, 1
20,   0.03,
2000, 0.03,
4000, 1e-4,
"""
PLAIN = """\
STEP, lr,   recon
0,    1e-8, 1
10,   0.01,
1500, 0.03,
2850, 0.02,
3000, 1e-3,
"""


def train(make_model, sheet, sampler, **losses):
    """One run for each seed, with losses alone."""
    fit = la.fit(
        make_model,
        la.Objective([], losses=[*losses], other_tracks=["lr"]),
        curriculum.read_dopesheet(sheet).timeline(),
        sampler,
        losses=losses,
        seeds=evidence.seeds,
        steps=evidence.steps,
    )
    failures.extend(fit.failures)
    return fit.population


with evidence.training():
    untaught = train(
        models.SphericalAutoencoder,
        TEACHING,
        data.Sampler(colorspace.rgb_grid(16), batch_size=64),
        imitate=training.DistillationLoss(teacher),
    )
    unanchored = train(make_model, PLAIN, sampler, recon=training.reconstruction)
    latents = evaluation.latents(unanchored, sampler.inputs)
    degree = colorspace.hue_degree(sampler.inputs, colorspace.hue_of(concept))
    layers = interventions.find_layers(unanchored)
    fitted = [interventions.fit_mean_difference(z, degree).right for z in latents]
    erased = [
        interventions.orthogonalize(model, direction, layers, side="reading")
        for model, direction in zip(unanchored, fitted, strict=True)
    ]
    erased = models.Population.from_models(erased, evidence.seeds)

# %%
# The audits.

audit = testbed.hue_relearning(
    edited,
    concept,
    untaught=untaught,
    original=whole,
    against={"unanchored": interventions.prune(unanchored, [0]), "erased": erased},
    limit=5.0 if evidence.smoke else None,
)
networks = {"whole": whole, "edited": edited, "untaught": untaught, "erased": erased}
found = audit.found | testbed.evaluate_colors(edited, concept, "removed", exponent=3)
for name, network in networks.items():
    leaks = testbed.hue_leakage(network, concept)
    found |= {f"{measure}/{name}": values for measure, values in leaks.items()}
found |= testbed.hue_perturbation(edited, concept)

sheets = {"sheet": testbed.POLE_SHEET, "healing": testbed.HEALING_SHEET, "teaching": TEACHING}
settings = sheets | {"plain": PLAIN, "mute": repr(mute), "limit": audit.limit}
settings |= {"medians": audit.medians(), "best": audit.best}
measured = [name for name in found if name.startswith(audits.RATIOS)]
metrics = evidence.write(found, settings, failures, ratios=measured)
print(evaluation.metric_table(metrics, [*audit.found]))
print(evaluation.metric_table(metrics, [name for name in found if name.startswith("leakage")]))

# %%
# The concept's error while each network learns it, under the attack that brings it back soonest;
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
