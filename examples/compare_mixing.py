"""Removal against collateral in a transformer
===========================================

The transformer of ``color_mixing.py``, with red on a chosen axis, and others without an axis, in
which red is looked for afterwards with the same labels. Colors near the axis, or far along the
direction that was found, are turned away at the embedding: more and more of them. Or networks are
fine-tuned to answer gray. How many lines with red go wrong, and how many others? The default is a
sketch; ``--full --seeds 9`` has seven levels of each channel and three splits.
"""

# %%
# The seeds, the size, and the folder for the results. Each seed belongs to one split of the data.

from dataclasses import replace
from functools import partial

import torch

import latent_anchors as la
from latent_anchors import baselines, curriculum, evaluation, testbed, training, viz

SWITCHES = {"full": "seven levels, trained to the end, three splits"}
evidence = testbed.Evidence.from_arguments("compare_mixing", seeds=1, switches=SWITCHES)
full = "full" in evidence.switches
size, splits = testbed.MixingSize.of(full), testbed.SeedSplits(evidence.seeds, 3 if full else 1)
if evidence.smoke:
    size = replace(size, levels=3)

# %%
# Networks and recipe are those of ``color_mixing.py``. Fewer than one line in a hundred is labeled
# "there is red in it", without saying where. The oracle never saw a line with red.

language = testbed.MixingLanguage(size.levels)
make_model = size.network(language)
options = testbed.transformer_options(make_model) | {"losses": {"tokens": training.next_token}}
sites, axis = make_model().sites, torch.eye(size.width)[0]
SHEET = testbed.red_sheet(*(1000, 0.0125) if full else (850, 0.025))
timeline = curriculum.read_dopesheet(SHEET).timeline()
steps = evidence.steps or timeline.steps


def train(lines, seeds, terms=()):
    """One network for each seed, and the batches that they saw."""
    others = {*timeline.names} - {"tokens", *(term.name for term in terms)}
    objective = la.Objective(terms, losses=["tokens"], other_tracks=sorted(others))
    sampler = testbed.red_sampler(language, lines, size.batch_size)
    given = {"seeds": seeds, "steps": evidence.steps, **options}
    return la.fit(make_model, objective, timeline, sampler, **given), sampler


# %%
# Every direction, ours and theirs, has the same gates: so many of the colors pass that lie farthest
# along it, and are sent to its other pole, where they stand as operands. Directions are found at
# the embedding, too: of other places, samples and edits none did better on seeds 500 and 501.

COUNTS = (1, 2, 3, 5, 7, 9, 11, 13, 16, 20, 25, 30, 40)
FINDERS = {
    "mean difference": baselines.mean_difference,
    "probe": baselines.logistic_probe,
    "LEACE": baselines.leace,
}
OPERANDS, OTHERS, EMBEDDING = [0, 2], 8000, sites[0]


def gated(model, direction):
    """The model, and edits of it, from few colors to many."""
    edits = testbed.turned_colors(model, language, direction, COUNTS)
    return [model, *((model, {EMBEDDING: edit}) for edit in edits)]


def found_afterwards(model, seen):
    """The model under the edits at each direction that is found with its labels."""
    labeled = seen.labels["red"] > 0
    some = torch.cat([labeled.nonzero()[:, 0], (~labeled).nonzero()[:OTHERS, 0]])
    z = evaluation.latents(model, seen.inputs[some], EMBEDDING)[0][:, OPERANDS]
    found = {name: find(z, labeled[some].float()) for name, find in FINDERS.items()}
    return {name: gated(model, each.direction) for name, each in found.items()}


# %%
# Fine-tuning says gray where a line is labeled, at three weights.

WEIGHTS, TUNING_STEPS, RATE = (0.1, 0.3, 1.0), min(steps, 300), 0.002


def fine_tuned(model, sampler, seed):
    """The model, and others with changed weights."""
    constraint = options["constraint"]
    task = testbed.line_task(sampler, seed, steps, TUNING_STEPS, RATE, constraint)
    gray = testbed.say_gray_line(language)
    rivals = [baselines.FineTuning(gray, weight) for weight in WEIGHTS]
    return [model, *(rival.fit(model, task).removed for rival in rivals)]


# %%
# Removal is the share of lines with a red operand that are answered wrong. Collateral is that of
# lines whose operands have less than .7 of red, those included that the network gets wrong anyway;
# with ``--full`` of one in five of them.

pairs, most = language.pairs(), testbed.redness(language)[language.pairs()].amax(-1)


def wrong(model, asked):
    """The share of lines that are answered wrong."""
    return 1 - testbed.exact_match(model, language, asked).double().mean(1)


forget = partial(wrong, asked=pairs[most > 0.8])
retain = partial(wrong, asked=pairs[most < 0.7][:: 5 if full else 1])

# %%
# Train, take red out in every way, and measure, run by run.

runs, measured, failures = [], [], []
for number, seeds in splits:
    split = language.split(seed=number, held_out=0.2, always=[("red", "blue")])
    spared = testbed.red_attack_lines(language, split)["none"]
    with evidence.training():
        anchored, sampler = train(split.seen, seeds, testbed.red_terms(sites, axis))
        (plain, _), (oracle, _) = train(split.seen, seeds), train(spared, seeds)
    failures += splits.failures(seeds, *(fit.failures for fit in (anchored, plain, oracle)))
    networks = {"anchored": anchored.population, "plain": plain.population}
    measured.append({f"wrong/{name}": retain(each) for name, each in networks.items()})
    measured[-1]["removal/oracle"] = forget(oracle.population)
    for seed, ours, theirs in zip(seeds, *networks.values(), strict=True):
        methods = {"anchor": gated(ours, axis)}
        methods |= found_afterwards(theirs, testbed.samples_seen(sampler, seed, steps))
        with evidence.training():
            methods["fine-tuning"] = fine_tuned(theirs, sampler, seed)
        runs.append((seed, evaluation.frontier(methods, forget, retain)))

# %%
# What each method removes while two lines in a hundred of the others are wrong; and whether the
# axis removes at least as much.

LIMIT = 0.02
joined = evaluation.Frontier.joined([found for _, found in sorted(runs, key=lambda run: run[0])])
measures = splits.join(measured)
measures |= {f"removal/{name}": each for name, each in joined.removal_at(LIMIT).items()}
measures |= {f"wins/{name}": each for name, each in joined.wins("anchor", LIMIT).items()}
settings = {"sheet": SHEET, "levels": size.levels, "limit": LIMIT, "counts": COUNTS}
metrics = evidence.write(measures, settings | {"device": options["device"]}, failures)
print(evaluation.metric_table(metrics, [*metrics]))
marks = {"ours": ["anchor"], "threshold": 1e-3, "reference_name": "never seen"}
marks["reference"] = float(measures["removal/oracle"].mean())
axes = "lines with red that are answered wrong", "others that are answered wrong"
figure = viz.plot_frontier(joined, *axes, title="Red taken out of a transformer", **marks)
viz.save_figures({"frontier": figure}, evidence.out, dark=True)
