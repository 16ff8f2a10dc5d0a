"""Lines made of a few words, to try things where no text is installed."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import torch

from latent_anchors.testbed._words._texts._definitions import Definitions, shuffled

Kinds: TypeAlias = Mapping[str, tuple[str, Sequence[str], Sequence[str]]]

PLACES = ("in the north", "near rivers", "at night", "on islands", "in summer", "by hand")

DEFINITIONS = {
    "animal": ("a {} {} that eats {}", ("furry", "small", "wild"), ("cat", "wolf", "hare")),
    "plant": ("a {} {} that grows {}", ("green", "tall", "wild"), ("tree", "herb", "shrub")),
    "food": ("a {} {} that is eaten {}", ("sweet", "baked", "cold"), ("cake", "soup", "bread")),
    "person": ("a {} {} who works {}", ("skilled", "young", "busy"), ("baker", "pilot", "judge")),
    "artifact": (
        "a {} {} that is used {}",
        ("wooden", "heavy", "small"),
        ("wheel", "lamp", "chair"),
    ),
    "act": ("a {} {} that is done {}", ("sudden", "slow", "skilled"), ("leap", "theft", "dance")),
}
"""By topic what stands behind the colon, with words to fill it."""

SENTENCES = {
    "english": ("the {} {} sleeps {}.", ("small", "wild"), ("cat", "wolf", "hare")),
    "german": ("die {} {} steht {}.", ("kleine", "wilde"), ("katze", "lampe", "blume")),
}


def made_up_definitions(count: int = 2000) -> Definitions:
    """Definitions made of a few words, for a test where WordNet is not installed.

    Args:
        count: How many.

    Examples:
        >>> made_up_definitions(1).texts
        ('dof : a baked cake that is eaten near rivers',)
    """
    return made_up_lines(DEFINITIONS, count)


def made_up_lines(kinds: Kinds, count: int = 2000) -> Definitions:
    """Lines of a made-up word, and what its topic says of it."""
    generator = torch.Generator().manual_seed(0)

    def one(of: Sequence[str]) -> str:
        return of[int(torch.randint(len(of), (), generator=generator))]

    def line() -> tuple[str, str]:
        topic = one(list(kinds))
        word = "".join(map(one, ("abdfgklmnprst", "aeiou", "abdfgklmnprst")))
        said, *parts = kinds[topic]
        return f"{word} : {said.format(*map(one, [*parts, PLACES]))}", topic

    return shuffled([line() for _ in range(count)])
