"""Audits of lines of tokens: what probes read off the latents, and how fast it is learned again."""

from collections.abc import Mapping, Sequence
from functools import partial

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.optim import AdamW

from latent_anchors._checks import check_name
from latent_anchors._numerics import in_full_precision
from latent_anchors._sites import At
from latent_anchors._streams import stream
from latent_anchors.audits import Relearning, fresh, linear_probe, relearning
from latent_anchors.audits._leakage import of_finite
from latent_anchors.audits._probes import r_squared
from latent_anchors.colorspace import HUES, hue_degree, hue_of
from latent_anchors.data import Sampler
from latent_anchors.evaluation import Evaluation, latents
from latent_anchors.models import Population
from latent_anchors.testbed._mixing._answers import PROMPT, color_answers
from latent_anchors.testbed._mixing._language import MixingLanguage
from latent_anchors.testbed._mixing._trained_weights import with_trained
from latent_anchors.training import Constraint, next_token

FOLDS = 5
"""Parts of the colors; each is read by a probe that learned from the others."""


def line_leakage(model: nn.Module, language: MixingLanguage, concept: str, at: At) -> Evaluation:
    r"""How much of a concept's degree can be read off the first color of a line, at a site.

    A linear probe learns from four fifths of the colors and reads the last, each in turn: R² over
    all, at most 1. Nothing stands before the first token, so that this is all that the stream holds
    of the color. Redness is part of what a color is, whether or not anyone kept a place for it; so
    beside ``leakage/linear`` stand

    * ``/shuffled``: the same of latents that are shuffled among the colors; chance;
    * ``/floor``: the same probe on the raw RGB values.

    Args:
        model: A model (one run) or a population, from tokens to anything; edits in force count.
        language: Whose tokens these are.
        concept: One of the twelve hues.
        at: The site, such as ``"embedding"``.

    Returns:
        By name ``(runs,)``.

    Raises:
        ValueError: If there is no such hue or site.
        RuntimeError: If the site never ran.

    References:
        Alain and Bengio, "Understanding intermediate layers using linear classifier probes", 2016.

    Examples:
        >>> from latent_anchors.models import NormalizedTransformer
        >>> language = MixingLanguage(levels=5)
        >>> model = NormalizedTransformer(len(language.vocabulary), 16, 1, 2, 32)
        >>> found = line_leakage(model, language, "red", "embedding")
        >>> [*found], bool(found["leakage/linear/floor"] > 0.5)
        (['leakage/linear', 'leakage/linear/shuffled', 'leakage/linear/floor'], True)
    """
    check_name("hue", concept, tuple(HUES))
    colors, degree = language.colors, hue_degree(language.colors, hue_of(concept))
    z = latents(model, torch.arange(len(colors)).unsqueeze(1), at)[..., 0, :]
    z = in_full_precision(z).cpu()
    seeds = model.seeds if isinstance(model, Population) else (0,) * len(z)
    mixed_up = torch.stack(
        [run[_shuffled(len(run), seed)] for run, seed in zip(z, seeds, strict=True)]
    )
    known = {"": z, "/shuffled": mixed_up, "/floor": colors[None].to(z)}
    found = {
        f"linear{name}": r_squared(_predicted(held, degree.to(z)), degree.to(z))
        for name, held in known.items()
    }
    return of_finite(found, z)


def _predicted(
    z: Float[Tensor, "runs n dim"], degree: Float[Tensor, " n"]
) -> Float[Tensor, "runs n"]:
    """Predictions of each color by a probe that has not seen it."""
    fold, said = _shuffled(len(degree), 0) % FOLDS, z.new_zeros(z.shape[:2])
    for k in range(FOLDS):
        new = fold == k
        said[:, new] = linear_probe(z[:, ~new], degree[~new, None], z[:, new])[..., 0]
    return said


def _shuffled(n: int, seed: int) -> Int[Tensor, " n"]:
    return torch.randperm(n, generator=stream(seed, "shuffled colors"))


RATES = (0.02, 0.006, 0.002)
BACK, EVERY = 0.05, 10
"""The share of lines answered wrong that counts as back, and the steps between two checks."""


def line_relearning(
    edited: Population,
    language: MixingLanguage,
    shown: Int[Tensor, "shown 2"],
    asked: Int[Tensor, "asked 2"],
    *,
    references: Mapping[str, nn.Module] | None = None,
    weights: str = "all",
    answer: int | None = None,
    constraint: Constraint | None = None,
    rates: Sequence[float] = RATES,
    limit: int = 2000,
    batch_size: int = 256,
    first_must_arrive: bool = True,
) -> Relearning:
    r"""Fine-tune transformers from which a concept was removed, until they answer its lines again.

    .. math:: \text{ratio} = T(\text{edited}) / T(\text{reference})

    :math:`T` is the first step at which at most 5 % of the lines ``asked`` are answered wrong,
    checked every 10 steps, twice in a row. All lines ``shown`` are trained on, every next token of
    them, by AdamW without decay; each network has its own best of the ``rates``. By default it is
    compared with fresh networks, of the ``edited`` ones' shape and with new weights; these have all
    else to learn, too, so that a ratio of 1 is no goal. It is one beside networks that never saw
    the concept. Measures are those of :func:`latent_anchors.audits.relearning`. A run whose weights
    are not finite has failed and has no value.

    Args:
        edited: Networks from whose weights the concept was removed.
        language: Whose tokens these are.
        shown: Pairs to be trained on ``(shown, 2)``, such as those of the training.
        asked: Pairs with the concept ``(asked, 2)``, seen in the training or held out from it.
        references: By name, what they are compared with; fresh networks alone if None.
        weights: What an attacker trains: ``"all"``, the ``"embeddings"``, or ``"low_rank"``, an
            addition of rank 4 to each linear layer, which no constraint holds.
        answer: A token that is to be taught as the answer to the lines ``asked`` instead of the
            right one: something else to learn, for a control.
        constraint: What held of the weights in the training.
        rates: Learning rates, each on its own from the same start.
        limit: Most steps of an attack.
        batch_size: Lines at a step.
        first_must_arrive: Whether the first reference has to learn the lines by the limit.

    Returns:
        The record; its curves hold the share of ``asked`` that is answered wrong, at each step
        under the best of the rates.

    Raises:
        ValueError: If a pair is open, there is no such choice of weights, or an edit is in force
            that is not in the weights.
        RuntimeError: If the first reference does not learn the lines by the limit, and must.

    References:
        The rebound of unlearned knowledge under fine-tuning: Lynch et al., "Eight methods to
        evaluate robust unlearning in LLMs", 2024. The best of many learning rates at fixed
        budgets: Lee et al., "Distillation robustifies unlearning", 2025.

    Examples:
        >>> from latent_anchors.models import NormalizedTransformer
        >>> language = MixingLanguage(levels=2)
        >>> make = partial(NormalizedTransformer, len(language.vocabulary), 16, 1, 2, 32)
        >>> untaught, pairs = Population.make(make, seeds=[0]), language.pairs()
        >>> audit = line_relearning(untaught, language, pairs, pairs, rates=[0.02])
        >>> 0.2 < float(audit.found["relearning/ratio"]) < 5
        True
    """
    right = language.answers(asked) if answer is None else torch.full((len(asked),), answer)

    def lost(network: nn.Module) -> Tensor:
        return 1 - (color_answers(network, language, asked) == right).double().mean(1)

    beside = {"fresh": fresh(edited)} if references is None else references
    return relearning(
        with_trained(edited, weights),
        {name: with_trained(network, weights) for name, network in beside.items()},
        measure=lost,
        reached=lambda share: share <= BACK + 1e-9,
        losses={"tokens": next_token},
        sampler=Sampler(_taught(language, shown, asked, answer), batch_size=batch_size),
        optimizers={"AdamW": partial(AdamW, betas=(0.9, 0.95), weight_decay=0.0)},
        rates=rates,
        constraint=None if weights == "low_rank" else constraint,
        limit=limit,
        every=EVERY,
        better="lower",
        first_must_arrive=first_must_arrive,
    )


def _taught(
    language: MixingLanguage, shown: Tensor, asked: Tensor, answer: int | None
) -> Int[Tensor, "shown 6"]:
    """The lines ``shown``, with another answer where they are ``asked``, if there is one."""
    lines, n = language.lines(shown), len(language.colors)
    if answer is not None:
        known = torch.isin(shown @ torch.tensor([n, 1]), asked @ torch.tensor([n, 1]))
        lines[known, PROMPT] = answer
    return lines
