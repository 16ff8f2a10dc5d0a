"""Anchor a concept in your own model
==================================

Colors are only the teaching ground. Here is everything you need for a model, a training loop and
labels of your own: short texts on six topics, a network that reads them, and the wish to know where
in it "sports" lies. About one text in a hundred is marked as being about sports, and some of these
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
# Where it should lie, and what keeps it there
# --------------------------------------------
# Three terms. Marked texts are pulled to the first direction. All texts are kept out of it, each
# weakly, so that only marked ones and those like them stay there. And latents keep apart from each
# other, or everything would crowd into one corner.
#
# An objective checks names both ways: a track without a term and a term without a weight are both
# errors.

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

sports = la.Concept("sports", direction=la.axis(0, dim=8), at="latent")
objective = la.Objective(
    [
        sports.term(),
        sports.keep_out(track="clear"),
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
# Three numbers, on texts that the network has never seen, mostly about sports or hardly at all. The
# :func:`AUC <latent_anchors.evaluation.auc>`: of two texts, one about sports and one not, how often
# is the first nearer to the anchor? The :func:`margin <latent_anchors.evaluation.margin>`: how far
# apart, in cosine, nearly all texts on sports (95 %) and nearly all texts on other things lie. The
# *alignment*: how near the anchor the texts on sports are. AUC only asks for the right order; an
# edit that spares the others needs the margin. For a model that reads tokens in several layers,
# :func:`~latent_anchors.viz.plot_alignment` shows where in depth and at which token a concept lies:
# :doc:`/gallery/color_mixing` draws it.

is_sports = true_degree > 0.5
clear_cut = (true_degree > 0.6) | (true_degree < 0.1)
print(sports.score(model, unseen, is_sports, mask=clear_cut))

# %%
# Mute it
# -------
# For the length of a block, whatever points along the anchor is taken out. What that costs, by
# degree: nothing where there is no sports, more where there is more. That is what you want to see;
# a loss that rises everywhere alike would mean that the direction carries more than the concept.

with torch.no_grad():
    before = surprise(model(unseen), unseen)
    with sports.muted(model):
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

with torch.no_grad(), la.record(model, sports.at) as latents:
    model(unseen)
cosines = sports.alignment(latents)

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
# Many concepts
# -------------
# With labels for many concepts at the same sites, a :class:`~latent_anchors.ConceptBank` asks for
# all of them in one call, in little more than the time of one. In a loop of yours it is one number;
# in an objective ``bank.terms()`` and ``bank.keep_out()`` give each concept its own part, so that
# you see which of them has landed; :func:`~latent_anchors.regularizers.reduce_terms` makes one
# product of them all.

bank = la.ConceptBank(
    [la.Concept(f"topic {k}", direction=la.axis(k, dim=8), at="latent") for k in range(TOPICS)]
)
marks = torch.rand(len(unseen), TOPICS) < 0.1
print(f"{bank.penalty(latents, marks):.2f} =", [f"{x:.2f}" for x in bank.penalties(latents, marks)])

# %%
# Not on one seed
# ---------------
# One training proves little. :func:`~latent_anchors.fit` trains many at once, with the same
# objective and sheet; batches come from a sampler, and the loss is a function of a forward pass.
# For comparison, the same networks are trained without our terms. A
# :class:`~latent_anchors.concepts.Watch` scores the concept on the way.

from latent_anchors import concepts, data, evaluation, training, viz

SEEDS = range(8)
sampler = data.Sampler(texts, {"sports": data.SoftLabels(marked)}, batch_size=128)
plain = {name: timeline[name] for name in ("lr", "task")}
nothing = la.Objective([], losses=["task"], tracks=plain, other_tracks=["lr"])
watches = {
    name: concepts.Watch(sports, unseen, is_sports, mask=clear_cut)
    for name in ("anchored", "without terms")
}


def task(forward, batch):
    """The loss of your loop, as a function of a forward pass."""
    output, _ = forward(batch.inputs)
    return surprise(output, batch.inputs)


def train(objective, timeline, watch):
    """The networks of all seeds."""
    fits = la.fit(
        make_model,
        objective,
        timeline,
        sampler,
        losses={"task": task},
        seeds=SEEDS,
        callbacks=[training.Every(20, watch)],
        progress=False,
    )
    return fits.population.eval()


anchored = train(objective, timeline, watches["anchored"])
free = train(nothing, curriculum.Timeline(plain), watches["without terms"])
viz.plot_scores({name: watch.history for name, watch in watches.items()})

# %%
# Placed, or found afterwards
# ---------------------------
# Without the terms, the direction has to be found afterwards, from the same marks: the line from
# the mean of the others to that of the marked.
# :meth:`Concept.found <latent_anchors.concepts.Concept.found>` gives the same kind of object, so
# that one function measures both.


def study(model, concept):
    """The measures of one network, with and without the concept muted."""
    with torch.no_grad():
        before = surprise(model(unseen), unseen)
        with concept.muted(model):
            after = surprise(model(unseen), unseen)
    spared, *_, added = by_degree(after - before, true_degree)
    score = concept.score(model, unseen, is_sports, mask=clear_cut)
    return {
        "AUC": score.auc.mean,
        "margin": score.margin.mean,
        "loss before": before.mean(),
        "added, sports": added,
        "added, others": spared,
    }


def found_afterwards(model):
    """The concept whose direction the marks give."""
    latents = evaluation.latents(model, texts)[0]
    return la.Concept.found("sports", latents, marked, at="latent")


studies = {
    "anchored": [study(model, sports) for model in anchored],
    "found afterwards": [study(model, found_afterwards(model)) for model in free],
}
for name, found in studies.items():
    print(name)
    for measure in found[0]:
        metric = evaluation.summarize([float(each[measure]) for each in found])
        low, high = metric.ci95
        print(f"  {measure:14} {metric.mean:.3f} ({low:.3f} to {high:.3f})")

# %%
# In parentheses stand 95 % intervals of the mean over eight seeds, Student's
# (:func:`~latent_anchors.evaluation.t_interval`); of a share, such as that of runs in which the
# concept landed, :func:`~latent_anchors.evaluation.wilson_interval` gives one. Read both halves
# before you decide what you need. A direction found afterwards ranks these texts as well, it costs
# the task nothing, and muted it takes even more of sports. What the terms buy is the margin, about
# twice as wide, and a direction that is known beforehand and the same in every run, so that it can
# be watched while the network trains, and cut out of it.
#
# Keep it
# -------
# ``save`` writes networks, concepts, timelines, fits and records into a folder, without pickle, and
# ``load`` brings them back to the bit; ``register`` lets it know classes of your own. A
# :class:`~latent_anchors.concepts.ScoreHistory` holds a
# :class:`~latent_anchors.concepts.Score` for each step that was watched. Given the model that they
# are for, ``save`` also keeps its class and configuration, and ``load`` refuses another one;
# ``provenance`` reads back what was noted, as a :class:`~latent_anchors.Provenance`. With
# ``card=True``, a ``README.md`` says what is there, so that the folder can be put on a hub.

import tempfile

with tempfile.TemporaryDirectory() as folder:
    mine = {"concept": sports, "watched": watches["anchored"].history}
    la.save(mine, folder, model=anchored, note="Texts about sports.", card=True)
    kept = la.load(folder, model=anchored)
    origin = la.provenance(folder)
print(kept["concept"], kept["watched"].scores[-1], sep="\n")
print(origin.model, origin.sites, origin.versions, origin.note, sep="\n")

# %%
# Where to go next: :doc:`write_a_curriculum` for the sheet, :doc:`intervene_and_cut` for edits that
# are narrower than this one and for surgery on the weights, :doc:`/troubleshooting` when it does
# not work.
