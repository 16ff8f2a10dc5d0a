"""A topic deleted from the weights of a language model
====================================================

In a small language model *animal* lies on a chosen axis (``words.py``). Nothing in the weights
writes along it any more; then it learns, without a label, to say what the muted one says. What it
lacks of animals, and how many steps bring them back, is compared with the oracle, which never saw
one. ``--full`` trains to the end; it needs what ``words.py`` needs.
"""

# %%
# The recipe of ``words.py``: one network with the topic on its axis, and the oracle.

from itertools import islice

import torch
from transformers import TrainingArguments

import latent_anchors as la
from latent_anchors import adapters, audits, curriculum, evaluation
from latent_anchors import testbed, training, viz

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
# The cut is exact: embeddings, which are the unembedding, too, attention and MLPs write nothing
# along the axis. But the network says much the same without it. What only the edit does, which
# turns that part over, the cut network then learns to imitate, a quarter of the time on lines that
# the edit acts on. Imitated it is weaker, so that it takes twice what the oracle may lack.

stream = la.Concept(topic, concept.direction, at=[f"model.layers.{k}" for k in range(3)])
BEYOND, healing = 2.0, steps * 2 // 3


def heal(cut, model, edit, seed):
    """The cut network, which imitates the muted one until it is as good; then it is cut again."""
    often = testbed.edited_lines(model, words, concept, edit.keywords["degrees"])
    drawn = islice(words.drawn_batches(words.seen(), seed, often=often), healing)
    optimizer = torch.optim.AdamW(cut.parameters(), lr=1e-3, betas=(0.9, 0.95))
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, healing)
    for batch in drawn:
        with torch.no_grad(), edit(model, batch):
            expected = model(batch["input_ids"]).logits
        found = cut(batch["input_ids"]).logits
        real = batch["labels"] != -100
        training.forward_kl(found[real], expected[real]).mean().backward()
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()
    return stream.removed(cut, example=words.ids[0][None]).eval()


# %%
# Relearning: both are fine-tuned on the topic's lines, each at the best of four rates, until nine
# tenths of what the oracle lacks is there. Probes read the stream: is a line about the topic?

held_out, topics = words.held_out_batches(), words.topics
asked = words.pad(words.samples([k for k, each in enumerate(topics) if each == topic]))
taught = [k for k in words.seen() if lines.topics[k] == topic]


def topic_loss(model):
    """The topic's loss on held-out lines, in nats for each token."""
    return testbed.topic_losses(model.eval(), [asked], topics.count(topic) * [topic]).mean([topic])


def relearn(healed, oracle, most, seed):
    """How soon each is there."""
    attack = [*islice(words.drawn_batches(taught, seed), 100)]
    return audits.relearning(
        healed, {"oracle": oracle}, measure=topic_loss, reached=lambda loss: loss <= most,
        train_step=lambda model, k: model(attack[k]["input_ids"], labels=attack[k]["labels"]).loss,
        rates=[3e-4, 1e-3, 3e-3, 1e-2], limit=len(attack), every=1,
    )  # fmt: skip


# %%
# Run by run: networks, the cut, healing, and what is left.

studies, audited, leaks = [], [], []
for seed in evidence.seeds:
    model = train(seed, anchored, words.seen(), words.labeled(topic, seed))
    oracle = train(seed, plain, words.seen(without=topic))
    aside = words.labeled(topic, seed, aside=True)
    lack = float(testbed.expected_lack(model, words, concept, aside))
    lost = 0.1 if evidence.smoke else BEYOND * lack  # a few steps teach next to nothing
    edit = testbed.edit_by_loss(model, words, concept, aside, lost)
    cut = stream.removed(model, example=words.ids[0][None])
    only_cut = testbed.topic_losses(cut.eval(), held_out, topics)
    healed = heal(cut.train(), model, edit, seed)
    of_healed = testbed.topic_losses(healed, held_out, topics)
    of_each = (testbed.topic_losses(each, held_out, topics) for each in (model, oracle))
    edited = {"cut": only_cut, "healed": of_healed}
    studies.append(testbed.TopicStudy(topic, *of_each, edited))
    most = 0.9 * topic_loss(model) + 0.1 * topic_loss(oracle)
    audited.append(relearn(healed, oracle, float(most), seed))
    probed = {"healed": healed, "oracle": oracle, "whole": model}
    found = {name: testbed.topic_leakage(one, words, concept) for name, one in probed.items()}
    leaks.append({f"{key}/{name}": v for name, each in found.items() for key, v in each.items()})

# %%
# As numbers; the rise of large topics beside the oracle's; and relearning.

measures, _, rises = testbed.join_studies(studies, "healed")
found, curves = testbed.join_audits(audited)
measures |= found | {name: torch.stack([each[name] for each in leaks]) for name in leaks[0]}
settings = {"sheet": testbed.topic_sheet(steps), "healing": healing, "beyond": BEYOND}
ratios = [name for name in found if name.startswith(audits.RATIOS)]
metrics = evidence.write(measures, settings, ratios=ratios)
print(evaluation.metric_table(metrics, [*metrics]))
edited, never = ({n: rises[n][k] for n in rises if n in testbed.ADJACENT} for k in (0, 1))
never = {name: float(never[name].mean()) for name in never}
label = f"rise of the loss with {topic} deleted, nats for each token; diamonds: never seen"
figures = {"topics": viz.plot_seeds(label, edited, references=never)}
at, label = range(curves["edited"].shape[1]), f"loss of {topic}, nats for each token"
figures["relearning"] = viz.plot_relearning(at, curves, label=label)
viz.save_figures(figures, evidence.out, dark=True)
