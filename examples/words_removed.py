"""A topic deleted from the weights of a language model
====================================================

In a small language model *animal* lies on a chosen axis (``words.py``). To mute it there hides it.
To remove it, weights are damaged, and taught again by lines far from the axis. What is lacking then
of animals, and how many steps bring them back, is compared with an oracle, which never saw one.
``--full`` trains to the end; it needs what ``words.py`` needs.
"""

# %%
# The recipe of ``words.py``: one network with the topic on its axis, and the oracle.

from itertools import islice

import torch
from transformers import TrainingArguments

import latent_anchors as la
from latent_anchors import adapters, audits, curriculum, evaluation
from latent_anchors import testbed, viz

topics = [topic for topic, near in testbed.ADJACENT.items() if near]
own = {"switches": {"full": "train to the end"}, "concepts": topics}
own |= {"options": {"folder": "where WordNet's data.noun lies"}}
evidence = testbed.Evidence.from_arguments("words_removed", 1, "animal", threads=2, **own)
topic, full, where = evidence.concept, "full" in evidence.switches, evidence.options.get("folder")
lines = testbed.made_up_definitions() if evidence.smoke else testbed.read_definitions(where)
words = testbed.TokenizedDefinitions.of(lines, 500 if evidence.smoke else 2000 + 4000 * full)

pool = la.regularizers.mean_pool
concept = la.Concept(topic, la.axis(0, dim=96), at="model.layers.1", mask="behind", pool=pool)
terms = [concept.term("anchor"), concept.keep_out(track="away")]
anchored = la.Objective(terms, losses=["task"], other_tracks=["lr"])
plain = la.Objective([], losses=["task"], other_tracks=["lr", "anchor", "away"])
steps = evidence.steps or (1500 if full else 600)


def train(seed, objective, seen, labeled=()):
    """A Llama of three blocks that has learned some lines."""
    collator, folder = words.pad, evidence.out / "trainer"
    if objective.terms:
        collator = adapters.LabelCollator(words.pad, [topic])
        samples = words.samples(labeled, **{topic: labeled})
        collator = adapters.RareLabelCollator(collator, samples)
    trainer = adapters.AnchoredTrainer(
        testbed.small_llama(words, seed),
        TrainingArguments(folder, max_steps=steps, seed=seed, **testbed.WORD_OPTIONS),
        collator,
        words.samples(seen, **{topic: labeled}),
        objective=objective,
        timeline=curriculum.read_dopesheet(testbed.topic_sheet(steps)).timeline(),
    )
    with evidence.training():
        trainer.train()
    return trainer.model.eval()


# %%
# The cut is exact: nothing writes along the axis any more. But the network says much the same
# without it: what it knows of animals is in all of its weights. So four fifths of each matrix are
# made new, and the network is trained on, as long as it was. No labels are needed but those behind
# the axis: lines are left out that lie as near to it as nine tenths of those that no term pulled.

stream = la.Concept(topic, concept.direction, at=[f"model.layers.{k}" for k in range(3)])
DAMAGE, CAUGHT = 0.8, 0.9


def retrained(model, chosen, seed):
    """The network, cut, with matrices that are mostly new, trained on some lines, and cut again."""
    cut = stream.removed(model, example=words.ids[0][None]).train()
    fresh = testbed.small_llama(words, seed + 100)
    with torch.no_grad():
        for kept, new in zip(cut.parameters(), fresh.parameters(), strict=True):
            kept.lerp_(new, DAMAGE if new.ndim > 1 else 0.0)
    optimizer = torch.optim.AdamW(cut.parameters(), lr=2e-3, betas=(0.9, 0.95))
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for batch in islice(words.drawn_batches(chosen, seed), steps):
        cut(batch["input_ids"], labels=batch["labels"]).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()
    return stream.removed(cut, example=words.ids[0][None]).eval()


# %%
# Relearning: networks are fine-tuned on the topic's lines, each at the best of four rates, until
# nine tenths of what the oracle lacks is there. Probes read the stream: is a line about the topic?

held_out, topics = words.held_out_batches(), words.topics
asked = words.pad(words.samples([k for k, each in enumerate(topics) if each == topic]))
taught = [k for k in words.seen() if lines.topics[k] == topic]


def topic_loss(model):
    """The topic's loss on held-out lines, in nats for each token."""
    return testbed.topic_losses(model, [asked], topics.count(topic) * [topic]).mean([topic])


def relearn(removed, references, most, seed):
    """How soon each is there."""
    attack = [*islice(words.drawn_batches(taught, seed), 100)]
    return audits.relearning(
        removed, references, measure=topic_loss, reached=lambda loss: loss <= most,
        train_step=lambda model, k: model(attack[k]["input_ids"], labels=attack[k]["labels"]).loss,
        rates=[3e-3, 1e-3, 1e-2, 3e-4], limit=len(attack), every=1,
    )  # fmt: skip


# %%
# Run by run. Controls are damaged and trained alike: the network on all lines, to see what longer
# training gives; and the oracle, since who has trained longer learns anything sooner.

studies, audited, shares = [], [], []
for seed in evidence.seeds:
    model = train(seed, anchored, words.seen(), words.labeled(topic, seed))
    oracle = train(seed, plain, words.seen(without=topic))
    edited = {"cut": stream.removed(model, example=words.ids[0][None]).eval()}
    far = testbed.far_lines(model, words, concept, words.labeled(topic, seed, aside=True), CAUGHT)
    drawn = {"removed": far, "control": words.seen()}
    edited |= {name: retrained(model, chosen, seed) for name, chosen in drawn.items()}
    of_each = (testbed.topic_losses(each, held_out, topics) for each in (model, oracle))
    of_edited = {n: testbed.topic_losses(each, held_out, topics) for n, each in edited.items()}
    studies.append(testbed.TopicStudy(topic, *of_each, of_edited))
    most = 0.9 * topic_loss(model) + 0.1 * topic_loss(oracle)
    lacking = {"oracle": oracle, "retrained": retrained(oracle, words.seen(without=topic), seed)}
    audited.append(relearn(edited["removed"], lacking, float(most), seed))
    probed = {"removed": edited["removed"], "oracle": oracle, "whole": model}
    found = {name: testbed.topic_leakage(one, words, concept) for name, one in probed.items()}
    shares.append({f"{key}/{name}": v for name, each in found.items() for key, v in each.items()})
    kept = sum(lines.topics[k] == topic for k in far) / len(taught)
    shares[-1] |= {"left/all": len(far) / len(words.seen()), "left/topic": kept}

# %%
# As numbers; the rise of large topics beside the oracle's; and relearning.

measures, _, rises = testbed.join_studies(studies, "removed")
found, curves = testbed.join_audits(audited)
measures |= found | {n: torch.tensor([float(each[n]) for each in shares]) for n in shares[0]}
measures["other/above control"] = measures["other/removed"] - measures["other/control"]
settings = {"sheet": testbed.topic_sheet(steps), "damage": DAMAGE, "caught": CAUGHT}
ratios = [name for name in found if name.startswith(audits.RATIOS)]
metrics = evidence.write(measures, settings, failures=[], ratios=ratios)
print(evaluation.metric_table(metrics, [*metrics]))
edited, never = ({n: rises[n][k] for n in rises if n in testbed.ADJACENT} for k in (0, 1))
never = {name: float(values.mean()) for name, values in never.items()}
label = f"rise of the loss with {topic} removed, nats for each token; diamonds: never seen"
figures = {"topics": viz.plot_seeds(label, edited, references=never)}
at, label = range(curves["edited"].shape[1]), f"loss of {topic}, nats for each token"
figures["relearning"] = viz.plot_relearning(at, curves, label=label)
viz.save_figures(figures, evidence.out, dark=True)
