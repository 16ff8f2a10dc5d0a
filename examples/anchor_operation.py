"""The sign of an operation on a chosen axis
=========================================

Not a color but a sign: beside ``+`` the language of ``color_mixing.py`` has ``-``, the mixture with
the complement. A twentieth of the lines that subtract are labeled so, without saying where the sign
stands; that puts the sign on an axis that was chosen beforehand. Then it is muted, and addition
stays. Mind what that shows: a token has been anchored, and muting it is about what masking it would
be. An operation that no token names, and that has to be inferred, is another matter. By default a
sketch with five levels of each channel; ``--full --seeds 9`` trains seven levels to the end, three
seeds on each of three splits.
"""

# %%
# The seeds, the size, and the folder for the results. Each seed belongs to one split of the data.

import torch

import latent_anchors as la
from latent_anchors import curriculum, data, evaluation, testbed, training, viz
from latent_anchors import regularizers as reg

SWITCHES = {"full": "seven levels, trained to the end, three splits"}
evidence = testbed.Evidence.from_arguments("anchor_operation", seeds=1, switches=SWITCHES)
full = "full" in evidence.switches
size, splits = testbed.MixingSize.of(full), testbed.SeedSplits(evidence.seeds, 3 if full else 1)

# %%
# Lines of both operations, a fifth of the pairs of each held out.

language = testbed.MixingLanguage(size.levels, operations=("+", "-"))


def sampler(parts):
    """Lines of the pairs trained on; one in twenty of those that subtract is labeled."""
    lines = torch.cat([language.lines(part.seen, sign) for sign, part in parts.items()])
    subtracts = (lines[:, 1] == language.token("-")).float()
    labels = {"minus": data.BernoulliLabels(0.05 * subtracts)}
    return testbed.mixing_sampler(lines, labels, size.batch_size)


# %%
# The objective: of each labeled line, something in the prompt lies near the axis, wherever the
# stream is read. Everything stays off the axis, and the equals sign most of all, since it stands in
# every line and could mark the labeled ones.

last = 3000 if full else 2000
SHEET = f"""\
STEP,             lr,   tokens, minus, away,  equals
0,                1e-4, 1,      0.15,  0.375, 0.15
{last // 10},     0.02, ,       ,      ,
{last * 9 // 10}, ,     ,       ,      0.1,
{last},           1e-4, ,       ,      ,
"""
make_model = size.network(language)
options = testbed.transformer_options(make_model)
sites, axis = make_model().sites, torch.eye(size.width)[0]
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

studies, failures = [], []
for number, seeds in splits:
    parts = {
        sign: language.split(seed=number, held_out=0.2, operation=sign)
        for sign in language.operations
    }
    with evidence.training():
        trained = la.fit(
            make_model,
            objective,
            curriculum.read_dopesheet(SHEET).timeline(),
            sampler(parts),
            losses={"tokens": training.next_token},
            seeds=seeds,
            steps=evidence.steps,
            **options,
        )
    studies.append((parts, trained.population))
    failures += splits.failures(seeds, trained.failures)

# %%
# Muting sends what lies near the axis to the other pole, once, at the embedding, where each sign is
# by itself.

muting = testbed.away_from(axis, degrees=60)
names = {"+": "plus", "-": "minus"}
measured = []
for parts, network in studies:
    found = {}
    for sign, name in names.items():
        pairs = language.pairs(sign)
        groups = {"all": pairs, "held_out": parts[sign].held_out}
        whole = testbed.evaluate_mixing(network, language, groups, f"{name}/anchored", sign)
        with la.intervene(network, muting, at=sites[0]):
            muted = testbed.evaluate_mixing(network, language, groups, f"{name}/muted", sign)
        kept = muted[f"exact_match/{name}/muted/all"] / whole[f"exact_match/{name}/anchored/all"]
        cosines = testbed.line_cosines(network, language.lines(pairs, sign), axis, sites)
        found |= whole | muted | {f"retention/{name}": kept}
        found[f"cosine/{name}"] = cosines[:, 0, :, 1].mean(1)
        found[f"depths/{name}"] = cosines[..., 1].mean(2)
    measured.append(found)

# %%
# As numbers, and where the two signs lie from the embedding to the last block.

together = splits.join(measured)
depths = {sign: together.pop(f"depths/{name}") for sign, name in names.items()}
settings = {"sheet": SHEET, "levels": size.levels, "splits": splits.count}
metrics = evidence.write(together, settings | {"device": options["device"]}, failures)
print(evaluation.metric_table(metrics, [name for name in metrics if "distance" not in name]))
by_depth = viz.plot_response(
    "blocks passed by the residual stream",
    [*map(str, range(len(sites)))],
    {f"cosine of {sign}": each.T for sign, each in depths.items()},
    alike=True,
    title="The sign of subtraction lies on the axis that was chosen",
)
viz.save_figures({"anchor_operation": by_depth}, evidence.out)
