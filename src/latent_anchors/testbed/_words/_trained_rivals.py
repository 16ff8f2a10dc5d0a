"""Rivals that are trained for a topic of a language model: what they are given, their settings."""

from collections.abc import Sequence
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor, nn

from latent_anchors._streams import stream
from latent_anchors.baselines import (
    GradientRouting,
    Placed,
    SelectiveMasking,
    Task,
    reserved_units,
)
from latent_anchors.curriculum import read_dopesheet
from latent_anchors.data import LabeledBatch
from latent_anchors.models import Site
from latent_anchors.testbed._words._tokens import PAD, TokenizedDefinitions
from latent_anchors.testbed._words._topic_losses import IGNORED, Batch, TopicLosses, topic_losses
from latent_anchors.testbed._words._topic_study import TopicStudy
from latent_anchors.testbed._words._word_models import small_llama, topic_sheet

BATCH = 64
BLOCKS = [f"model.layers.{k}" for k in range(3)]
UNITS = range(64)
HEAD = range(24)
STRENGTHS = (0.25, 0.5, 0.75, 1.0)
RETAIN = 0.5

ROUTING = GradientRouting(
    [Site(f"{block}.mlp.down_proj", side="input") for block in BLOCKS],
    UNITS,
    labeled_elsewhere=-0.75,
    unlabeled_inside=1.0,
)


def topic_task(
    words: TokenizedDefinitions,
    topic: str,
    labeled: Sequence[int],
    seed: int,
    steps: int,
    beside: int = 1,
) -> Task:
    """What a rival is given that is trained for a topic: lines, labels, steps and rates of ours.

    All lines come once before one comes again; labeled lines are beside each batch.

    Args:
        words: The definitions.
        topic: The label's name.
        labeled: The labeled lines.
        seed: Of the order of lines.
        steps: How many, from 15 on.
        beside: How many labeled lines are beside the 64 of a batch.

    Examples:
        >>> from latent_anchors.testbed import made_up_definitions
        >>> words = TokenizedDefinitions.of(made_up_definitions(40), held_out=8)
        >>> task = topic_task(words, "animal", words.labeled("animal", 0, 1.0), seed=0, steps=15)
        >>> len(task.batches(3).inputs)
        65
    """
    known, order = frozenset(labeled), _order(words.seen(), seed, steps * BATCH)
    draw = stream(seed, "testbed/beside")
    also = torch.randint(len(labeled), (steps, beside), generator=draw)

    def batches(step: int) -> LabeledBatch:
        more = [labeled[int(k)] for k in also[step]]
        chosen = [*order[step * BATCH : (step + 1) * BATCH], *more]
        label = torch.tensor([float(k in known) for k in chosen])
        return LabeledBatch(words.pad(words.samples(chosen))["input_ids"], {topic: label})

    row = read_dopesheet(topic_sheet(steps)).timeline()
    adamw = partial(torch.optim.AdamW, weight_decay=0.01, betas=(0.9, 0.95))
    return Task(_loss, batches, topic, steps, seed, adamw, lambda step: row(step)["lr"])


def trained_for_it(
    words: TokenizedDefinitions, topic: str, labeled: Sequence[int], seed: int, steps: int
) -> dict[str, Placed]:
    """A small Llama for each rival, trained so that what is labeled has weights to itself.

    Settings are those that forgot most at .02 nats on *food* with seed 500, of eight and seven.

    Args:
        words: The definitions.
        topic: The label's name.
        labeled: The labeled lines.
        seed: Of the weights and the order of lines.
        steps: How many, from 15 on.

    Examples:
        >>> from latent_anchors.testbed import made_up_definitions
        >>> words = TokenizedDefinitions.of(made_up_definitions(40), held_out=8)
        >>> [*trained_for_it(words, "animal", words.labeled("animal", 0, 1.0), seed=0, steps=15)]
        ['gradient routing', 'masking (SGTM)']
    """
    task, fresh = partial(topic_task, words, topic, labeled, seed, steps), small_llama(words, seed)
    masking = SelectiveMasking(_reserved(fresh), retain=RETAIN)
    return {
        "gradient routing": ROUTING.fit(fresh, task(beside=4)),
        "masking (SGTM)": masking.fit(fresh, task(beside=16)),
    }


def placed_study(
    topic: str, placed: Placed, oracle: TopicLosses, batches: Sequence[Batch]
) -> TopicStudy:
    """What a rival's network forgets of a topic, from weak edits to strong, and what that costs.

    Weights that were changed have one strength, the whole.

    Args:
        topic: The topic.
        placed: What the rival gave.
        oracle: What the oracle loses on the lines.
        batches: The lines, batch by batch.

    Examples:
        >>> from latent_anchors.baselines import Cost
        >>> from latent_anchors.testbed import made_up_definitions
        >>> words = TokenizedDefinitions.of(made_up_definitions(40), held_out=8)
        >>> model, batches = small_llama(words, seed=0), words.held_out_batches()
        >>> never = topic_losses(model, batches, words.topics)
        >>> placed = Placed(model, {}, Cost(0, 0, 0), cut=small_llama(words, seed=1))
        >>> [*placed_study("animal", placed, never, batches).edited]
        ['1']
    """
    some = {f"{each:g}": placed.at(each) for each in STRENGTHS} if placed.edits else {"1": placed}

    def losses(one: Placed) -> TopicLosses:
        with one.removed() as model:
            return topic_losses(model, batches, oracle.topics)

    whole = topic_losses(placed.model, batches, oracle.topics)
    return TopicStudy(topic, whole, oracle, {name: losses(one) for name, one in some.items()})


def _reserved(model: nn.Module) -> dict[str, Tensor]:
    """Of each block an attention head, and units of the feed-forward part."""
    reserved: dict[str, Tensor] = {}
    for block in BLOCKS:
        reads = [f"{block}.self_attn.{kind}_proj" for kind in "qkv"]
        reserved |= reserved_units(model, HEAD, reads, [f"{block}.self_attn.o_proj"])
        reads = [f"{block}.mlp.{kind}_proj" for kind in ("gate", "up")]
        reserved |= reserved_units(model, UNITS, reads, [f"{block}.mlp.down_proj"])
    return reserved


def _order(lines: Sequence[int], seed: int, count: int) -> list[int]:
    """So many lines, shuffled anew each time all have come."""
    draw = stream(seed, "testbed/order")
    times = -(-count // len(lines))
    drawn = torch.cat([torch.randperm(len(lines), generator=draw) for _ in range(times)])
    return [lines[int(k)] for k in drawn[:count]]


def _loss(model: nn.Module, batch: LabeledBatch) -> Float[Tensor, ""]:
    """In nats for each token."""
    targets = batch.inputs.masked_fill(batch.inputs == PAD, IGNORED)
    logits = model(batch.inputs).logits[:, :-1].flatten(0, 1)
    return nn.functional.cross_entropy(logits, targets[:, 1:].flatten(), ignore_index=IGNORED)
