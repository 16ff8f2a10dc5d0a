"""Red in a transformer that mixes colors
======================================

A small transformer learns lines such as ``red + green = olive``. While it learns, one or two lines
in a hundred are labeled "there is red in it", without saying where; that is enough to put red on an
axis of the residual stream that was chosen beforehand. Then whatever lies near that axis is turned
away: lines with red go wrong, lines without it stay as they are. By default this is a sketch, with
five levels of each channel and a stream 32 wide, and takes some two minutes; ``--quick`` takes
seven levels and twice the width, and longer.
"""

# %%
# Which seeds, how large a language, where the results go.

import time
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
    training,
    viz,
)
from latent_anchors import regularizers as reg

evidence = evaluation.Evidence.from_arguments(
    "color_mixing", seeds=1, switches={"quick": "seven levels of each channel, trained to the end"}
)
quick = "quick" in evidence.switches

# %%
# The language: colors of a grid, and the pairs whose mixture is a color of the grid. A fifth of the
# pairs is never shown, red with blue among them. A label says that a line holds a red, drawn anew
# at each sight, and more often the redder its colors are.

language = data.MixingLanguage(levels=7 if quick else 5)
split = language.split(seed=0, held_out=0.2, always=[("red", "blue")])
redness = colorspace.hue_degree(language.colors, colorspace.hue_of("red"))

lines = language.lines(split.seen)
position = torch.arange(lines.shape[1]).expand_as(lines)
sampler = data.Sampler(
    lines,
    {"red": data.Bernoulli(data.either(*(0.5 * redness[split.seen] ** 10).unbind(-1)))},
    batch_size=256 if quick else 128,
    extras={"prompt": position < 4, "signs": (position == 1) | (position == 3)},
)

# %%
# What is asked: every next token; of lines labeled red, that something in the prompt lies near the
# axis, at the embedding and after each block; of everything, that it stays off the axis, strongly
# at first; and of the signs, which stand in every line, that they stay off it to the end.

last = 1000 if quick else 800
SHEET = f"""\
STEP,           lr,   tokens, anchor, away, signs
0,              1e-4, 1,      0.1,    0.25, 0.1
{last // 10},   0.01, ,       ,       ,
{last * 9 // 10}, ,   ,       ,       0.06,
{last},         1e-4, ,       ,       ,
"""
timeline = curriculum.read_dopesheet(SHEET).timeline()

width, depth, heads, hidden = (64, 4, 8, 256) if quick else (32, 2, 4, 128)
make_model = partial(
    models.NormalizedTransformer, len(language.vocabulary), width, depth, heads, hidden
)
sites, constraint = make_model().sites, make_model().constraint
axis = torch.eye(width)[0]
nearest = reg.SoftMinimum(temperature=0.1)
objective = la.Objective(
    [
        la.Term("anchor", reg.Anchor(axis), at=sites, label="red", where="prompt", pool=nearest),
        la.Term("away", reg.AntiSubspace(dims=[0]), at=sites),
        la.Term("signs", reg.AntiSubspace(dims=[0]), at=sites, where="signs"),
    ],
    losses=["tokens"],
    tracks=timeline.names,
    elsewhere=["lr"],
)

# %%
# Two trainings that differ in nothing but the weights of these three terms.

began = time.monotonic()
unanchored = curriculum.scale(timeline, {"anchor": 0, "away": 0, "signs": 0})
plain, anchored = (
    la.fit(
        make_model,
        objective,
        each,
        sampler,
        losses={"tokens": training.next_token},
        seeds=evidence.seeds,
        optimizer=partial(torch.optim.AdamW, betas=(0.9, 0.95), weight_decay=0.0),
        steps=evidence.steps,
        execution="in_turn",
        constraint=constraint,
    )
    for each in (unanchored, timeline)
)
train_seconds = time.monotonic() - began
networks = {"plain": plain.population, "anchored": anchored.population}

# %%
# Two edits, each at every site. Muting sends what lies within 60 degrees of the axis to the other
# pole. The narrow one takes the axis' part away from what lies within 45, and leaves orange alone.

wide, narrow = (interventions.BoundedFalloff(threshold=cosine) for cosine in (0.5, 0.7))
edits = {
    "muted": interventions.Redirection(axis, target=-axis, falloff=wide),
    "narrow": interventions.Projection(axis[None], falloff=narrow, renormalize=True),
}
pairs = language.pairs()
reddest = redness[pairs].amax(-1)
groups = {
    "held_out": split.held_out,
    "red": pairs[reddest > 0.8],
    "orange": pairs[reddest == 0.75],
    "half_red": pairs[reddest == 0.5],
    "without_red": pairs[reddest < 0.2],
}
right = {name: evaluation.exact_match(each, language, pairs) for name, each in networks.items()}
found = {}
for name, each in networks.items():
    found |= evaluation.evaluate_mixing(each, language, groups, name)
for name, edit in edits.items():
    with la.intervene(anchored.population, edit, at=sites):
        right[name] = evaluation.exact_match(anchored.population, language, pairs)
        found |= evaluation.evaluate_mixing(anchored.population, language, groups, name)

# %%
# As numbers: the share of lines that are answered exactly.

metrics = evidence.write(
    evaluation.Evaluation(found),
    {"sheet": SHEET, "levels": language.levels, "edits": {k: repr(v) for k, v in edits.items()}},
    train_seconds,
    [*plain.failures, *anchored.failures],
)
print(evaluation.metric_table(metrics, [name for name in metrics if "exact" in name]))

# %%
# What becomes of red and blue, which no network was shown together.

asked = torch.stack([language.encode("red blue"), language.encode("green blue")])
with la.intervene(anchored.population, edits["muted"], at=sites):
    muted = evaluation.color_answers(anchored.population, language, asked)[0]
for pair, said, then in zip(
    asked, evaluation.color_answers(anchored.population, language, asked)[0], muted, strict=True
):
    a, b, c, d = (language.vocabulary[token] for token in [*pair, said, then])
    print(f"{a} + {b} = {c}; with red muted: {d}")

# %%
# How accuracy falls with the redness of the reddest color, and where a line's first color lies on
# the axis, from the embedding to the last block.

doses = [k / 10 for k in range(11) if ((reddest * 10).round() == k).any()]
response = viz.plot_response(
    "redness of the line's reddest color, to one tenth",
    [f"{dose:g}" for dose in doses],
    {
        f"answered exactly, {name}": torch.stack(
            [each[:, (reddest * 10).round() == 10 * dose].double().mean(1) for dose in doses]
        )
        for name, each in right.items()
    },
    alike=True,
    title="Lines with red go wrong, the others stay",
)
seen = language.lines(pairs)[:, :4]
cosines = evaluation.line_cosines(anchored.population, seen, axis, sites)[..., 0]
shown = ["red", "orange", "yellow", "gray", "cyan"]
first = {name: cosines[:, :, pairs[:, 0] == language.token(name)].mean(-1) for name in shown}
depth = viz.plot_response(
    "blocks passed by the residual stream",
    [*map(str, range(len(sites)))],
    {f"cosine of {name}": each.T for name, each in first.items()},
    alike=True,
    title="Red lies where we said, from the embedding on",
)
viz.present({"color_mixing": response, "depth": depth}, evidence.out)
