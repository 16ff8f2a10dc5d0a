"""Red cut out of a transformer
============================

Once more the transformer of ``color_mixing.py``, with red on a chosen axis. While it learns, it is
shown what to say should red ever be gone: gray. Then red is cut out of its weights, for good, and
two questions are asked of what is left: how much of redness can still be read off the stream, and
how soon fine-tuning brings it back, beside a network that begins anew. By default a sketch with
five levels of each channel; ``--full --seeds 9`` takes seven, three seeds on each of three splits.
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
    "relearn_mixing",
    seeds=1,
    switches={"full": "seven levels, trained to the end, three splits"},
)
full = "full" in evidence.switches
splits = 3 if full else 1
groups = [seeds for k in range(splits) if (seeds := [s for s in evidence.seeds if s % splits == k])]
device = "cuda" if torch.cuda.is_available() else "cpu"

# %%
# Lines of pairs of colors, a fifth held out; a line is labeled, at times, if it holds a red.

language = testbed.MixingLanguage(levels=3 if evidence.smoke else 7 if full else 5)
redness = colorspace.hue_degree(language.colors, colorspace.hue_of("red"))
likeness = colorspace.hsv_similarity(language.colors, colorspace.named_colors("red")[0])


def sampler(split):
    """Lines of the pairs shown, some of those with red labeled."""
    lines = language.lines(split.seen)
    position = torch.arange(lines.shape[1]).expand_as(lines)
    red = data.BernoulliLabels(data.noisy_or(*(0.3 * likeness**11)[split.seen].unbind(-1)))
    extras = {"prompt": position < 4, "signs": (position == 1) | (position == 3)}
    return data.Sampler(lines, {"red": red}, batch_size=256 if full else 128, extras=extras)


# %%
# The same terms as before. Beside the next token there is a second loss, once red has found its
# place: labeled lines, with what lies near the axis at the embedding sent to its other pole, are to
# answer gray.

last, rate = (1000, 0.0125) if full else (900, 0.02)
SHEET = f"""\
STEP,           lr,   tokens, anchor, away,  apart, signs, fallback
0,              1e-4, 1,      0.06,   0.072, 0.018, 0.15,  0
{last // 10},   {rate}, ,       ,       ,      ,      ,
{last * 4 // 10}, ,   ,       ,       ,      ,      ,      0
{last * 7 // 10}, ,   ,       ,       0.068, 0.0034, ,     0.02
{last},         1e-4, ,       ,       ,      ,      ,
"""
timeline = curriculum.read_dopesheet(SHEET).timeline()

width, depth, heads, hidden = (64, 4, 8, 256) if full else (32, 2, 4, 128)
make_model = partial(
    models.NormalizedTransformer, len(language.vocabulary), width, depth, heads, hidden
)
sites, constraint, axis = make_model().sites, make_model().constraint, torch.eye(width)[0]
nearest = reg.SoftMinimum(temperature=0.1)
terms = [
    la.Term("anchor", reg.Anchor(axis), at=sites, label="red", where="prompt", pool=nearest),
    la.Term("away", reg.AntiSubspace(dims=[0]), at=sites[1:]),
    la.Term("apart", reg.AntiSubspace(dims=[0]), at=sites[0]),
    la.Term("signs", reg.AntiSubspace(dims=[0]), at=sites, where="signs"),
]
falloff = interventions.BoundedFalloff(threshold=math.cos(math.radians(70)))
mute = interventions.Redirection(axis, target=-axis, falloff=falloff)
gray = torch.tensor(language.token("gray"))
fallback = training.EditedOutputLoss(
    mute, say=gray, label="red", at=sites[0], error=training.TokenCrossEntropy(position=4)
)


def train(split, seeds, losses):
    """One run for each seed."""
    unused = {"fallback"} - {*losses}
    return la.fit(
        make_model,
        la.Objective(terms, losses=[*losses], other_tracks=["lr", *unused]),
        timeline,
        sampler(split),
        losses=losses,
        seeds=seeds,
        optimizer=partial(torch.optim.AdamW, betas=(0.9, 0.95), weight_decay=0.0),
        steps=evidence.steps,
        constraint=constraint,
        device=device,
    )


# %%
# With a fallback and without; then the cut, which rewrites the rows of the embedding.

with evidence.training():
    tokens = {"tokens": training.next_token}
    studies, failures = [], []
    for seeds in groups:
        split = language.split(seed=seeds[0] % splits, held_out=0.2, always=[("red", "blue")])
        fits = {
            "fallback": train(split, seeds, {**tokens, "fallback": fallback}),
            "plain": train(split, seeds, tokens),
        }
        studies.append((split, {name: trained.population for name, trained in fits.items()}))
        failures += [
            replace(failure, run=evidence.seeds.index(seeds[failure.run]))
            for trained in fits.values()
            for failure in trained.failures
        ]

# %%
# What is said of lines with red, before and after; whether it was foretold, before the cut, which
# lines are lost: those in which it moves a token; what can be read off the first color of a line;
# and how soon red is back, when the cut networks are taught all lines again.

pairs = language.pairs()
reddest = redness[pairs].amax(-1)
red, others = pairs[reddest > 0.8], pairs[reddest < 0.2]
prompts = language.lines(pairs)[:, :4]


def foretold(network, cut):
    """Of lines that were right, the share whose fate was told by what the cut moves."""
    moved = evaluation.displacement(evaluation.latents(network, prompts, sites[0]), mute)
    before, after = (testbed.exact_match(each, language, pairs) for each in (network, cut))
    told = (moved.amax(-1) > 0) != after
    return torch.stack([each[was].double().mean() for each, was in zip(told, before, strict=True)])


measured, curves = [], []
for split, networks in studies:
    found = {}
    for name, network in networks.items():
        cut = interventions.edit_embedding(network, mute)
        asked = {"held_out": split.held_out, "red": red, "without_red": others}
        found |= testbed.evaluate_mixing(network, language, asked, f"{name}/whole")
        found |= testbed.evaluate_mixing(cut, language, asked, f"{name}/cut")
        said = testbed.color_answers(cut, language, red)
        found[f"gray/{name}"] = (said == gray).double().mean(1)
        found[f"foretold/{name}"] = foretold(network, cut)
    network = networks["fallback"]
    cut = interventions.edit_embedding(network, mute)
    for condition, each in {"whole": network, "cut": cut}.items():
        for depth, site in enumerate(sites):
            leaks = testbed.line_leakage(each, language, "red", site)
            found |= {f"{name}/{condition}/{depth}": value for name, value in leaks.items()}
    audit = testbed.line_relearning(
        cut,
        language,
        split.seen,
        split.seen[redness[split.seen].amax(-1) > 0.8],
        constraint=constraint,
        rates=(0.02, 0.006, 0.002) if full else (0.02,),
        batch_size=256 if full else 128,
    )
    found |= audit.found
    curves.append(audit.curves)
    measured.append(found)

# %%
# As numbers.

order = torch.tensor([seed for seeds in groups for seed in seeds]).argsort()
together = {name: torch.cat([each[name] for each in measured])[order] for name in measured[0]}
settings = {"sheet": SHEET, "levels": language.levels, "splits": splits, "device": device}
metrics = evidence.write(together, settings, failures)
told = (
    "whole/held_out",
    "cut/red",
    "cut/without_red",
    "relearning/ratio",
    "linear/whole/0",
    "linear/cut/0",
    "floor/cut/0",
)
print(
    evaluation.metric_table(
        metrics,
        [
            name
            for name in metrics
            if (name.endswith(told) and "distance" not in name)
            or name.startswith(("gray", "foretold"))
        ],
    )
)

# %%
# How soon red comes back.

length = min(len(curve) for each in curves for curve in each.values())
back = viz.plot_relearning(
    [*range(length)],
    {
        name: torch.cat([each[name][:length] for each in curves], 1).T
        for name in ("fresh", "edited")
    },
    threshold=0.05,
    logarithmic="neither",
    label="share of lines with red that are answered wrong",
    title="How soon red comes back",
)

# %%
# What a line finds of redness in the stream, from the embedding to the last block; the floor is
# what it finds in plain RGB.

leakage = viz.plot_response(
    "blocks passed by the residual stream",
    [*map(str, range(len(sites)))],
    {
        f"R² of redness, {name}": torch.stack(
            [together[f"leakage/linear{suffix}/{part}/{k}"] for k in range(len(sites))]
        )
        for name, suffix, part in (
            ("before the cut", "", "whole"),
            ("after it", "", "cut"),
            ("floor", "/floor", "cut"),
        )
    },
    alike=True,
    title="Redness that a line can read off the stream",
)
viz.present({"relearn_mixing": back, "leakage": leakage}, evidence.out)
