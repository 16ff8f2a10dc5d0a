"""Edits that mute a topic, as wide as labeled lines say."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

from torch import nn

from latent_anchors.concepts import Concept
from latent_anchors.evaluation import opening_angles
from latent_anchors.interventions import Onwards
from latent_anchors.testbed._words._tokens import TokenizedDefinitions
from latent_anchors.testbed._words._topic_losses import Batch, BatchEdit, topic_losses
from latent_anchors.testbed._words._word_models import word_cosines

LOUDNESS = -8.0
"""What is left of the part along the direction: turned over, eight times as long."""

WIDEST = 180.0
HALVINGS = 12


def topic_edit(concept: Concept, degrees: int | float, factor: int | float = LOUDNESS) -> BatchEdit:
    """The edit that turns the part along a direction over, from where a line comes near it onwards.

    Args:
        concept: The topic, with its direction and site.
        degrees: How near a position behind the colon has to come.
        factor: What the part is multiplied by.

    Examples:
        >>> concept = Concept("animal", [1.0] + [0.0] * 95, at="model.layers.1")
        >>> edit = topic_edit(concept, degrees=30)
        >>> sorted(edit.keywords)
        ['concept', 'degrees', 'factor']
    """
    return partial(_muted, concept=concept, degrees=degrees, factor=factor)


def edit_by_share(
    model: nn.Module,
    words: TokenizedDefinitions,
    concept: Concept,
    labeled: Sequence[int],
    share: int | float,
    factor: int | float = LOUDNESS,
) -> BatchEdit:
    """The edit whose gate is open at a share of the positions of labeled lines.

    Args:
        model: The model.
        words: What it was trained on.
        concept: The topic.
        labeled: Its lines.
        share: Of their positions behind the colon, from 0 to 1.
        factor: What the part along the direction is multiplied by.

    Examples:
        >>> from latent_anchors.testbed import made_up_definitions, small_llama
        >>> words = TokenizedDefinitions.of(made_up_definitions(40), held_out=8)
        >>> concept = Concept("animal", [1.0] + [0.0] * 95, at="model.layers.1")
        >>> model, labeled = small_llama(words, 0), words.labeled("animal", 0, chance=1.0)
        >>> edits = [edit_by_share(model, words, concept, labeled, share) for share in (0.2, 0.8)]
        >>> edits[0].keywords["degrees"] < edits[1].keywords["degrees"]
        True
    """
    needed = opening_angles(*word_cosines(model, words, labeled, concept))
    return topic_edit(concept, float(needed.nanquantile(share)), factor)


def edit_by_loss(
    model: nn.Module,
    words: TokenizedDefinitions,
    concept: Concept,
    aside: Sequence[int],
    lost: int | float,
) -> BatchEdit:
    """The edit under which lines that were put aside lose so much.

    The wider its gate, the more they lose; twelve halvings of 180 degrees find a width within .05
    degrees.

    Args:
        model: The model.
        words: What it was trained on.
        concept: The topic.
        aside: Its lines; not those that were pulled to the direction, which are nearer to it than
            others are.
        lost: In nats for each token, above 0.

    Raises:
        ValueError: If nothing is to be lost, or the lines lose less than that even where the gate
            is always open.

    Examples:
        >>> from latent_anchors.testbed import made_up_definitions, small_llama
        >>> words = TokenizedDefinitions.of(made_up_definitions(40), held_out=8)
        >>> concept = Concept("animal", [1.0] + [0.0] * 95, at="model.layers.1")
        >>> aside = words.labeled("animal", 0, chance=1.0)
        >>> edit = edit_by_loss(small_llama(words, 0), words, concept, aside, lost=0.001)
        >>> 0 < edit.keywords["degrees"] < 180
        True
    """
    if not lost > 0:
        raise ValueError(
            f"lost is {lost!r} nats; expected a number above 0. A model of which nothing is "
            "expected to be lost has not learned the topic: train longer."
        )
    losses = partial(topic_losses, model, words.batches(aside), [concept.name] * len(aside))
    wanted = losses().mean([concept.name]) + lost

    def enough(degrees: float) -> bool:
        return bool(losses(topic_edit(concept, degrees)).mean([concept.name]) >= wanted)

    if not enough(WIDEST):
        raise ValueError(
            f"Lines about {concept.name!r} lose less than {lost:.3g} nats for each token even "
            "where the gate is always open. Train longer, or ask for less."
        )
    return topic_edit(concept, _least(enough))


def _least(enough: Callable[[float], bool]) -> float:
    narrow, wide = 0.0, WIDEST
    for _ in range(HALVINGS):
        middle = (narrow + wide) / 2
        narrow, wide = (narrow, middle) if enough(middle) else (middle, wide)
    return wide


def _muted(
    model: nn.Module, batch: Batch, concept: Concept, degrees: int | float, factor: int | float
) -> AbstractContextManager[Any]:
    gate = Onwards(concept.direction, degrees, among=batch["behind"])
    return concept.amplified(model, factor=factor, where=gate)
