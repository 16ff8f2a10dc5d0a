"""How near lines lie to a direction, and those that lie too far from it to be about its topic."""

from collections.abc import Sequence
from math import ceil

import torch
from jaxtyping import Float
from torch import Tensor, nn

from latent_anchors._checks import check_between
from latent_anchors.concepts import Concept
from latent_anchors.testbed._words._tokens import TokenizedDefinitions
from latent_anchors.testbed._words._word_models import word_cosines


def far_lines(
    model: nn.Module,
    words: TokenizedDefinitions,
    concept: Concept,
    aside: Sequence[int],
    caught: int | float = 0.9,
) -> list[int]:
    """Lines for training that lie farther from a direction than most labeled ones do.

    A line is as near as its mean cosine behind the colon. All that lie as near as the ``caught``
    share of the lines put aside are left out, and so are those put aside.

    Args:
        model: With the topic on the direction.
        words: What it was trained on.
        concept: The topic.
        aside: Lines of the topic that no term pulled to the direction, some hundred of them.
        caught: From 0 to 1.

    Raises:
        ValueError: If nothing is put aside, the share is out of its range, or latents are not
            finite.

    Examples:
        >>> from latent_anchors.testbed import made_up_definitions, small_llama
        >>> words = TokenizedDefinitions.of(made_up_definitions(40), held_out=8)
        >>> concept = Concept("animal", [1.0] + [0.0] * 95, at="model.layers.1")
        >>> model, aside = small_llama(words, 0), words.labeled("animal", 0, chance=1.0)
        >>> [len(far_lines(model, words, concept, aside, caught)) for caught in (0.5, 1.0)]
        [16, 2]
    """
    check_between("caught", caught, 0.0, 1.0)
    if not aside:
        raise ValueError("No line was put aside; expected some hundred labeled ones.")
    nearest = nearness(model, words, concept, aside).sort(descending=True).values
    limit = nearest[max(ceil(caught * len(aside)), 1) - 1]
    rest = not_aside(words, aside)
    near = nearness(model, words, concept, rest)
    if not torch.cat([nearest, near]).isfinite().all():
        raise ValueError(
            "Latents are not finite, so that no line is known to be far; expected a model that did "
            "not fail. Look at its losses."
        )
    return [rest[int(k)] for k in (near < limit).nonzero()]


def not_aside(words: TokenizedDefinitions, aside: Sequence[int]) -> list[int]:
    """Lines for training but for those put aside."""
    own = {*aside}
    return [line for line in words.seen() if line not in own]


def nearness(
    model: nn.Module, words: TokenizedDefinitions, concept: Concept, chosen: Sequence[int]
) -> Float[Tensor, " line"]:
    """The mean cosine with the direction behind the colon."""
    cosines, behind = word_cosines(model, words, chosen, concept)
    return (cosines * behind).sum(1) / behind.sum(1).clamp_min(1)
