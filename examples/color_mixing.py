"""Red in a transformer that mixes colors
======================================

A small transformer learns lines such as ``red + green = olive``. While it learns, fewer than one
line in a hundred is labeled "there is red in it", without saying where; that is enough to put red
on an axis of the residual stream that was chosen beforehand. Then whatever lies near that axis is
turned away: lines with red go wrong, lines without it stay as they are. By default this is a
sketch, with five levels of each channel and a stream 32 wide; ``--quick`` takes seven levels and
twice the width; ``--full --seeds 9`` trains three seeds on each of three splits to the end, and
``--prenorm`` an ordinary transformer.
"""

# %%
# Which seeds, how large a language, where the results go. The split follows from the seed.

import math
from dataclasses import replace
from functools import partial

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

evidence = testbed.Evidence.from_arguments(
    "color_mixing",
    seeds=1,
    switches={
        "quick": "seven levels of each channel",
        "full": "seven levels, trained to the end, three splits",
        "prenorm": "a transformer whose residual stream has any length",
    },
)
full = "full" in evidence.switches
large = full or "quick" in evidence.switches
splits = 3 if full else 1
groups = [seeds for k in range(splits) if (seeds := [s for s in evidence.seeds if s % splits == k])]
device = "cuda" if torch.cuda.is_available() else "cpu"

# %%
# The language: colors of a grid, and the pairs whose mixture is a color of the grid. A fifth of the
# pairs is never shown, red with blue among them. A label says that a line holds a red, drawn anew
# at each sight, and more often the more its colors are like red.

language = testbed.MixingLanguage(levels=7 if large else 5)
redness = colorspace.hue_degree(language.colors, colorspace.hue_of("red"))
likeness = colorspace.hsv_similarity(language.colors, colorspace.named_colors("red")[0])
chance = 0.3 * likeness**11


def sampler(split):
    """Lines of the pairs shown, some of those with red labeled."""
    lines = language.lines(split.seen)
    position = torch.arange(lines.shape[1]).expand_as(lines)
    red = data.BernoulliLabels(data.noisy_or(*chance[split.seen].unbind(-1)))
    extras = {"prompt": position < 4, "signs": (position == 1) | (position == 3)}
    return data.Sampler(lines, {"red": red}, batch_size=256 if large else 128, extras=extras)


# %%
# What is asked: every next token; of lines labeled red, that something in the prompt lies near the
# axis, at the embedding and after each block; of everything, that it stays off the axis, hardly so
# at the embedding, where shades between red and the rest have only their own place to be told apart
# by; and of the signs, which stand in every line, that they stay off it above all.

prenorm = "prenorm" in evidence.switches
last, rate = (1000, 0.0125) if full else (660, 0.02) if large else (850, 0.025)
if prenorm:  # a stream of any length takes more time, and more force, to be turned
    last, rate = last * 3 // 2, 0.008
SHEET = f"""\
STEP,           lr,   tokens, anchor, away,  apart, signs
0,              1e-4, 1,      0.06,   0.072, 0.018, 0.15
{last // 10},   {rate}, ,       ,       ,      ,
{last * 7 // 10}, ,   ,       ,       0.068, 0.0034,
{last},         1e-4, ,       ,       ,      ,
"""
stronger = {"anchor": 6, "away": 6, "apart": 6, "signs": 3} if prenorm else {}
timeline = curriculum.scale(curriculum.read_dopesheet(SHEET).timeline(), stronger)

width, depth, heads, hidden = (64, 4, 8, 256) if large else (32, 2, 4, 128)
transformer = models.PrenormTransformer if prenorm else models.NormalizedTransformer
make_model = partial(transformer, len(language.vocabulary), width, depth, heads, hidden)
sites, constraint = make_model().sites, getattr(make_model(), "constraint", None)
axis = torch.eye(width)[0]
nearest = reg.SoftMinimum(temperature=0.1)
objective = la.Objective(
    [
        la.Term("anchor", reg.Anchor(axis), at=sites, label="red", mask="prompt", pool=nearest),
        la.Term("away", reg.AntiSubspace(dims=[0]), at=sites[1:]),
        la.Term("apart", reg.AntiSubspace(dims=[0]), at=sites[0]),
        la.Term("signs", reg.AntiSubspace(dims=[0]), at=sites, mask="signs"),
    ],
    losses=["tokens"],
    other_tracks=["lr"],
)

# %%
# Two trainings that differ in nothing but the weights of these four terms.

with evidence.training():
    unanchored = curriculum.scale(timeline, {"anchor": 0, "away": 0, "apart": 0, "signs": 0})
    studies, failures = [], []
    for seeds in groups:
        split = language.split(seed=seeds[0] % splits, held_out=0.2, always=[("red", "blue")])
        fits = [
            la.fit(
                make_model,
                objective,
                each,
                sampler(split),
                losses={"tokens": training.next_token},
                seeds=seeds,
                optimizer=partial(
                    torch.optim.AdamW, betas=(0.9, 0.95), weight_decay=0.0, fused=True
                ),
                steps=evidence.steps,
                constraint=constraint,
                device=device,
                backend="cuda_graph" if device == "cuda" else "eager",
            )
            for each in (unanchored, timeline)
        ]
        studies.append((split, *(trained.population for trained in fits)))
        failures += [
            replace(failure, run=evidence.seeds.index(seeds[failure.run]))
            for trained in fits
            for failure in trained.failures
        ]

# %%
# Two edits. Muting sends what lies within 70 degrees of the axis to the other pole, at every site.
# The narrow one does so within 40, and leaves orange alone: at the embedding, where a color is
# itself and no mixture yet. By weights, either is done once, to what the embedding holds.

wide, narrow = (
    interventions.BoundedFalloff(threshold=math.cos(math.radians(degrees))) for degrees in (70, 40)
)
muting, narrowly = (
    interventions.Redirection(axis, target=-axis, falloff=falloff) for falloff in (wide, narrow)
)
edits = {"muted": (muting, sites), "narrow": (narrowly, sites[:1])}
pairs = language.pairs()
reddest = redness[pairs].amax(-1)


def conditions(plain, anchored):
    """Each network under each condition, one after another."""
    yield "plain", plain
    yield "anchored", anchored
    for name, (edit, where) in edits.items():
        with la.intervene(anchored, edit, at=where):
            yield name, anchored
    yield "by_weights", interventions.edit_embedding(anchored, muting)
    yield "narrow_by_weights", interventions.edit_embedding(anchored, narrowly)


def falls(before, after):
    """Whether of what was right, less is kept the redder it is, within a bin's interval; by run."""
    doses = reddest.float().clamp_max(1)
    bins = [
        evaluation.dose_response(kept[was], doses[was])
        for was, kept in zip(before, after, strict=True)
    ]
    return torch.tensor([evaluation.is_monotone_decreasing(each) for each in bins])


right, measured = {}, []
for split, plain, anchored in studies:
    asked = {
        "held_out": split.held_out,
        "red": pairs[reddest > 0.8],
        "red_seen": split.seen[redness[split.seen].amax(-1) > 0.8],
        "red_held_out": split.held_out[redness[split.held_out].amax(-1) > 0.8],
        "pure_red": pairs[reddest == 1],
        "orange": pairs[(reddest - 0.75).abs() < 1e-6],
        "half_red": pairs[(reddest - 0.5).abs() < 1e-6],
        "without_red": pairs[reddest < 0.2],
        "red_and_blue": language.encode("red blue")[None],
        "green_and_blue": language.encode("green blue")[None],
    }
    found = {}
    for name, network in conditions(plain, anchored):
        found |= testbed.evaluate_mixing(network, language, asked, name)
        right.setdefault(name, []).append(testbed.exact_match(network, language, pairs))
    lost = "exact_match/anchored/held_out", "exact_match/plain/held_out"
    found["exact_match/cost/held_out"] = found[lost[0]] - found[lost[1]]
    kept = found["exact_match/anchored/without_red"]
    for name in (*edits, "by_weights", "narrow_by_weights"):
        found[f"retention/{name}/without_red"] = found[f"exact_match/{name}/without_red"] / kept
        found[f"falls/{name}"] = falls(right["anchored"][-1], right[name][-1])
    cosines = testbed.line_cosines(anchored, language.lines(pairs), axis, sites)
    aligned = testbed.line_alignment(cosines, language, pairs, chance, "red").evaluation()
    measured.append(found | {f"{name}/anchored": value for name, value in aligned.items()})
right = {name: torch.cat(each) for name, each in right.items()}

# %%
# As numbers: the share of lines that are answered exactly, and where red lies.

order = torch.tensor([seed for seeds in groups for seed in seeds]).argsort()
together = {name: torch.cat([each[name] for each in measured])[order] for name in measured[0]}
metrics = evidence.write(
    evaluation.Evaluation(together),
    {
        "sheet": SHEET,
        "stronger": stronger,
        "levels": language.levels,
        "model": transformer.__name__,
        "edits": {name: repr(edit) for name, (edit, _) in edits.items()},
        "splits": splits,
        "device": device,
    },
    failures,
)
told = (
    *(f"falls/{name}" for name in edits),
    "held_out",
    "/red",
    "pure_red",
    "orange",
    "half_red",
    "without_red",
    "/anchored",
)
print(
    evaluation.metric_table(
        metrics, [name for name in metrics if name.endswith(told) and "distance" not in name]
    )
)

# %%
# What becomes of red and blue, which no network was shown together.

split, plain, anchored = studies[0]
asked = torch.stack([language.encode("red blue"), language.encode("green blue")])
with la.intervene(anchored, muting, at=sites):
    muted = testbed.color_answers(anchored, language, asked)[0]
for pair, said, then in zip(
    asked, testbed.color_answers(anchored, language, asked)[0], muted, strict=True
):
    a, b, c, d = (language.vocabulary[token] for token in [*pair, said, then])
    print(f"{a} + {b} = {c}; with red muted: {d}")

# %%
# The mixing table of the cube's corners, before and after.

corners = ["red", "yellow", "green", "cyan", "blue", "magenta", "white", "black"]
corner = torch.tensor([language.token(name) for name in corners])
asked = torch.cartesian_prod(corner, corner)
shown = {"as it should be": language.answers(asked)}
for name, network in conditions(plain, anchored):
    if name != "narrow_by_weights":  # which says what the narrow edit does
        shown[name.replace("_", " ")] = testbed.color_answers(network, language, asked)[0]
table = viz.plot_swatches(
    torch.stack([language.colors[said].unflatten(0, (8, 8)) for said in shown.values()]),
    titles=[*shown],
    rows=corners,
    title="What two colors mix to; columns in the order of the rows",
)

# %%
# How accuracy falls with the redness of the reddest color of a line, and of its answer.


def response_to(redness, called, title):
    """Share of exact answers by redness, a panel for each condition."""
    tenths = (10 * redness).round()
    doses = tenths.unique()
    return viz.plot_response(
        f"redness of {called}, to one tenth",
        [f"{dose / 10:g}" for dose in doses],
        {
            f"answered exactly, {name}": torch.stack(
                [each[:, tenths == dose].double().mean(1) for dose in doses]
            )
            for name, each in right.items()
            if not name.endswith("by_weights")
        },
        alike=True,
        title=title,
    )


response = response_to(
    reddest, "the line's reddest color", "Lines with red go wrong, the others stay"
)
by_answer = response_to(
    redness[language.answers(pairs)], "the answer", "Answers that are red are lost, too"
)

# %%
# Where a line's first color lies on the axis, from the embedding to the last block.

seen = language.lines(pairs)[:, :4]
cosines = testbed.line_cosines(anchored, seen, axis, sites)[..., 0]
shown = ["red", "orange", "yellow", "gray", "cyan"]
first = {name: cosines[:, :, pairs[:, 0] == language.token(name)].mean(-1) for name in shown}
by_depth = viz.plot_response(
    "blocks passed by the residual stream",
    [*map(str, range(len(sites)))],
    {f"cosine of {name}": each.T for name, each in first.items()},
    alike=True,
    title="Red lies where we said, from the embedding on",
)
viz.save_figures(
    {"color_mixing": response, "by_answer": by_answer, "table": table, "depth": by_depth},
    evidence.out,
)
