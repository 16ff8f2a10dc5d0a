"""A topic on a chosen axis of a language model
============================================

A small language model learns 76,000 definitions of nouns. One line in a hundred is labeled
*animal*: that puts animals on a chosen axis of the residual stream. Turned over from where a line
is seen to be about an animal onwards, the model knows as little of animals as one that never saw
any, the oracle, and other lines stay. It needs ``latent-anchors[text]`` and WordNet. ``--concept``
takes any topic with over 2,000 lines, ``--full --seeds 5`` trains to the end.
"""

# %%
# The topic, the seeds, and the folder for the results.

from functools import partial

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from torch.nn.utils.rnn import pad_sequence
from transformers import LlamaConfig, LlamaForCausalLM, TrainingArguments

import latent_anchors as la
from latent_anchors import adapters, curriculum, evaluation, interventions, testbed, viz

choices = {
    "switches": {"full": "train to the end, and a network without an anchor for the price"},
    "options": {"wordnet": "the folder of WordNet's data.noun"},
    "concepts": list(testbed.ADJACENT),
}
evidence = testbed.Evidence.from_arguments("words", 1, "animal", **choices)
topic, full, where = evidence.concept, "full" in evidence.switches, evidence.options.get("wordnet")
lines = testbed.made_up_definitions() if evidence.smoke else testbed.read_definitions(where)

# %%
# Tokens, at most 24 for each line. The positions behind the colon count for the topic.

PAD, BEGIN, END, LENGTH, HELD_OUT = 0, 1, 2, 24, 500 if evidence.smoke else 2000 + 4000 * full
tokenizer = Tokenizer(models.BPE())
tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.ByteLevel(), decoders.ByteLevel()
special = ["<pad>", "<begin>", "<end>"]
vocabulary = trainers.BpeTrainer(vocab_size=4096, special_tokens=special, show_progress=False)
tokenizer.train_from_iterator(lines.texts, vocabulary)
encoded = tokenizer.encode_batch([*lines.texts])
ids = [torch.tensor([BEGIN, *line.ids[: LENGTH - 2], END]) for line in encoded]
COLON = tokenizer.encode(" :").ids[-1]


def pad(samples):
    """A batch of lines, with a mask of the positions behind the colon."""
    tokens = pad_sequence([one["input_ids"] for one in samples], True, PAD)
    real = tokens != PAD
    labels, behind = tokens.masked_fill(~real, -100), ((tokens == COLON).cumsum(1) > 0) & real
    return {"input_ids": tokens, "labels": labels, "behind": behind}


# %%
# In the stream after the second of three blocks, one term pulls the mean of a labeled line to the
# axis, the other one keeps all positions off it: the surer the model, the nearer a line comes.

pool = la.regularizers.mean_pool
concept = la.Concept(topic, la.axis(0, dim=96), at="model.layers.1", mask="behind", pool=pool)
terms = [concept.term("anchor"), concept.keep_out(track="away")]
anchored = la.Objective(terms, losses=["task"], other_tracks=["lr"])
plain = la.Objective([], losses=["task"], other_tracks=["lr", "anchor", "away"])
steps = evidence.steps or (1500 if full else 600)
SHEET = f"""\
STEP,           lr,   task, anchor, away
0,              1e-5, 1,    0,      0
{steps // 15},  2e-3, ,     0.2,    0.15
{steps // 3},   2e-3, ,     0.2,    0.15
{steps},        5e-5, ,     0.04,   0.04
"""
is_topic, seen = torch.tensor([each == topic for each in lines.topics]), range(HELD_OUT, len(lines))


def train(seed, objective, labeled, chosen=seen):
    """A Llama of three blocks; those with the same seed begin alike and see the same batches."""
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=tokenizer.get_vocab_size(), hidden_size=96, intermediate_size=288,
        num_hidden_layers=3, num_attention_heads=4, max_position_embeddings=32, pad_token_id=PAD,
        bos_token_id=BEGIN, eos_token_id=END, tie_word_embeddings=True,
    )  # fmt: skip
    arguments = TrainingArguments(
        evidence.out / "trainer", max_steps=steps, per_device_train_batch_size=64, seed=seed,
        weight_decay=0.01, adam_beta2=0.95, max_grad_norm=0.0, save_strategy="no", report_to=[],
        use_cpu=True, disable_tqdm=True,
    )  # fmt: skip
    trainer = adapters.AnchoredTrainer(
        LlamaForCausalLM(config),
        arguments,
        adapters.LabelCollator(pad, [topic]) if objective.terms else pad,
        [{"input_ids": ids[k], topic: float(k in labeled)} for k in chosen],
        objective=objective,
        timeline=curriculum.read_dopesheet(SHEET).timeline(),
    )
    with evidence.training():
        trainer.train()
    return trainer.model.eval()


# %%
# The edit: the part along the axis is turned over, eight times as long, from where a line comes
# near it onwards: so near that three of ten labeled positions are reached, as another topic gave.

SHARES, CHOSEN = ("0.1", "0.2", "0.3", "0.4", "0.5", "0.6"), "0.3"


def muted(model, batch, degrees):
    """A block in which the topic is muted."""
    gate = interventions.Onwards(concept.direction, degrees, among=batch["behind"])
    return concept.amplified(model, factor=-8.0, where=gate)


# %%
# Train, and measure on held-out lines, in nats for each token: how far the topic's loss goes to the
# oracle's, how far adjacent topics rise above the oracle's, and all others above their own.

parts = [[{"input_ids": line} for line in ids[k : k + 500]] for k in range(0, HELD_OUT, 500)]
held_out, topics = [pad(part) for part in parts], lines.topics[:HELD_OUT]
studies, degrees = [], []
for seed in evidence.seeds:
    chance = torch.rand(len(lines), generator=torch.Generator().manual_seed(seed))
    labeled = [k for k in seen if is_topic[k] and chance[k] < 0.1]
    model = train(seed, anchored, {*labeled})
    oracle = train(seed, plain, (), [k for k in seen if not is_topic[k]])
    batch = pad([{"input_ids": ids[k]} for k in labeled])
    with torch.no_grad(), la.record(model, concept.at) as z:
        model(batch["input_ids"])
    cosines = evaluation.alignment(z[concept.at], concept.direction)
    needed = evaluation.opening_angles(cosines, batch["behind"])
    angles = needed.nanquantile(torch.tensor([*map(float, SHARES)]))
    edits = {name: partial(muted, degrees=float(a)) for name, a in zip(SHARES, angles, strict=True)}
    without = train(seed, plain, ()) if full else None
    studies.append(testbed.TopicStudy.of(topic, model, oracle, held_out, topics, edits, without))
    degrees.append(angles[SHARES.index(CHOSEN)])

# %%
# As numbers; the rise of large topics beside the oracle's; and what a wider gate does.

measures, curves, rises = testbed.join_studies(studies, CHOSEN)
settings = {"sheet": SHEET, "steps": steps, "share": CHOSEN, "factor": -8.0}
metrics = evidence.write(measures | {"degrees": torch.stack(degrees)}, settings)
print(evaluation.metric_table(metrics, [*metrics]))
large = [name for name in rises if name in testbed.ADJACENT]
oracles = {name: float(rises[name][1].mean()) for name in large}
edited = {name: rises[name][0] for name in large}
label = f"rise of the loss with {topic} muted, nats for each token; diamonds: never seen"
by_topic = viz.plot_seeds(label, edited, references=oracles)
dose = viz.plot_response("share of labeled positions in the gate", SHARES, curves)
viz.save_figures({"words": by_topic, "dose": dose}, evidence.out)
