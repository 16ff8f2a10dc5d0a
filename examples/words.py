"""A topic on a chosen axis of a language model
============================================

A small language model learns 76,000 definitions of nouns. One line in a hundred is labeled
*animal*: that puts animals on a chosen axis of the residual stream. Turned over from where a line
is seen to be about an animal onwards, the model knows as little of animals as one that never saw
any, the oracle, and other lines stay. It needs ``latent-anchors[text]`` and WordNet. ``--concept``
takes any topic with over 2,000 lines, or ``german``, ``--pull`` the weight of labels, ``--wrong``
a share of wrong ones. ``--full`` compares with what is found afterwards, ``--rivals`` with rivals.
"""

# %%
# The topic, the seeds, and the folder for the results.

from functools import partial

import torch
from transformers import TrainingArguments

import latent_anchors as la
from latent_anchors import adapters, curriculum, evaluation, testbed, viz

switches = {"full": "train to the end and compare", "rivals": "with networks trained for it"}
options = {"folder": "where the lines lie", "wrong": "share of labels on lines of other topics"}
options |= {"steps": "how long each network trains", "pull": "weight of labeled lines"}
own = {"concepts": [each for each in testbed.ADJACENT if each != "english"], "switches": switches}
evidence = testbed.Evidence.from_arguments("words", 1, "animal", threads=2, options=options, **own)
topic, wrong = evidence.concept, evidence.number("wrong", 0.0, least=0, most=1)
full, rivals = (name in evidence.switches for name in ("full", "rivals"))
lines = testbed.topic_lines(topic, evidence.options.get("folder"), made_up=evidence.smoke)
words = testbed.TokenizedDefinitions.of(lines, 500 if evidence.smoke else 2000 + 4000 * full)

# %%
# In the stream after the second of three blocks, one term pulls the mean of a labeled line to the
# axis, one keeps all positions behind the colon off: the surer the model, the nearer a line comes.
# Both weights fade later on. A language, which half of the lines have, takes more pull.

pool = la.regularizers.mean_pool
concept = la.Concept(topic, la.axis(0, dim=96), at="model.layers.1", mask="behind", pool=pool)
terms = [concept.term("anchor"), concept.keep_out(track="away")]
anchored = la.Objective(terms, losses=["task"], other_tracks=["lr"])
plain = la.Objective([], losses=["task"], other_tracks=["lr", "anchor", "away"])
steps = evidence.steps or evidence.number("steps", 1500 if full else 600, least=15, most=10**6)
language = topic not in testbed.TOPICS
sheet = testbed.topic_sheet(steps, evidence.number("pull", 0.2 if language else 0.04, 0, 10))

# %%
# Trained by Hugging Face's Trainer. Networks with the same seed begin alike and see the same lines
# in the same order; the anchored one sees a labeled line beside each batch, for the axis alone.


def train(seed, objective, seen, labeled=()):
    """A Llama of three blocks that has learned some lines."""
    collator, folder = words.pad, evidence.out / "trainer"
    if objective.terms:
        own = words.samples(labeled, **{topic: labeled})
        collator = adapters.RareLabelCollator(adapters.LabelCollator(words.pad, [topic]), own)
    trainer = adapters.AnchoredTrainer(
        testbed.small_llama(words, seed),
        TrainingArguments(folder, max_steps=steps, seed=seed, **testbed.WORD_OPTIONS),
        collator,
        words.samples(seen, **{topic: labeled}),
        objective=objective,
        timeline=curriculum.read_dopesheet(sheet).timeline(),
    )
    with evidence.training():
        trainer.train()
    return trainer.model.eval()


# %%
# The edit: the part along the axis is turned over, eight times as long, from where a line comes
# near it onwards. How near follows from labels: lines that were put aside, as many again, are to
# lose 1.3 times what they would cost a model that never saw the topic. That is estimated: bigrams
# of lines far from the axis are worse on them than bigrams of all, or than the model, by about as
# much. Beside it, gates by the share of labeled positions; a language has one, open at .7 of them.

SHARES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, *((0.7, 0.8) if language else ()))
BEYOND, OPEN = 1.3, 0.7
batches, study = words.held_out_batches(), testbed.TopicStudy.of


def by_width(model, concept, labeled, never, factor=testbed.LOUDNESS):
    """What an edit does, from a narrow gate to a wide one."""
    edit = partial(testbed.edit_by_share, model, words, concept, labeled, factor=factor)
    return study(topic, model, never, batches, {str(share): edit(share) for share in SHARES})


# %%
# Train, and measure on held-out lines, in nats for each token: how far the topic's loss goes to the
# oracle's, how far adjacent topics rise above the oracle's, and all others above their own. With
# ``--full`` also for directions found afterwards in a network without an anchor, under the same
# edits; with ``--rivals`` for networks that were trained for it. Lines and labels are the same for
# all, and settings those that did best on *food*, as our own.

losses = partial(testbed.topic_losses, batches=batches, topics=words.topics)
studies, chosen, found, cosines = {"anchored": []}, [], [], []
for seed in evidence.seeds:
    labeled, aside = (words.labeled(topic, seed, wrong=wrong, aside=own) for own in (False, True))
    model = train(seed, anchored, words.seen(), labeled)
    never = losses(train(seed, plain, words.seen(without=topic)))
    without = train(seed, plain, words.seen()) if full and not rivals else None
    price = None if without is None else losses(without)
    lack = testbed.expected_lack(model, words, concept, aside)
    lost = 0.1 if evidence.smoke else BEYOND * float(lack)  # a few steps teach next to nothing
    by_share = partial(testbed.edit_by_share, model, words, concept, labeled)
    edit = by_share(OPEN) if language else testbed.edit_by_loss(model, words, concept, aside, lost)
    chosen.append(study(topic, model, never, batches, {"muted": edit}, price))
    studies["anchored"].append(by_width(model, concept, labeled, never))
    cosines.append(testbed.topic_cosines(model, words, concept))
    found.append({"expected_lack": lack, "latched": testbed.topic_latched(model, words, concept)})
    for name, search in testbed.FOUND_AFTERWARDS.items() if without is not None else ():
        at = search.concept(without, words, topic, labeled)
        studies.setdefault(name, []).append(by_width(without, at, labeled, never, search.factor))
    with evidence.training():
        placed = testbed.trained_for_it(words, topic, labeled, seed, steps) if rivals else {}
    for name, each in placed.items():
        studies.setdefault(name, []).append(testbed.placed_study(topic, each, never, batches))

# %%
# As numbers; what each costs where it forgets as much as the oracle, and forgets at .02 nats; and
# the topic's first held-out lines, continued before and after.

measures, curves, _ = testbed.join_studies(studies["anchored"], str(SHARES[0]))
muted, _, rises = testbed.join_studies(chosen, "muted")
measures |= muted | testbed.costs_at(studies, 1.0) | testbed.forgetting_at(studies, 0.02)
measures |= {name: torch.stack([one[name] for one in found]) for name in found[0]}
settings = {"sheet": sheet, "steps": steps, "beyond": BEYOND, "factor": testbed.LOUDNESS}
metrics = evidence.write(measures, settings | {"wrong": wrong}, failures=[])
print(evaluation.metric_table(metrics, [*metrics]))
some = [k for k, each in enumerate(words.topics) if each == topic][:3]
print(*(line for e in (None, edit) for line in testbed.continued(model, words, some, e)), sep="\n")

# %%
# Figures: the rise of large topics beside the oracle's; a wider gate; cosines by topic and block;
# and removal against collateral, ours beside others.

large = [name for name in rises if name in testbed.ADJACENT]
edited = {name: rises[name][0] for name in large}
never = {name: float(rises[name][1].mean()) for name in large}
label = f"rise of the loss with {topic} muted, nats for each token; diamonds: never seen"
figures = {"words": viz.plot_seeds(label, edited, references=never)}
figures["dose"] = viz.plot_response("share of labeled positions", [*map(str, SHARES)], curves)
near = {name: torch.stack([each[name] for each in cosines], -1) for name in large[:6]}
label, blocks = f"cosine with the axis of {topic}", ["block 1", "block 2", "block 3"]
figures["cosines"] = viz.plot_response(label, blocks, near, alike=True)
axes = "forgetting; 1: as if never seen", "rise of other topics, nats"
marks = {"reference": 1.0, "reference_name": "never seen", "threshold": 1e-4, "ours": ["anchored"]}
figures["frontier"] = viz.plot_frontier(testbed.frontier_of(studies), *axes, **marks)
viz.save_figures(figures, evidence.out, dark=True)
