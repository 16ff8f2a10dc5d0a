"""Red cut out of a transformer
============================

Once more the transformer of ``color_mixing.py``, with red on a chosen axis. During training it is
also shown what to answer without red: gray. Then red is cut out of its weights, for good. How much
of redness can still be read from the stream, and how soon does fine-tuning bring it back? A network
that begins anew gives the scale, not a goal: it has everything to learn. By default a sketch with
five levels of each channel; ``--full --seeds 9`` takes seven, three seeds on each of three splits.
"""

# %%
# The seeds, the size, and the folder for the results. Each seed belongs to one split of the data.

from dataclasses import replace

import torch

import latent_anchors as la
from latent_anchors import audits, curriculum, evaluation, interventions, testbed, training, viz

SWITCHES = {"full": "seven levels, trained to the end, three splits"}
evidence = testbed.Evidence.from_arguments("relearn_mixing", seeds=1, switches=SWITCHES)
full = "full" in evidence.switches
size, splits = testbed.MixingSize.of(full), testbed.SeedSplits(evidence.seeds, 3 if full else 1)
if evidence.smoke:
    size = replace(size, levels=3)

# %%
# Data and terms are those of ``color_mixing.py``. Once red has found its place, there is a second
# loss: labeled lines answer gray, if what lies near the axis at the embedding is sent to the other
# pole.

language = testbed.MixingLanguage(size.levels)
make_model = size.network(language)
options = testbed.transformer_options(make_model, fused=False)
sites, axis = make_model().sites, torch.eye(size.width)[0]

SHEET = testbed.fallback_sheet(*(1000, 0.0125) if full else (900, 0.02))
mute = testbed.away_from(axis, degrees=70)
fallback = testbed.gray_fallback(language, mute, at=sites[0])
losses = {"tokens": training.next_token, "fallback": fallback}


def train(split, seeds, *names):
    """One run for each seed, with some of the losses."""
    terms, others = testbed.red_terms(sites, axis), ["lr", *({*losses} - {*names})]
    return la.fit(
        make_model,
        la.Objective(terms, losses=names, other_tracks=others),
        curriculum.read_dopesheet(SHEET).timeline(),
        testbed.red_sampler(language, split.seen, size.batch_size),
        losses={name: losses[name] for name in names},
        seeds=seeds,
        steps=evidence.steps,
        **options,
    )


# %%
# Train with a fallback and without. Then measure, before and after the cut, which rewrites the rows
# of the embedding: the answers to lines with red, and whether the cut loses just the lines in which
# it moves a token. Then, what can be read from the first color of a line? Last comes how soon red
# is back when the cut networks are trained on all lines again.

pairs = language.pairs()


def predicted(network, cut):
    """Of lines that were right, the share for which moved tokens say whether they are lost."""
    z = evaluation.latents(network, language.lines(pairs)[:, :4], sites[0])
    moved = evaluation.displacement(z, mute)
    before, after = (testbed.exact_match(each, language, pairs) for each in (network, cut))
    right = (moved.amax(-1) > 0) != after
    return torch.stack([each[was].double().mean() for each, was in zip(right, before, strict=True)])


measured, audited, failures = [], [], []
for number, seeds in splits:
    split = language.split(seed=number, held_out=0.2, always=[("red", "blue")])
    with evidence.training():
        fits = {"fallback": train(split, seeds, *losses), "plain": train(split, seeds, "tokens")}
    failures += splits.failures(seeds, *(trained.failures for trained in fits.values()))
    every, found = testbed.red_groups(language, split), {}
    groups = {name: every[name] for name in ("held_out", "red", "without_red")}
    for name, trained in fits.items():
        whole, cut = trained.population, interventions.edit_embedding(trained.population, mute)
        for condition, network in {"whole": whole, "cut": cut}.items():
            found |= testbed.evaluate_mixing(network, language, groups, f"{name}/{condition}")
            for depth, site in enumerate(sites if name == "fallback" else ()):
                leaks = testbed.line_leakage(network, language, "red", site)
                found |= {f"{measure}/{condition}/{depth}": each for measure, each in leaks.items()}
        answers = testbed.color_answers(cut, language, groups["red"])
        found[f"gray/{name}"] = (answers == language.token("gray")).double().mean(1)
        found[f"predicted/{name}"] = predicted(whole, cut)
    audit = testbed.line_relearning(
        interventions.edit_embedding(fits["fallback"].population, mute),
        language,
        split.seen,
        every["red_seen"],
        constraint=options["constraint"],
        rates=(0.02, 0.006, 0.002) if full else (0.02,),
        batch_size=size.batch_size,
    )
    audited.append(audit)
    measured.append({**found, **audit.found})

together = splits.join(measured)
settings = {"sheet": SHEET, "levels": size.levels, "splits": splits.count}
ratios = [name for name in together if name.startswith(audits.RATIOS)]
metrics = evidence.write(together, settings | {"device": options["device"]}, failures, ratios)
print(evaluation.metric_table(metrics, [name for name in metrics if "distance" not in name]))

# %%
# How soon red comes back; and how well a linear map finds redness in the stream, from the embedding
# to the last block. The floor is what it finds in plain RGB.

_, curves = testbed.join_audits(audited)
back = viz.plot_relearning(
    [*range(curves["fresh"].shape[1])],
    {of: curves[of] for of in ("fresh", "edited")},
    threshold=0.05,
    logarithmic="neither",
    label="share of lines with red that are answered wrong",
    title="How soon red comes back",
)
shown = {"before the cut": "/whole", "after it": "/cut", "floor": "/floor/cut"}
leakage = viz.plot_response(
    "blocks passed by the residual stream",
    [*map(str, range(len(sites)))],
    {
        f"R² of redness, {name}": torch.stack(
            [together[f"leakage/linear{part}/{depth}"] for depth in range(len(sites))]
        )
        for name, part in shown.items()
    },
    alike=True,
    title="Redness that a linear map can read from the stream",
)
viz.save_figures({"relearn_mixing": back, "leakage": leakage}, evidence.out)
