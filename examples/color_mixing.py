"""Red in a transformer that mixes colors
======================================

A small transformer learns lines such as ``red + green = olive``. During training fewer than one
line in a hundred is labeled "there is red in it", without saying where; that is enough to put red
on an axis of the residual stream that was chosen beforehand. Then whatever lies near that axis is
turned away: lines with red go wrong, lines without it stay as they are. The default is a sketch;
``--quick`` is larger, ``--full --seeds 9`` has three splits, ``--prenorm`` an ordinary transformer.
"""

# %%
# The seeds, the size, and the folder for the results. Each seed belongs to one split of the data.

import torch

import latent_anchors as la
from latent_anchors import curriculum, evaluation, interventions, models, testbed, training, viz

SWITCHES = {
    "quick": "seven levels of each channel",
    "full": "seven levels, trained to the end, three splits",
    "prenorm": "a transformer whose residual stream has any length",
}
evidence = testbed.Evidence.from_arguments("color_mixing", seeds=1, switches=SWITCHES)
quick, full, prenorm = (name in evidence.switches for name in SWITCHES)
size = testbed.MixingSize.of(full or quick)
splits = testbed.SeedSplits(evidence.seeds, 3 if full else 1)

# %%
# The language: pairs of colors and their mixtures. Terms pull something in the prompt of a labeled
# line to the axis, at the embedding and after each block, and keep everything else off it. A stream
# of any length takes more steps and stronger terms.

language = testbed.MixingLanguage(size.levels)
kind = models.PrenormTransformer if prenorm else models.NormalizedTransformer
make_model = size.network(language, kind)
options = testbed.transformer_options(make_model) | {"losses": {"tokens": training.next_token}}
sites, axis = make_model().sites, torch.eye(size.width)[0]
objective = la.Objective(testbed.red_terms(sites, axis), losses=["tokens"], other_tracks=["lr"])

last, rate = (1000, 0.0125) if full else (660, 0.02) if quick else (850, 0.025)
last, rate = (last * 3 // 2, 0.008) if prenorm else (last, rate)
SHEET = testbed.red_sheet(last, rate)
stronger = {"anchor": 6, "away": 6, "apart": 6, "signs": 3} if prenorm else {}
timeline = curriculum.scale(curriculum.read_dopesheet(SHEET).timeline(), stronger)
unanchored = curriculum.scale(timeline, {"anchor": 0, "away": 0, "apart": 0, "signs": 0})

# %%
# Two trainings that differ in nothing but the weights of these four terms.

studies, failures = [], []
for number, seeds in splits:
    split = language.split(seed=number, held_out=0.2, always=[("red", "blue")])
    sampler = testbed.red_sampler(language, split.seen, size.batch_size)
    given = {"seeds": seeds, "steps": evidence.steps, **options}
    with evidence.training():
        plain, anchored = (
            la.fit(make_model, objective, plan, sampler, **given) for plan in (unanchored, timeline)
        )
    studies.append((split, plain.population, anchored.population))
    failures += splits.failures(seeds, plain.failures, anchored.failures)

# %%
# Two edits. Muting sends what lies within 70 degrees of the axis to the other pole, at every site.
# The narrow edit does so within 40 degrees and at the embedding alone, where each color is by
# itself, so that it leaves orange as it is. Both can also be done once, by weights.

wide, narrow = testbed.away_from(axis, degrees=70), testbed.away_from(axis, degrees=40)
edits = {"muted": (wide, sites), "narrow": (narrow, sites[:1])}


def conditions(plain, anchored):
    """Each network under each condition, one after another."""
    yield "plain", plain
    yield "anchored", anchored
    for name, (edit, where) in edits.items():
        with la.intervene(anchored, edit, at=where):
            yield name, anchored
    yield "by_weights", interventions.edit_embedding(anchored, wide)
    yield "narrow_by_weights", interventions.edit_embedding(anchored, narrow)


# %%
# Measure the share of exact answers, by group; whether it falls with redness; and where red lies.

pairs = language.pairs()
redness, chance = testbed.redness(language)[pairs], testbed.red_chance(language)
reddest, measured, answered, placed = redness.amax(-1), [], [], []
for split, plain, anchored in studies:
    groups, found, right = testbed.red_groups(language, split), {}, {}
    for name, network in conditions(plain, anchored):
        found |= testbed.evaluate_mixing(network, language, groups, name)
        right[name] = testbed.exact_match(network, language, pairs)
    exact = {name: found[f"exact_match/{name}/without_red"] for name in right}
    whole, other = (found[f"exact_match/{name}/held_out"] for name in ("anchored", "plain"))
    found["exact_match/cost/held_out"] = whole - other
    for name in ("muted", "narrow", "by_weights", "narrow_by_weights"):
        found[f"retention/{name}/without_red"] = exact[name] / exact["anchored"]
        found[f"falls/{name}"] = testbed.falls_with_degree(right["anchored"], right[name], reddest)
    cosines = testbed.line_cosines(anchored, language.lines(pairs), axis, sites)
    aligned = testbed.line_alignment(cosines, language, pairs, chance, "red").evaluation()
    answered.append(right)
    placed.append(cosines[..., :5])
    measured.append(found | {f"{name}/anchored": value for name, value in aligned.items()})

settings = {"sheet": SHEET, "stronger": stronger, "levels": size.levels, "splits": splits.count}
settings["edits"] = {name: repr(edit) for name, (edit, _) in edits.items()}
settings |= {"model": kind.__name__, "device": options["device"]}
metrics = evidence.write(splits.join(measured), settings, failures)
shown = [name for name in metrics if name.startswith(("exact_match/", "falls/"))]
print(evaluation.metric_table(metrics, [*shown, "margin/anchored", "containment/anchored"]))

# %%
# The mixing table of the cube's corners before and after, where no network was shown red with blue;
# where red lies, by depth and token; how accuracy falls with the redness of a line's reddest color.

corners = ["red", "yellow", "green", "cyan", "blue", "magenta", "white", "black"]
asked = torch.cartesian_prod(*2 * [language.encode(" ".join(corners))])
answers = {"as it should be": language.answers(asked)}
for name, network in conditions(plain, anchored):
    answers[name.replace("_", " ")] = testbed.color_answers(network, language, asked)[0]
grids = torch.stack([language.colors[each].unflatten(0, (8, 8)) for each in answers.values()])
title = "What two colors mix to; columns in the order of the rows"
table = viz.plot_swatches(grids, titles=[*answers], rows=corners, title=title)

(red, red_second), (clear, clear_second) = (redness > 0.8).T, (redness < 0.2).T
kinds = {"red first": red & clear_second, "red second": clear & red_second}
kinds["no red"] = clear & clear_second
depth = viz.plot_alignment(
    {kind: torch.cat(placed)[:, :, which].mean(2) for kind, which in kinds.items()},
    sites,
    ["first", "+", "second", "=", "mixture"],
    title="Red lies where a red stands, at every depth",
)

tenths, shares = testbed.exact_by_degree(splits.join(answered), reddest)
response = viz.plot_response(
    "redness of the line's reddest color, to one tenth",
    tenths,
    {f"answered exactly, {name}": shares[name] for name in ("plain", "anchored", *edits)},
    alike=True,
    title="Lines with red go wrong, the others stay",
)
viz.save_figures({"color_mixing": response, "table": table, "depth": depth}, evidence.out)
