"""What can be had on open pairs without knowing how to mix, or by mixing perfectly."""

from dataclasses import dataclass
from typing import cast

import torch
from jaxtyping import Int
from torch import Tensor

from latent_anchors.data import MixingLanguage


@dataclass(frozen=True)
class MixingFloors:
    """Mean distances in RGB between a mixture and what some simple rule answers.

    Attributes:
        nearest: The nearest color: no answer does better. On open pairs several are equally near,
            so that a coin flip between the two nearest does as well.
        constant: The one color that is best for all pairs.
        chance: A color drawn uniformly.
        n: How many pairs.

    Examples:
        >>> MixingFloors(nearest=0.1, constant=0.4, chance=0.7, n=12).nearest
        0.1
    """

    nearest: float
    constant: float
    chance: float
    n: int


def mixing_floors(
    language: MixingLanguage, pairs: Int[Tensor, "pairs 2"], operation: str = "+"
) -> MixingFloors:
    """Distances to hold those of a model against.

    Args:
        language: Whose colors can be answered.
        pairs: Color indices ``(pairs, 2)``, such as the open ones.
        operation: One of the language's.

    Returns:
        Means over the pairs.

    Raises:
        ValueError: If the language lacks the operation.

    References:
        The nulls of ``sca2`` (2026), here with mixtures that are not rounded.

    Examples:
        >>> from latent_anchors.data import MixingLanguage
        >>> language = MixingLanguage(levels=6)
        >>> round(mixing_floors(language, language.open_pairs()).nearest, 3)
        0.128
    """
    mixtures, counts = cast(
        "tuple[Tensor, Tensor]",
        language.mixtures(pairs, operation).unique(dim=0, return_counts=True),
    )
    distances = torch.cdist(mixtures.double(), language.colors.double())
    means = (counts.double() / len(pairs)) @ distances
    nearest = (counts * distances.amin(1)).sum() / len(pairs)
    return MixingFloors(float(nearest), float(means.amin()), float(means.mean()), len(pairs))
