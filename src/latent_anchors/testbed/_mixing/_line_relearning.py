"""Relearning of lines: how soon fine-tuning a transformer brings a removed concept back."""

from collections.abc import Sequence
from functools import partial

from jaxtyping import Int
from torch import Tensor, nn
from torch.optim import AdamW

from latent_anchors.audits import Relearning, relearning
from latent_anchors.audits._finetune import fresh
from latent_anchors.data import Sampler
from latent_anchors.models import Population
from latent_anchors.testbed._mixing._answers import exact_match
from latent_anchors.testbed._mixing._language import MixingLanguage
from latent_anchors.training import Constraint, next_token

RATES = (0.02, 0.006, 0.002)
BACK, EVERY = 0.05, 10
"""The share of lines answered wrong that counts as back, and the steps between two checks."""


def line_relearning(
    edited: Population,
    language: MixingLanguage,
    shown: Int[Tensor, "shown 2"],
    asked: Int[Tensor, "asked 2"],
    *,
    constraint: Constraint | None = None,
    rates: Sequence[float] = RATES,
    limit: int = 2000,
    batch_size: int = 256,
) -> Relearning:
    r"""Fine-tune transformers from which a concept was removed, until they answer its lines again.

    .. math:: \text{ratio} = T(\text{edited}) / T(\text{fresh})

    :math:`T` is the first step at which at most 5 % of the lines ``asked`` are answered wrong,
    checked every 10 steps, twice in a row. All lines ``shown`` are trained on, every next token of
    them, by AdamW without decay, nothing frozen. Fresh networks have the ``edited`` ones' shape,
    new weights and the same batches; each network has its own best of the ``rates``. Measures are
    named ``relearning/ratio``, ``/at_least_one`` and ``/censored``, and ``relearning/steps/edited``
    and ``/fresh``: T itself, infinite where the ``limit`` came first, as which it counts in the
    ratio. A run whose weights are not finite has failed and has no value.

    Args:
        edited: Networks from whose weights the concept was removed.
        language: Whose tokens these are.
        shown: Pairs to be trained on ``(shown, 2)``, such as those of the training.
        asked: Pairs with the concept ``(asked, 2)``, seen in the training or held out from it.
        constraint: What held of the weights in the training.
        rates: Learning rates, each on its own from the same start.
        limit: Most steps of an attack.
        batch_size: Lines at a step.

    Returns:
        The record; its curves hold the share of ``asked`` that is answered wrong.

    Raises:
        ValueError: If a pair is open, or if an edit is in force that is not in the weights.
        RuntimeError: If a fresh network does not learn the lines by the limit.

    References:
        The rebound of unlearned knowledge under fine-tuning: Lynch et al., "Eight methods to
        evaluate robust unlearning in LLMs", 2024.

    Examples:
        >>> from latent_anchors.models import NormalizedTransformer
        >>> language = MixingLanguage(levels=2)
        >>> make = partial(NormalizedTransformer, len(language.vocabulary), 16, 1, 2, 32)
        >>> untaught, pairs = Population.make(make, seeds=[0]), language.pairs()
        >>> audit = line_relearning(untaught, language, pairs, pairs, rates=[0.02])
        >>> 0.2 < float(audit.found["relearning/ratio"]) < 5
        True
    """

    def lost(network: nn.Module) -> Tensor:
        return 1 - exact_match(network, language, asked).double().mean(1)

    return relearning(
        edited,
        {"fresh": fresh(edited)},
        measure=lost,
        reached=lambda share: share <= BACK + 1e-9,
        losses={"tokens": next_token},
        sampler=Sampler(language.lines(shown), batch_size=batch_size),
        optimizers={"AdamW": partial(AdamW, betas=(0.9, 0.95), weight_decay=0.0)},
        rates=rates,
        constraint=constraint,
        limit=limit,
        every=EVERY,
    )
