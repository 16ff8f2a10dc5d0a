"""Anchor a concept in your own model
==================================

Colors are only the teaching ground. Here is everything you need for a model, a training loop and
labels of your own: short texts on six topics, a network that reads them, and the wish to know where
in it "sports" lives. About one text in a hundred is marked as being about sports, and some of these
marks stand on texts that are mostly about something else.
"""

# %%
# Your data
# ---------
# Made up for this page: each text is a mixture of topics, and the network sees how often each word
# occurs in it. How much of a text is about sports, its *degree*, is what we measure with in the
# end. Training never sees it. It sees the marks, and 0 means "nobody said", never "is not".

import torch
from torch import nn

torch.manual_seed(0)
torch.set_num_threads(1)  # tensors as small as these gain nothing from a second one

TOPICS, WORDS, LENGTH = 6, 60, 40
habits = torch.distributions.Dirichlet(torch.full((WORDS,), 0.1)).sample((TOPICS,))


def write_texts(n):
    """Word frequencies of texts, and how much of each is about sports."""
    mixture = torch.distributions.Dirichlet(torch.full((TOPICS,), 0.3)).sample((n,))
    words = torch.multinomial(mixture @ habits, LENGTH, replacement=True)
    counts = torch.zeros(n, WORDS).scatter_add_(1, words, torch.ones(n, LENGTH))
    return counts / LENGTH, mixture[:, 0].clone()


texts, degree = write_texts(4000)
unseen, true_degree = write_texts(2000)
chance = 0.3 * degree**4 + 0.002  # mostly of texts on sports, now and then of any
marked = (torch.rand(4000) < chance).float()
print(f"{marked.sum():.0f} marks, {(marked * (degree < 0.5)).sum():.0f} of them on other texts")

# %%
# Your model
# ----------
# Any ``nn.Module`` will do, and any layer that has a name. Ours is a bottleneck called "latent",
# whose output has length 1, so that only directions count. Without such a layer, add the term
# :func:`~latent_anchors.regularizers.unit_norm`, or leave lengths free: anchors compare angles.

from collections import OrderedDict

from latent_anchors import models


def make_model():
    """Words to eight numbers, and back to words."""
    return nn.Sequential(
        OrderedDict(
            encoder=nn.Sequential(nn.Linear(WORDS, 32), nn.GELU(), nn.Linear(32, 8)),
            latent=models.Normalize(),
            decoder=nn.Sequential(nn.Linear(8, 32), nn.GELU(), nn.Linear(32, WORDS)),
        )
    )


def surprise(output, words):
    """Cross-entropy of each text, in nats per word."""
    return -(words * output.log_softmax(-1)).sum(-1)


# %%
# Where it is to live, and what keeps it there
# --------------------------------------------
# Three terms. Marked texts ought to lie in the first direction. All texts ought to stay out of it,
# each weakly, so that whoever is not pulled there leaves it empty. And latents ought to keep apart
# from each other, or everything would crowd into one corner.
#
# An objective checks names both ways: an unused track and a term without a weight are
# both errors.

import latent_anchors as la
from latent_anchors import curriculum
from latent_anchors import regularizers as reg

SHEET = """
STEP, lr,   task, separate, clear, sports
0,    1e-4, 1,    0.1,      0.5,   0.3
30,   0.01, ,     ,         ,
200,  ,     ,     ,         0.5,   0.3
500,  0.01, ,     0,        0.1,   0.1
600,  1e-3, ,     ,         ,
"""
timeline = curriculum.read_dopesheet(SHEET).timeline()

sports = [1.0, 0, 0, 0, 0, 0, 0, 0]
objective = la.Objective(
    [
        la.Term("sports", reg.Anchor(sports), label="sports"),
        la.Term("clear", reg.AntiSubspace(dims=[0])),
        la.Term("separate", reg.Separation(power=30)),
    ],
    losses=["task"],
    tracks=timeline.names,
    other_tracks=["lr"],
)

# %%
# Your loop
# ---------
# It is the one you have, with three lines more: a row of weights, the latents recorded, the
# objective instead of your loss. One batch in four holds no mark at all; there the term is exactly
# 0, and so is its gradient.

model = make_model()
optimizer = torch.optim.Adam(model.parameters())
for step in range(timeline.steps):
    chosen = torch.randint(len(texts), (128,))
    row = timeline(step)
    with la.record(model, objective.sites) as latents:
        output = model(texts[chosen])
    task = surprise(output, texts[chosen])
    parts = objective(latents, {"sports": marked[chosen]}, row, task=task)
    optimizer.param_groups[0]["lr"] = row["lr"]
    optimizer.zero_grad()
    parts.total.backward()
    optimizer.step()
model.eval()

# %%
# Did it land?
# ------------
# Three numbers, on texts that the network has never seen. The :func:`AUC
# <latent_anchors.evaluation.auc>`: of two texts, one mostly about sports and one not, how often is
# the first nearer to the anchor? The :func:`margin <latent_anchors.evaluation.margin>`: how far
# apart, in cosine, nearly all texts on sports (95 %) and nearly all texts on other things lie. The
# *alignment*: how near the anchor the purest texts are. AUC only asks for the right order; an edit
# that is to spare the others needs the margin.

from latent_anchors import evaluation


def told_apart(cosines, degree):
    """By order, and by distance."""
    ranked = evaluation.auc(cosines[degree > 0.5], cosines[degree <= 0.5])
    return ranked, evaluation.margin(cosines[degree > 0.6], cosines[degree < 0.1])


with torch.no_grad(), la.record(model) as latents:
    before = surprise(model(unseen), unseen)
cosines = latents["latent"] @ torch.tensor(sports)
ranked, apart = told_apart(cosines, true_degree)
print(f"AUC {ranked:.3f}")
print(f"margin {apart:.2f}")
print(f"alignment of the purest {cosines[true_degree > 0.9].mean():.2f}")
print(f"alignment of the others {cosines[true_degree < 0.1].mean():.2f}")

# %%
# Mute it
# -------
# For the length of a block, whatever points along the anchor is taken out. What that costs, by
# degree: nothing where there is no sports, more where there is more. That is what you want to see;
# a loss that rises everywhere alike would mean that the direction carries more than the concept.

from latent_anchors import interventions

mute = interventions.Suppression(sports)
with torch.no_grad(), la.intervene(model, mute):
    after = surprise(model(unseen), unseen)

EDGES = [0.0, 0.05, 0.2, 0.4, 0.6, 0.8, 1.0]


def by_degree(values, degree):
    """Mean of the texts between each two edges."""
    groups = torch.bucketize(degree, torch.tensor(EDGES[1:-1]))
    return [values[..., groups == group].mean(-1) for group in range(len(EDGES) - 1)]


print("degree       before  muted")
whole, muted = by_degree(before, true_degree), by_degree(after, true_degree)
for group, low in enumerate(EDGES[:-1]):
    print(f"{low:.2f} to {EDGES[group + 1]:.2f} {whole[group]:7.2f} {muted[group]:6.2f}")

# %%
# The same, text by text.

import matplotlib.pyplot as plt

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
left.scatter(true_degree, cosines, s=6, color="#0072b2", alpha=0.4)
left.set(xlabel="how much is about sports", ylabel="cosine with the anchor")
left.set_title("Sports lies where we said", fontsize=11)
right.scatter(true_degree, after - before, s=6, color="#d55e00", alpha=0.4)
right.set(xlabel="how much is about sports", ylabel="loss added by muting (nats)")
right.set_title("Muting costs what is about sports", fontsize=11)
for axes in (left, right):
    axes.spines[["top", "right"]].set_visible(False)

# %%
# Not on one seed
# ---------------
# One training proves little. :func:`~latent_anchors.fit` trains many at once, with the same
# objective and sheet; batches come from a sampler, and the loss is a function of a forward pass.
# For comparison, the same networks are trained without our terms. There the direction has to be
# found afterwards, from the same marks: the line from the mean of the others to that of the marked.

from latent_anchors import data

SEEDS = range(8)
sampler = data.Sampler(texts, {"sports": data.SoftLabels(marked)}, batch_size=128)


def task(forward, batch):
    """The loss of your loop, as a function of a forward pass."""
    output, _ = forward(batch.inputs)
    return surprise(output, batch.inputs)


anchored = la.fit(
    make_model, objective, timeline, sampler, losses={"task": task}, seeds=SEEDS, progress=False
).population.eval()

plain = {name: timeline[name] for name in ("lr", "task")}
free = la.fit(
    make_model,
    la.Objective([], losses=["task"], tracks=plain, other_tracks=["lr"]),
    curriculum.Timeline(plain),
    sampler,
    losses={"task": task},
    seeds=SEEDS,
    progress=False,
).population.eval()


def study(model, direction):
    """The measures of one network, with and without its direction muted."""
    with torch.no_grad():
        with la.record(model) as latents:
            before = surprise(model(unseen), unseen)
        with la.intervene(model, interventions.Suppression(direction)):
            after = surprise(model(unseen), unseen)
    cosines = torch.cosine_similarity(latents["latent"], direction, dim=-1)
    *_, added = by_degree(after - before, true_degree)
    spared, *_ = by_degree(after - before, true_degree)
    ranked, apart = told_apart(cosines, true_degree)
    return {
        "AUC": ranked,
        "margin": apart,
        "loss before": before.mean(),
        "added, sports": added,
        "added, others": spared,
    }


def found_afterwards(model):
    """The direction that the marks tell."""
    with torch.no_grad(), la.record(model) as latents:
        model(texts)
    return interventions.fit_mean_difference(latents["latent"], marked).right[0]


studies = {
    "anchored": [study(model, torch.tensor(sports)) for model in anchored],
    "found afterwards": [study(model, found_afterwards(model)) for model in free],
}
for name, found in studies.items():
    print(name)
    for measure in found[0]:
        metric = evaluation.summarize([float(each[measure]) for each in found])
        low, high = metric.ci95
        print(f"  {measure:14} {metric.mean:.3f} ({low:.3f} to {high:.3f})")

# %%
# In parentheses stand 95 % intervals of the mean over eight seeds. Read both halves before you
# decide what you need. A direction found afterwards ranks texts nearly as well, and it costs the
# task nothing. What the terms buy is the margin, about twice as wide, and a direction that is known
# beforehand and the same in every run, so that it can be watched while the network trains, and cut
# out of it.
#
# Where to go next: :doc:`write_a_curriculum` for the sheet, :doc:`intervene_and_cut` for edits that
# are narrower than this one and for surgery on the weights, :doc:`/troubleshooting` when it does
# not work.
