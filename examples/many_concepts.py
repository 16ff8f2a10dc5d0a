"""Six colors, each where we said
==============================

The transformer of ``color_mixing.py`` again, with more than one concept: red and blue on two axes,
and all six primaries and secondaries on six. Each is muted alone, and the others stay. By default a
sketch of five levels and six colors; ``--full --seeds 9`` trains both, on seven levels and to the
end, three seeds on each of three splits.
"""

# %%
# Which seeds, how large a language, where the results go. The split follows from the seed.

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
    "many_concepts", seeds=1, switches={"full": "seven levels, trained to the end, three splits"}
)
full = "full" in evidence.switches
everything = full or evidence.smoke
splits = 3 if full else 1
groups = [seeds for k in range(splits) if (seeds := [s for s in evidence.seeds if s % splits == k])]
levels, batch_size = (7, 256) if full else (5, 128)
width, depth, heads, hidden = (64, 4, 8, 256) if full else (32, 2, 4, 128)
device = "cuda" if torch.cuda.is_available() else "cpu"
failures = []

# %%
# One recipe for every concept, as for red alone: what is labeled is drawn to its own axis, at some
# position of the prompt and at every site; everything else keeps off all of them.

nearest = reg.SoftMinimum(temperature=0.1)


def sheet(last):
    """The weights over so many steps."""
    return f"""\
STEP,           lr,   tokens, anchor, away,  signs
0,              1e-4, 1,      0.15,   0.375, 0.15
{last // 10},   0.015, ,      ,       ,
{last * 9 // 10}, ,   ,       ,       0.1,
{last},         1e-4, ,       ,       ,
"""


def train(concepts, sampler, seeds, make_model, last):
    """One run for each seed, and where its stream can be read."""
    timeline = curriculum.read_dopesheet(sheet(last)).timeline()
    sites, dims = make_model().sites, [*range(len(concepts))]
    anchors = [
        la.Term(
            *(name, reg.Anchor(torch.eye(width)[k])),
            at=sites,
            label=name,
            mask="prompt",
            pool=nearest,
            track="anchor",
        )
        for k, name in enumerate(concepts)
    ]
    away = la.Term("away", reg.AntiSubspace(dims=dims), at=sites)
    signs = la.Term("signs", reg.AntiSubspace(dims=dims), at=sites, mask="signs")
    objective = la.Objective([*anchors, away, signs], losses=["tokens"], other_tracks=["lr"])
    trained = la.fit(
        make_model,
        objective,
        timeline,
        sampler,
        losses={"tokens": training.next_token},
        seeds=seeds,
        optimizer=partial(torch.optim.AdamW, betas=(0.9, 0.95), weight_decay=0.0, fused=True),
        steps=evidence.steps,
        constraint=make_model().constraint,
        device=device,
        backend="cuda_graph" if device == "cuda" else "eager",
    )
    failures.extend(
        replace(failure, run=evidence.seeds.index(seeds[failure.run]))
        for failure in trained.failures
    )
    return trained.population, sites


def away_from(k):
    """Send what lies within 60 degrees of an axis to its other pole."""
    axis = torch.eye(width)[k]
    falloff = interventions.BoundedFalloff(threshold=0.5)
    return interventions.Redirection(axis, target=-axis, falloff=falloff)


# %%
# Colors: six at once, and two. For each, the share of lines with it that are still answered
# while it is muted, and of lines without it, beside what they were.

with evidence.training():
    language = testbed.MixingLanguage(levels=levels)
    make_model = partial(
        models.NormalizedTransformer, len(language.vocabulary), width, depth, heads, hidden
    )
    pairs = language.pairs()
    degree = {
        name: colorspace.hue_degree(language.colors, colorspace.hue_of(name))
        for name in ("red", "yellow", "green", "cyan", "blue", "magenta")
    }

    def color_labels(split, concepts):
        """Lines of the pairs shown, labeled with the colors that are concepts."""
        lines = language.lines(split.seen)
        position = torch.arange(lines.shape[1]).expand_as(lines)
        chances = {name: 0.3 * degree[name][split.seen] ** 12 for name in concepts}
        labels = {
            name: data.BernoulliLabels(data.noisy_or(*each.unbind(-1)))
            for name, each in chances.items()
        }
        extras = {"prompt": position < 4, "signs": (position == 1) | (position == 3)}
        return data.Sampler(lines, labels, batch_size=batch_size, extras=extras)

    measured, kept = [], []
    for seeds in groups:
        split = language.split(seed=seeds[0] % splits, held_out=0.2, always=[("red", "blue")])
        found = {}
        for many, concepts in {
            "six": [*degree],
            **({"two": ["red", "blue"]} if everything else {}),
        }.items():
            sampler = color_labels(split, concepts)
            network, sites = train(concepts, sampler, seeds, make_model, 1000 if full else 700)
            before = testbed.exact_match(network, language, pairs).double()
            held_out = testbed.exact_match(network, language, split.held_out).double().mean(1)
            found[f"exact_match/{many}/held_out"] = held_out
            for k, name in enumerate(concepts):
                dose = degree[name][pairs].amax(-1)
                with la.intervene(network, away_from(k), at=sites):
                    after = testbed.exact_match(network, language, pairs).double()
                without = after[:, dose < 0.2].mean(1) / before[:, dose < 0.2].mean(1)
                found[f"exact_match/{many}/{name}_muted"] = after[:, dose > 0.8].mean(1)
                found[f"retention/{many}/without_{name}"] = without
                if many == "six":
                    shares = [
                        after[:, degree[other][pairs].amax(-1) > 0.8].mean(1) for other in degree
                    ]
                    kept.append(torch.stack(shares))
        measured.append(found)

# %%
# As numbers, and as a picture: which lines are still answered, with each of six muted.

order = torch.tensor([seed for seeds in groups for seed in seeds]).argsort()
together = {name: torch.cat([each[name] for each in measured])[order] for name in measured[0]}
settings = {"sheet": sheet(1000), "levels": levels, "splits": splits, "device": device}
metrics = evidence.write(together, settings, failures)
print(evaluation.metric_table(metrics, [*metrics]))
six = torch.cat([torch.stack(kept[k : k + 6]) for k in range(0, len(kept), 6)], dim=-1)
viz.save_figures(
    {
        "many_concepts": viz.plot_response(
            "color that is muted",
            [*degree],
            {f"answered exactly, lines with {name}": six[:, k] for k, name in enumerate(degree)},
            alike=True,
            title="Each color is muted alone",
        )
    },
    evidence.out,
)
