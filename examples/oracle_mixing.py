"""Is red gone from a transformer?
===============================

As in ``relearn_mixing.py`` red is cut out of the weights of a transformer that mixes colors. How
soon is it back, beside two oracles: a network that never saw red, and one that has learned all it
knows from the cut network's answers? After a complete removal it takes as long as for those. Fresh
networks, which have everything to learn, are there for scale.

By default a sketch with five levels of each channel, attacked on all lines at one learning rate.
``--full --seeds 9`` takes seven levels, three seeds on each of three splits, and six learning
rates, of which each network's best counts; ``--attacks`` adds the other eleven attacks.
"""

# %%
# The seeds, the size, and the folder for the results. Each seed belongs to one split of the data.

from dataclasses import replace

import torch

import latent_anchors as la
from latent_anchors import audits, curriculum, evaluation, interventions, testbed, training, viz

SWITCHES = {"full": "seven levels, three splits, six rates", "attacks": "all twelve attacks"}
evidence = testbed.Evidence.from_arguments("oracle_mixing", seeds=1, switches=SWITCHES)
full = "full" in evidence.switches
size, splits = testbed.MixingSize.of(full), testbed.SeedSplits(evidence.seeds, 3 if full else 1)
if evidence.smoke:
    size = replace(size, levels=3)

# %%
# Networks are trained as in ``relearn_mixing.py``, with gray as the answer without red.

language = testbed.MixingLanguage(size.levels)
make_model = size.network(language)
options = testbed.transformer_options(make_model, fused=False)
sites, axis = make_model().sites, torch.eye(size.width)[0]

SHEET = testbed.fallback_sheet(*(1000, 0.0125) if full else (600, 0.02))
TRACKS = {"lr", "tokens", "anchor", "away", "apart", "signs", "fallback"}
mute = testbed.away_from(axis, degrees=70)
fallback = testbed.gray_fallback(language, mute, at=sites[0])


def train(lines, seeds, terms=(), **losses):
    """One run for each seed."""
    return la.fit(
        make_model,
        la.Objective(
            terms,
            losses=[*losses],
            other_tracks=sorted(TRACKS - {*losses} - {term.name for term in terms}),
        ),
        curriculum.read_dopesheet(SHEET).timeline(),
        testbed.red_sampler(language, lines, size.batch_size),
        losses=losses,
        seeds=seeds,
        steps=evidence.steps,
        **options,
    )


# %%
# The attacks are fixed beforehand. What is trained on is all lines, eight lines with red and
# nothing else, lines that the cut spares, which their colors say beforehand, or lines about orange
# and the like. What is trained is all weights, the embedding, or an addition of rank 4 to each
# linear layer. The control is to teach something else, to the cut network and to the whole one:
# gray as the answer to lines with cyan.

rates = testbed.ATTACK_RATES if full else (0.02,)
most = evidence.steps or 2000


def relearn(cut, beside, lines, asked, weights="all", **given):
    """How soon networks are fine-tuned to answer some lines."""
    own = {"limit": most, "first_must_arrive": False, "constraint": options["constraint"]}
    given = own | {"rates": rates, "batch_size": 64, "references": beside} | given
    return testbed.line_relearning(cut, language, lines, asked, weights=weights, **given)


def weaker(cut, oracle, lines, asked):
    """Measures of the other attacks, of which some may not bring red back to anyone."""
    for data, weights in testbed.RED_ATTACKS[1:] if "attacks" in evidence.switches else ():
        audit = relearn(cut, {"oracle": oracle}, lines[data], asked, weights, limit=min(most, 500))
        found = {**audit.found, **audit.after()}
        # the first reference is the oracle here, and the fresh network in the main attack
        found["relearning/ratio_oracle"] = found.pop("relearning/ratio")
        del found["relearning/at_least_one"]
        yield from ((f"{name}/{data}/{weights}", value) for name, value in found.items())


# %%
# Train, cut, and attack.

measured, audited, failures = [], [], []
for number, seeds in splits:
    split = language.split(seed=number, held_out=0.2, always=[("red", "blue")])
    lines, groups = testbed.red_attack_lines(language, split), testbed.red_groups(language, split)
    terms, tokens = testbed.red_terms(sites, axis), training.next_token
    with evidence.training():
        fits = {"whole": train(split.seen, seeds, terms, tokens=tokens, fallback=fallback)}
        cut = interventions.edit_embedding(fits["whole"].population, mute)
        fits["oracle"] = train(lines["none"], seeds, tokens=tokens)
        imitation = training.DistillationLoss(training.Teacher(cut), error=training.forward_kl)
        fits["distilled"] = train(split.seen, seeds, tokens=imitation)
    failures += splits.failures(seeds, *(fit.failures for fit in fits.values()))
    whole, *others = (fit.population for fit in fits.values())
    oracles, asked = dict(zip(["oracle", "distilled"], others, strict=True)), groups["red_seen"]
    found, of = {}, {name: groups[name] for name in ("held_out", "red", "without_red")}
    for name, network in {"whole": whole, "cut": cut, **oracles}.items():
        found |= testbed.evaluate_mixing(network, language, of, name)
    gray = language.token("gray")
    control = relearn(cut, {"whole": whole}, lines["none"], lines["control"], answer=gray)
    audit = relearn(cut, {"fresh": audits.fresh(cut), **oracles}, lines["all"], asked)
    audited.append(audit.with_control(control))
    found |= audited[-1].found | audit.after()
    measured.append(found | dict(weaker(cut, oracles["oracle"], lines, asked)))

together = splits.join(measured)
settings = {"sheet": SHEET, "levels": size.levels, "splits": splits.count, "rates": rates}
ratios = [name for name in together if name.startswith(audits.RATIOS)]
metrics = evidence.write(together, settings | {"device": options["device"]}, failures, ratios)
print(evaluation.metric_table(metrics, [name for name in metrics if "distance" not in name]))

# %%
# R is ``ratio_oracle``, C the control; ratios have geometric means. And how soon red comes back.

attacked = splits.join([audit.found for audit in audited])
_, curves = testbed.join_audits(audited)
record = audits.Relearning(evidence.seeds, most, evaluation.Evaluation(attacked), {}, {})
print(evaluation.metric_table(record.ratios(), [*record.ratios()]))
words = {"edited": "cut", "oracle": "never saw red", "distilled": "distilled", "fresh": "fresh"}
shown = {words[name]: curves[name][:, 1:] for name in words}
label, steps = "share of lines with red that are answered wrong", range(1, curves["fresh"].shape[1])
given = {"threshold": 0.05, "logarithmic": "steps", "label": label}
viz.save_figures({"relearning": viz.plot_relearning(steps, shown, **given)}, evidence.out)
