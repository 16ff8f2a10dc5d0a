"""An operation where we said
==========================

Not a color but what is done with colors: beside ``+`` the language of ``color_mixing.py`` has
``-``, the mixture with the complement. A twentieth of the lines that subtract are labeled so,
without saying where the sign stands; that puts subtraction on an axis that was chosen beforehand.
Then it is muted, and adding stays. By default a sketch with five levels of each channel; ``--full
--seeds 9`` trains seven levels to the end, three seeds on each of three splits.
"""

# %%
# Which seeds, how large a language, where the results go. The split follows from the seed.

from dataclasses import replace
from functools import partial

import torch

import latent_anchors as la
from latent_anchors import (
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
    "anchor_operation",
    seeds=1,
    switches={"full": "seven levels, trained to the end, three splits"},
)
full = "full" in evidence.switches
splits = 3 if full else 1
groups = [seeds for k in range(splits) if (seeds := [s for s in evidence.seeds if s % splits == k])]
device = "cuda" if torch.cuda.is_available() else "cpu"

# %%
# Lines of both operations, a fifth of the pairs of each held out.

language = testbed.MixingLanguage(levels=7 if full else 5, operations=("+", "-"))


def sampler(parts):
    """Lines of the pairs shown; some of those that subtract say so."""
    lines = torch.cat([language.lines(part.seen, sign) for sign, part in parts.items()])
    position = torch.arange(lines.shape[1]).expand_as(lines)
    subtracts = data.BernoulliLabels(0.05 * (lines[:, 1] == language.token("-")).float())
    extras = {"prompt": position < 4, "equals": position == 3}
    return data.Sampler(lines, {"minus": subtracts}, 256 if full else 128, extras=extras)


# %%
# What is asked: of lines labeled so, that something in the prompt lies near the axis, wherever the
# stream is read; of everything, that it keeps off the axis; and of the equals sign most of all,
# since it stands in every line and would do for a mark of those that are labeled.

last = 3000 if full else 2000
SHEET = f"""\
STEP,             lr,   tokens, minus, away,  equals
0,                1e-4, 1,      0.15,  0.375, 0.15
{last // 10},     0.02, ,       ,      ,
{last * 9 // 10}, ,     ,       ,      0.1,
{last},           1e-4, ,       ,      ,
"""
timeline = curriculum.read_dopesheet(SHEET).timeline()

width, depth, heads, hidden = (64, 4, 8, 256) if full else (32, 2, 4, 128)
make_model = partial(
    models.NormalizedTransformer, len(language.vocabulary), width, depth, heads, hidden
)
sites, axis = make_model().sites, torch.eye(width)[0]
nearest = reg.SoftMinimum(temperature=0.1)
objective = la.Objective(
    [
        la.Term("minus", reg.Anchor(axis), at=sites, label="minus", mask="prompt", pool=nearest),
        la.Term("away", reg.AntiSubspace(dims=[0]), at=sites),
        la.Term("equals", reg.AntiSubspace(dims=[0]), at=sites, mask="equals"),
    ],
    losses=["tokens"],
    other_tracks=["lr"],
)

with evidence.training():
    studies, failures = [], []
    for seeds in groups:
        parts = {
            sign: language.split(seed=seeds[0] % splits, held_out=0.2, operation=sign)
            for sign in language.operations
        }
        trained = la.fit(
            make_model,
            objective,
            timeline,
            sampler(parts),
            losses={"tokens": training.next_token},
            seeds=seeds,
            optimizer=partial(torch.optim.AdamW, betas=(0.9, 0.95), weight_decay=0.0, fused=True),
            steps=evidence.steps,
            constraint=make_model().constraint,
            device=device,
            backend="cuda_graph" if device == "cuda" else "eager",
        )
        studies.append((parts, trained.population))
        failures += [
            replace(failure, run=evidence.seeds.index(seeds[failure.run]))
            for failure in trained.failures
        ]

# %%
# Muting sends what lies near the axis to the other pole, once, at the embedding: the signs are
# still by themselves there.

falloff = interventions.BoundedFalloff(threshold=0.5)
muting = interventions.Redirection(axis, target=-axis, falloff=falloff)
names = {"+": "plus", "-": "minus"}
measured, depths = [], []
for parts, network in studies:
    found = {}
    for sign, name in names.items():
        pairs = language.pairs(sign)
        asked = {"all": pairs, "held_out": parts[sign].held_out}
        whole = testbed.evaluate_mixing(network, language, asked, f"{name}/anchored", sign)
        with la.intervene(network, muting, at=sites[0]):
            muted = testbed.evaluate_mixing(network, language, asked, f"{name}/muted", sign)
        kept = muted[f"exact_match/{name}/muted/all"] / whole[f"exact_match/{name}/anchored/all"]
        cosines = testbed.line_cosines(network, language.lines(pairs, sign), axis, sites)
        found |= whole | muted | {f"retention/{name}": kept}
        found[f"cosine/{name}"] = cosines[:, 0, :, 1].mean(1)
        depths.append(cosines[..., 1].mean(2))
    measured.append(found)

# %%
# As numbers, and where the two signs lie from the embedding to the last block.

order = torch.tensor([seed for seeds in groups for seed in seeds]).argsort()
together = {name: torch.cat([each[name] for each in measured])[order] for name in measured[0]}
settings = {"sheet": SHEET, "levels": language.levels, "splits": splits, "device": device}
metrics = evidence.write(together, settings, failures)
print(evaluation.metric_table(metrics, [name for name in metrics if "distance" not in name]))
by_depth = viz.plot_response(
    "blocks passed by the residual stream",
    [*map(str, range(len(sites)))],
    {f"cosine of {sign}": torch.cat(depths[k::2]).T for k, sign in enumerate(names)},
    alike=True,
    title="Subtraction lies where we said",
)
viz.save_figures({"anchor_operation": by_depth}, evidence.out)
