"""A topic on a chosen axis of a language model
============================================

A small language model learns 76,000 definitions of nouns. One line in a hundred is labeled
*animal*, and that puts animals on an axis of the residual stream that was chosen beforehand. Turned
over from where a line is seen to be about an animal onwards, the model knows as little of animals
as one that never saw any, the oracle, and other lines stay. ``--concept`` takes any topic with over
2,000 lines; WordNet has to be installed. ``--full --seeds 5`` trains to the end.
"""

# %%
# The topic, the seeds, and the folder for the results.

from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from torch.nn.utils.rnn import pad_sequence
from transformers import LlamaConfig, LlamaForCausalLM, TrainingArguments

import latent_anchors as la
from latent_anchors import adapters, curriculum, evaluation, interventions, testbed

evidence = testbed.Evidence.from_arguments(
    "words",
    seeds=1,
    concept="animal",
    concepts=list(testbed.ADJACENT),
    switches={"full": "train to the end, and one network without an anchor for the price"},
    options={
        "wordnet": "the folder of WordNet's data.noun",
        "networks": "a folder where trained networks are kept, and taken from where they are there",
    },
)
topic, full = evidence.concept, "full" in evidence.switches
where = evidence.options.get("wordnet")
lines = testbed.made_up_definitions() if evidence.smoke else testbed.read_definitions(where)

# %%
# Tokens, trained on the lines; at most 24 for each. Behind the colon the model knows what a line is
# about: the positions there are those that count for the topic.

PAD, BEGIN, END, LENGTH, HELD_OUT = 0, 1, 2, 24, 500 if evidence.smoke else 6000
tokenizer = Tokenizer(models.BPE())
tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.ByteLevel(), decoders.ByteLevel()
special = ["<pad>", "<begin>", "<end>"]
vocabulary = trainers.BpeTrainer(vocab_size=4096, special_tokens=special, show_progress=False)
tokenizer.train_from_iterator(lines.texts, vocabulary)
encoded = [line.ids[: LENGTH - 2] for line in tokenizer.encode_batch([*lines.texts])]
ids = [torch.tensor([BEGIN, *line, END]) for line in encoded]
COLON = tokenizer.encode(" :").ids[-1]


def pad(samples):
    """A batch of lines, with a mask of the positions behind the colon."""
    tokens = pad_sequence([one["input_ids"] for one in samples], True, PAD)
    real = tokens != PAD
    labels, behind = tokens.masked_fill(~real, -100), ((tokens == COLON).cumsum(1) > 0) & real
    return {"input_ids": tokens, "attention_mask": real.long(), "labels": labels, "behind": behind}


def batches(chosen, size=500):
    """Some lines, batch by batch."""
    return [pad([{"input_ids": ids[k]} for k in part.tolist()]) for part in chosen.split(size)]


# %%
# The topic lies in the stream after the second of three blocks. One term pulls the mean of a
# labeled line's positions to the axis, the other one keeps all positions off it, at any length: so
# a line is the nearer to the axis the surer it is about the topic.

DIM, SHARE = 96, 0.1
pool = la.regularizers.mean_pool
concept = la.Concept(topic, la.axis(0, dim=DIM), at="model.layers.1", mask="behind", pool=pool)
terms = [concept.term("anchor"), concept.keep_out(track="away")]
anchored = la.Objective(terms, losses=["task"], other_tracks=["lr"])
plain = la.Objective([], losses=["task"], other_tracks=["lr", "anchor", "away"])
steps = evidence.steps or (1500 if full else 800)
SHEET = f"""\
STEP,           lr,   task, anchor, away
0,              1e-5, 1,    0,      0
{steps // 15},  2e-3, ,     0.2,    0.15
{steps // 3},   2e-3, ,     0.2,    0.15
{steps},        5e-5, ,     0.04,   0.04
"""
is_topic = torch.tensor([each == topic for each in lines.topics])
seen = torch.arange(HELD_OUT, len(lines))


def labeled(seed):
    """A tenth of the topic's lines in training; nobody says which word it is."""
    chance = torch.rand(len(lines), generator=torch.Generator().manual_seed(seed))
    return is_topic & (chance < SHARE)


def train(kind, seed, objective, chosen=seen):
    """A Llama of three blocks; those with the same seed begin alike and see the same batches."""
    kept = Path(evidence.options.get("networks", "")) / f"{kind}-{steps}-{seed}"
    if "networks" in evidence.options and kept.exists():
        return LlamaForCausalLM.from_pretrained(kept).eval()
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=tokenizer.get_vocab_size(), hidden_size=DIM, intermediate_size=3 * DIM,
        num_hidden_layers=3, num_attention_heads=4, num_key_value_heads=4, pad_token_id=PAD,
        bos_token_id=BEGIN, eos_token_id=END, max_position_embeddings=LENGTH + 1,
        tie_word_embeddings=True,
    )  # fmt: skip
    arguments = TrainingArguments(
        evidence.out / "trainer", max_steps=steps, per_device_train_batch_size=64, seed=seed,
        train_sampling_strategy="group_by_length", weight_decay=0.01, adam_beta2=0.95,
        max_grad_norm=0.0, save_strategy="no", logging_strategy="no", report_to=[], use_cpu=True,
        disable_tqdm=True,
    )  # fmt: skip
    label = labeled(seed).float()
    trainer = adapters.AnchoredTrainer(
        LlamaForCausalLM(config),
        arguments,
        adapters.LabelCollator(pad, [topic]) if objective.terms else pad,
        [{"input_ids": ids[k], topic: label[k]} for k in chosen.tolist()],
        objective=objective,
        timeline=curriculum.read_dopesheet(SHEET).timeline(),
    )
    with evidence.training():
        trainer.train()
    if "networks" in evidence.options:
        trainer.save_model(kept)
    return trainer.model.eval()


# %%
# The edit: the part along the axis is turned over, six times as long, from where a line comes near
# the axis onwards. The gate is as wide as it takes to open in some share of the labeled lines.

SHARES, FACTOR = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8), -6.0


@torch.no_grad()
def widths(model, seed):
    """Degrees from the axis within which each share of the labeled lines comes."""
    nearest = []
    for batch in batches(seen[labeled(seed)[seen]]):
        with la.record(model, concept.at) as z:
            model(batch["input_ids"])
        cosines = evaluation.alignment(z[concept.at], concept.direction)
        nearest.append(cosines.masked_fill(~batch["behind"], -1.0).amax(-1).acos().rad2deg())
    return torch.cat(nearest).quantile(torch.tensor(SHARES)).tolist()


def muted(degrees):
    """From a model and a batch to a block in which the topic is muted."""

    def edit(model, batch):
        gate = interventions.Onwards(concept.direction, degrees, among=batch["behind"])
        return concept.amplified(model, FACTOR, where=gate)

    return edit


# %%
# Train, and measure on held-out lines, in nats for each token: how far the topic's loss goes
# towards the oracle's, how far adjacent topics rise above the oracle's, and all others above their
# own. The gate that counts opens in six of ten labeled lines, as was fixed on another topic.

CHOSEN = SHARES.index(0.6)
held_out, topics = batches(torch.arange(HELD_OUT)), lines.topics[:HELD_OUT]
studies, found = [], []
for seed in evidence.seeds:
    networks = {"plain": train("plain", seed, plain)} if full else {}
    networks["whole"] = train(f"{topic}-anchored", seed, anchored)
    networks["oracle"] = train(f"{topic}-oracle", seed, plain, seen[~is_topic[seen]])
    losses = {name: testbed.topic_losses(each, held_out, topics) for name, each in networks.items()}
    angles = widths(networks["whole"], seed)
    edited = [testbed.topic_losses(networks["whole"], held_out, topics, muted(a)) for a in angles]
    studies.append(testbed.TopicStudy(topic, losses["whole"], losses["oracle"], edited))
    row = {name: curve[CHOSEN] for name, curve in studies[-1].curves().items()}
    row["degrees"] = torch.tensor(angles[CHOSEN])
    for name, each in losses.items():
        row |= {f"{name}/{kind}": loss for kind, loss in each.groups(topic).items()}
    found.append(row)
    print(seed, {name: round(float(each), 4) for name, each in row.items()}, flush=True)
    print(
        {name: [round(float(v), 4) for v in each] for name, each in studies[-1].curves().items()},
        flush=True,
    )
