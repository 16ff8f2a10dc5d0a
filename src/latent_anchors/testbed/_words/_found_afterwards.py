"""Directions found afterwards in a language model, from the labels that an anchor has."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import nn

from latent_anchors.baselines import Found, leace, logistic_probe, mean_difference
from latent_anchors.concepts import Concept
from latent_anchors.testbed._words._tokens import TokenizedDefinitions
from latent_anchors.testbed._words._word_models import word_latents

OTHERS = 8000
"""So many lines without a label are compared with the labeled ones."""


class Search(NamedTuple):
    """How a direction is looked for, and what is then done with the part along it.

    Block and factor are those that did best on the topic *food*, of the second and the third block
    and of -8 and -32; samples are positions, which did better than whole lines.
    """

    method: Callable[..., Found]
    block: int
    factor: float

    def concept(
        self, model: nn.Module, words: TokenizedDefinitions, topic: str, labeled: Sequence[int]
    ) -> Concept:
        """The topic at the direction that is found; each position behind the colon is a sample.

        Args:
            model: Trained without an anchor.
            words: What it was trained on.
            topic: The name.
            labeled: The labeled lines; others count as without the topic.
        """
        mine = {*labeled}
        others = [k for k in words.seen() if k not in mine][:OTHERS]
        some, at = [*labeled, *others], f"model.layers.{self.block}"
        latents, behind = word_latents(model, words, some, at)
        has_it = (torch.arange(len(some)) < len(labeled)).float()
        return Concept(topic, self.method(latents, has_it, behind).direction, at)


FOUND_AFTERWARDS = {
    "mean difference": Search(mean_difference, 2, -32.0),
    "logistic probe": Search(logistic_probe, 1, -32.0),
    "LEACE": Search(leace, 2, -32.0),
}
"""By the name of the method."""
