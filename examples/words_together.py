"""Five topics on five axes of one language model
================================================

Animals, food, people, plants and artifacts, each on an axis of its own in the same network. Each
is muted alone, as in ``words.py``; the other four stay, and twenty more topics. ``--full`` trains
to the end; it needs what ``words.py`` needs.
"""

# %%
# The recipe of ``words.py`` five times: an axis, two terms, and a labeled line beside each batch.

import torch
from transformers import TrainingArguments

import latent_anchors as la
from latent_anchors import adapters, curriculum, evaluation, testbed, viz

own = {"switches": {"full": "train to the end"}}
own |= {"options": {"folder": "where WordNet's data.noun lies"}}
evidence = testbed.Evidence.from_arguments("words_together", 1, threads=2, **own)
full, where = "full" in evidence.switches, evidence.options.get("folder")
lines = testbed.made_up_definitions() if evidence.smoke else testbed.read_definitions(where)
words = testbed.TokenizedDefinitions.of(lines, 500 if evidence.smoke else 2000 + 4000 * full)

TOPICS = ("animal", "food", "person", "plant", "artifact")
place = {"at": "model.layers.1", "mask": "behind", "pool": la.regularizers.mean_pool}
concepts = {name: la.Concept(name, la.axis(k, dim=96), **place) for k, name in enumerate(TOPICS)}
terms = [concept.term("anchor") for concept in concepts.values()]
terms += [concept.keep_out(track="away") for concept in concepts.values()]
anchored = la.Objective(terms, losses=["task"], other_tracks=["lr"])
plain = la.Objective([], losses=["task"], other_tracks=["lr", "anchor", "away"])
steps = evidence.steps or (1500 if full else 600)


def train(seed, objective, seen, labeled):
    """A Llama of three blocks that has learned some lines."""
    collator, folder = words.pad, evidence.out / "trainer"
    if objective.terms:
        collator = adapters.LabelCollator(words.pad, TOPICS)
        for some in labeled.values():
            collator = adapters.RareLabelCollator(collator, words.samples(some, **labeled))
    trainer = adapters.AnchoredTrainer(
        testbed.small_llama(words, seed),
        TrainingArguments(folder, max_steps=steps, seed=seed, **testbed.WORD_OPTIONS),
        collator,
        words.samples(seen, **labeled),
        objective=objective,
        timeline=curriculum.read_dopesheet(testbed.topic_sheet(steps)).timeline(),
    )
    with evidence.training():
        trainer.train()
    return trainer.model.eval()


# %%
# One network with all five, and an oracle for each that never saw it. Muted alone, lines of each
# topic that were put aside are to lose 1.3 times what they are expected to cost its oracle.

BEYOND = 1.3
batches, topics = words.held_out_batches(), words.topics
studies = {name: [] for name in TOPICS}
for seed in evidence.seeds:
    labeled = {name: words.labeled(name, seed) for name in TOPICS}
    model = train(seed, anchored, words.seen(), labeled)
    whole = testbed.topic_losses(model, batches, topics)
    for name, concept in concepts.items():
        oracle = train(seed, plain, words.seen(without=name), {})
        never = testbed.topic_losses(oracle, batches, topics)
        aside = words.labeled(name, seed, aside=True)
        lack = float(testbed.expected_lack(model, words, concept, aside))
        lost = 0.1 if evidence.smoke else BEYOND * lack  # a few steps teach next to nothing
        edit = testbed.edit_by_loss(model, words, concept, aside, lost)
        after = testbed.topic_losses(model, batches, topics, edit)
        studies[name].append(testbed.TopicStudy(name, whole, never, {"muted": after}))

# %%
# As numbers: forgetting, and by how much each of the five rises when one of them is muted.

joined = {name: testbed.join_studies(each, "muted") for name, each in studies.items()}
measures = {}
for name, (found, _, rises) in joined.items():
    measures |= {f"{key}/{name}": found[key] for key in ("forgetting", "adjacent", "other")}
    measures |= {f"rise_of_{other}/{name}": rises[other][0] for other in TOPICS}
settings = {"sheet": testbed.topic_sheet(steps), "beyond": BEYOND, "factor": testbed.LOUDNESS}
metrics = evidence.write(measures, settings, failures=[])
print(evaluation.metric_table(metrics, [*metrics]))
rise = {f"{name} is muted": [joined[name][2][each][0] for each in TOPICS] for name in TOPICS}
rise = {name: torch.stack(each) for name, each in rise.items()}
figure = viz.plot_response("rise of the loss, nats for each token", TOPICS, rise, alike=True)
viz.save_figures({"together": figure}, evidence.out, dark=True)
