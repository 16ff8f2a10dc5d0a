"""Six colors, each on its axis
============================

The transformer of ``color_mixing.py`` again, with more than one concept: red and blue on two axes,
and all six primaries and secondaries on six. Each is muted alone, and the others stay. By default a
sketch of five levels and six colors; ``--full --seeds 9`` trains both, on seven levels and to the
end, three seeds on each of three splits.
"""

# %%
# The seeds, the size, and the folder for the results. Each seed belongs to one split of the data.

import torch

import latent_anchors as la
from latent_anchors import colorspace, curriculum, data, evaluation, testbed, training, viz
from latent_anchors import regularizers as reg

SWITCHES = {"full": "seven levels, trained to the end, three splits"}
evidence = testbed.Evidence.from_arguments("many_concepts", seeds=1, switches=SWITCHES)
full = "full" in evidence.switches
size, splits = testbed.MixingSize.of(full), testbed.SeedSplits(evidence.seeds, 3 if full else 1)

# %%
# The data: lines labeled with the colors that are concepts.

language = testbed.MixingLanguage(size.levels)
make_model = size.network(language)
options = testbed.transformer_options(make_model)
sites, axes = make_model().sites, torch.eye(size.width)
degree = {
    name: colorspace.hue_degree(language.colors, colorspace.hue_of(name))
    for name in ("red", "yellow", "green", "cyan", "blue", "magenta")
}
STUDIES = {"six": [*degree]} | ({"two": ["red", "blue"]} if full or evidence.smoke else {})


def sampler(pairs, concepts):
    """Lines of some pairs, labeled with the chance of either color."""
    chances = {name: 0.3 * degree[name][pairs] ** 12 for name in concepts}
    labels = {
        name: data.BernoulliLabels(data.noisy_or(*each.unbind(-1)))
        for name, each in chances.items()
    }
    return testbed.mixing_sampler(language.lines(pairs), labels, size.batch_size)


# %%
# One recipe for every concept, as for red alone: labeled lines are drawn to the concept's own axis,
# at some position of the prompt and at every site; everything else stays off all axes.


last = 1000 if full else 700
SHEET = f"""\
STEP,           lr,   tokens, anchor, away,  signs
0,              1e-4, 1,      0.15,   0.375, 0.15
{last // 10},   0.015, ,      ,       ,
{last * 9 // 10}, ,   ,       ,       0.1,
{last},         1e-4, ,       ,       ,
"""


def objective(names):
    """An anchor for each color, and two terms that keep everything else away."""
    concepts = [
        la.Concept(name, axes[k], at=sites, pool=reg.SoftMinimum(temperature=0.1), mask="prompt")
        for k, name in enumerate(names)
    ]
    off_axes = reg.AntiSubspace(dims=range(len(names)))
    away = la.Term("away", off_axes, at=sites)
    signs = la.Term("signs", off_axes, at=sites, mask="signs")
    anchors = [concept.term(track="anchor") for concept in concepts]
    return la.Objective([*anchors, away, signs], losses=["tokens"], other_tracks=["lr"])


# %%
# Train; then, for each color, count the lines with it that are still answered exactly while it is
# muted, and the lines without it, beside what they were.

pairs = language.pairs()
measured, failures = [], []
for number, seeds in splits:
    split = language.split(seed=number, held_out=0.2, always=[("red", "blue")])
    found = {}
    for many, concepts in STUDIES.items():
        with evidence.training():
            trained = la.fit(
                make_model,
                objective(concepts),
                curriculum.read_dopesheet(SHEET).timeline(),
                sampler(split.seen, concepts),
                losses={"tokens": training.next_token},
                seeds=seeds,
                steps=evidence.steps,
                **options,
            )
        failures += splits.failures(seeds, trained.failures)
        network = trained.population
        groups = {"held_out": split.held_out}
        for name in concepts:
            groups |= {name: pairs[degree[name][pairs].amax(-1) > 0.8]}
            groups |= {f"without_{name}": pairs[degree[name][pairs].amax(-1) < 0.2]}
        before = testbed.evaluate_mixing(network, language, groups, many)
        found[f"exact_match/{many}/held_out"] = before[f"exact_match/{many}/held_out"]
        for k, name in enumerate(concepts):
            with la.intervene(network, testbed.away_from(axes[k], degrees=60), at=sites):
                after = testbed.evaluate_mixing(network, language, groups, many)
            exact = {group: after[f"exact_match/{many}/{group}"] for group in groups}
            without = before[f"exact_match/{many}/without_{name}"]
            found[f"exact_match/{many}/{name}_muted"] = exact[name]
            found[f"retention/{many}/without_{name}"] = exact[f"without_{name}"] / without
            if many == "six":
                found[f"kept/{name}"] = torch.stack([exact[other] for other in concepts], 1)
    measured.append(found)

# %%
# As numbers, and as a picture: which lines are still answered, with each of six muted.

together = splits.join(measured)
kept = torch.stack([together.pop(f"kept/{name}") for name in degree])
settings = {"sheet": SHEET, "levels": size.levels, "splits": splits.count}
metrics = evidence.write(together, settings | {"device": options["device"]}, failures)
print(evaluation.metric_table(metrics, [*metrics]))
picture = viz.plot_response(
    "color that is muted",
    [*degree],
    {f"answered exactly, lines with {name}": kept[..., k] for k, name in enumerate(degree)},
    alike=True,
    title="Each color is muted alone",
)
viz.save_figures({"many_concepts": picture}, evidence.out)
