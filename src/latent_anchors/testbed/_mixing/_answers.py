"""What a model that mixes colors answers: exact matches and distances, pair by pair."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from latent_anchors._numerics import length
from latent_anchors.evaluation import Evaluation, predictions
from latent_anchors.testbed._mixing._language import MixingLanguage

PROMPT = 4
"""Tokens of a line up to its ``=``, at which the answer is read."""

NO_ANSWER = -1

AT_ONCE = 4096
"""Lines in one pass, so that the logits of all pairs need not be held."""


def color_answers(
    model: nn.Module,
    language: MixingLanguage,
    pairs: Int[Tensor, "pairs 2"],
    operation: str = "+",
) -> Int[Tensor, "runs pairs"]:
    """The likeliest color after ``a + b =``, in evaluation mode; other words do not count.

    Logits of which one is NaN, or infinite and the greatest, name no color: -1.

    Args:
        model: A model (one run) or a population, from tokens ``(..., position)`` to logits
            ``(..., position, vocabulary)``; edits in force count.
        language: Whose tokens these are.
        pairs: Color indices ``(pairs, 2)``, closed or open.
        operation: One of the language's.

    Returns:
        Color indices ``(runs, pairs)``, on the CPU; -1 for no answer.

    Raises:
        ValueError: If the language lacks the operation.

    Examples:
        >>> from latent_anchors.testbed import MixingLanguage
        >>> language = MixingLanguage(levels=3)
        >>> says_black = nn.Embedding.from_pretrained(torch.eye(30).roll(1, dims=1))
        >>> color_answers(says_black, language, language.pairs()).unique().tolist()
        [0]
    """
    words = [language.token(word) for word in (operation, "=")]
    sign, equals = (pairs.new_full((len(pairs),), word) for word in words)
    prompts = torch.stack([pairs[:, 0], sign, pairs[:, 1], equals], dim=1)
    said = [
        _likeliest(predictions(model, some)[..., -1, : len(language.colors)]).cpu()
        for some in torch.split(prompts, AT_ONCE)
    ]
    return torch.cat(said, dim=1)


def _likeliest(logits: Float[Tensor, "runs pairs colors"]) -> Int[Tensor, "runs pairs"]:
    greatest, color = logits.max(-1)  # NaN is the greatest of all
    return color.masked_fill(~greatest.isfinite(), NO_ANSWER)


def _distances(
    language: MixingLanguage, said: Int[Tensor, "runs pairs"], right: Float[Tensor, "pairs 3"]
) -> Float[Tensor, "runs pairs"]:
    """How far answers lie from colors; NaN where there is no answer."""
    away = length(language.colors[said] - right)
    return away.masked_fill(said == NO_ANSWER, torch.nan)


def exact_match(
    model: nn.Module,
    language: MixingLanguage,
    pairs: Int[Tensor, "pairs 2"],
    operation: str = "+",
) -> Bool[Tensor, "runs pairs"]:
    """Whether a model answers each closed pair right, which no answer is not.

    Args:
        model: A model or a population; edits in force count.
        language: Whose tokens these are.
        pairs: Color indices of closed pairs ``(pairs, 2)``.
        operation: One of the language's.

    Returns:
        ``(runs, pairs)``, on the CPU.

    Raises:
        ValueError: If a pair is open, or the language lacks the operation.

    Examples:
        >>> from latent_anchors.testbed import MixingLanguage
        >>> says_black = nn.Embedding.from_pretrained(torch.eye(30).roll(1, dims=1))
        >>> exact_match(says_black, MixingLanguage(levels=3), torch.tensor([[0, 0], [0, 2]]))
        tensor([[ True, False]])
    """
    right = language.answers(pairs, operation)
    return color_answers(model, language, pairs, operation) == right


def color_distance(
    model: nn.Module,
    language: MixingLanguage,
    pairs: Int[Tensor, "pairs 2"],
    operation: str = "+",
) -> Float[Tensor, "runs pairs"]:
    r"""How far each answer lies from the mixture, in RGB.

    .. math:: d = \lVert \hat c - m(a, b) \rVert_2

    with the answer :math:`\hat c` and the mixture :math:`m` of the ``pairs``, on the grid or not.

    Args:
        model: A model or a population; edits in force count.
        language: Whose tokens these are.
        pairs: Color indices ``(pairs, 2)``, closed or open.
        operation: One of the language's.

    Returns:
        ``(runs, pairs)``, from 0 to the root of 3, on the CPU; NaN for no answer.

    Raises:
        ValueError: If the language lacks the operation.

    References:
        The open-pair distance of ``sca2`` (2026).

    Examples:
        >>> from latent_anchors.testbed import MixingLanguage
        >>> says_black = nn.Embedding.from_pretrained(torch.eye(30).roll(1, dims=1))
        >>> color_distance(says_black, MixingLanguage(levels=3), torch.tensor([[0, 0], [0, 2]]))
        tensor([[0.0000, 0.5000]])
    """
    said = color_answers(model, language, pairs, operation)
    return _distances(language, said, language.mixtures(pairs, operation))


def evaluate_mixing(
    model: nn.Module,
    language: MixingLanguage,
    groups: Mapping[str, Int[Tensor, "pairs 2"]],
    condition: str = "plain",
    operation: str = "+",
) -> Evaluation:
    """Exact match and color distance over groups of closed pairs.

    Args:
        model: A model or a population, with the edits of the condition in force.
        language: Whose tokens these are.
        groups: By name, color indices of closed pairs ``(pairs, 2)``, such as those held out.
        condition: What it is called: ``plain``, ``anchored``, ``muted``.
        operation: One of the language's.

    Returns:
        ``exact_match/<condition>/<group>`` and ``color_distance/<condition>/<group>``, each
        ``(runs,)``; NaN for a run that gave no answer to some pair.

    Raises:
        ValueError: If a pair is open, or the language lacks the operation.

    Examples:
        >>> from latent_anchors.testbed import MixingLanguage
        >>> says_black = nn.Embedding.from_pretrained(torch.eye(30).roll(1, dims=1))
        >>> language = MixingLanguage(levels=3)
        >>> found = evaluate_mixing(says_black, language, {"all": language.pairs()})
        >>> [(name, round(value.item(), 3)) for name, value in found.items()][0]
        ('exact_match/plain/all', 0.008)
    """
    found: dict[str, Tensor] = {}
    for group, pairs in groups.items():
        said = color_answers(model, language, pairs, operation)
        right = language.answers(pairs, operation)
        away = _distances(language, said, language.colors[right])
        exact = (said == right).float().masked_fill(said == NO_ANSWER, torch.nan)
        found[f"exact_match/{condition}/{group}"] = exact.mean(1)
        found[f"color_distance/{condition}/{group}"] = away.mean(1)
    return Evaluation(found)


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
        >>> from latent_anchors.testbed import MixingLanguage
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
