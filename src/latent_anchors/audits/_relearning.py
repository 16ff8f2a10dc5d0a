"""Relearning: how many steps of fine-tuning bring a removed concept back."""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from functools import partial
from typing import Any, Literal, TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor, nn

from latent_anchors._checks import check_count, check_name, listed
from latent_anchors._hooks import in_force
from latent_anchors._runs import seeds_of
from latent_anchors.audits._attackers import soonest
from latent_anchors.audits._finetune import (
    Attack,
    Goal,
    MakeOptimizer,
    TrainStep,
    by_losses,
    by_steps,
)
from latent_anchors.audits._relearning_record import Relearning
from latent_anchors.audits._step_ratios import EDITED, failed_runs, ratios_of, without_failed
from latent_anchors.data import Sampler
from latent_anchors.models import Population
from latent_anchors.training import Constraint, Loss

TAKEN = {EDITED, "control"}
"""What no reference is called: these have measures of their own."""

Better: TypeAlias = Literal["lower", "higher"]

SIGNS: dict[Better, int] = {"lower": -1, "higher": 1}

OPTIMIZERS: dict[str, MakeOptimizer] = {"AdamW": partial(torch.optim.AdamW, weight_decay=0.0)}


def relearning(
    edited: nn.Module,
    references: Mapping[str, nn.Module],
    *,
    reached: Callable[[Any], Any],
    measure: Callable[[nn.Module], Any] | None = None,
    train_step: TrainStep | None = None,
    losses: Mapping[str, Loss] | None = None,
    sampler: Sampler | None = None,
    optimizers: Mapping[str, MakeOptimizer] = OPTIMIZERS,
    rates: Sequence[float] = (0.01, 0.003, 0.001),
    constraint: Constraint | None = None,
    limit: int = 1000,
    every: int = 10,
    better: Better | None = None,
    first_must_arrive: bool = True,
) -> Relearning:
    r"""Fine-tune a network from which a concept was removed, and count the steps until it is back.

    .. math:: R = \frac{\min_a T_a(\text{edited})}{\min_a T_a(\text{reference})}

    :math:`T_a` is the first step at which ``reached`` holds twice in a row under the attacker
    :math:`a`, an optimizer at a learning rate; each network has its own best. About 1 beside a
    network that never saw the concept (an oracle): nothing of it was left. Far below: it was
    hidden, not removed. Above: the network is harder to teach anything. A network that was never
    trained is for scale only, since it has all else to learn, too. Ratios are skewed: over many
    runs take their geometric mean.

    Measures are ``relearning/ratio``, beside the first of the ``references``, and
    ``relearning/ratio_NAME``, beside each other one; ``relearning/at_least_one``, whether the first
    ratio is 1 or more; ``relearning/steps/NETWORK``, the ``limit`` where that came first;
    ``relearning/censored``, whether it did for the edited network, and ``relearning/censored/NAME``
    for a reference. Where neither network gets there, their ratio does not exist, and is not 1 or
    more. A run whose edited weights are not finite has failed: no number has a value there.

    Args:
        edited: The network, or a population of them; unchanged.
        references: By name, what it is compared with, such as the oracle, a fresh network or the
            original; of the same seeds if populations.
        reached: From what is measured to a bool for each run: whether the concept is back.
        measure: From a network to a number for each run, ``(runs,)``, in evaluation mode; if None
            ``reached`` is given the network itself.
        train_step: From one network and the number of the step to that step's loss; runs are
            trained one after another. Either this, or losses and sampler.
        losses: By name, as :func:`latent_anchors.fit` takes them; runs are trained together.
        sampler: The batches that go with the losses.
        optimizers: By name, parameters and ``lr`` to an optimizer.
        rates: Learning rates of each optimizer. Give the likeliest first: no later one is tried
            for longer than the best so far took.
        constraint: What held of the weights in training.
        limit: Most steps of an attack.
        every: Steps between two checks. Who is back at the first one counts as that many, though
            one step may have done: check as often as the quickest network needs.
        better: Whether lower or higher measures are nearer to the goal. Then curves hold at each
            step the best over all attackers, which is what capability at a fixed budget means in
            the field; else those of the attacker that gets there first, or if none does, of the
            first one under which the measure stays finite.
        first_must_arrive: Whether the first reference has to reach the goal by the limit. Give
            False where an attack may well be too weak for anyone; what counts then is
            :meth:`Relearning.after`, for which ``better`` is needed.

    Returns:
        The record.

    Raises:
        ValueError: If neither a training step nor losses with a sampler are given, or both; if
            there is no reference, one is named ``edited`` or ``control``, or has other seeds; if
            ``reached`` does not return a bool for each run; if an edit is in force, which the
            weights lack; or if ``better`` is neither of the two, or None where nobody must arrive.
        RuntimeError: If some run of the first reference does not get there by the limit, and must.

    References:
        The rebound of unlearned knowledge under fine-tuning: Lynch et al., "Eight methods to
        evaluate robust unlearning in LLMs", 2024.

    Examples:
        >>> x = torch.linspace(-1, 1, 64).unsqueeze(1)
        >>> def error(model): return (model(x) - 2 * x).square().mean()
        >>> torch.manual_seed(0) and None
        >>> model, fresh = nn.Linear(1, 1), nn.Linear(1, 1)
        >>> audit = relearning(
        ...     model, {"fresh": fresh}, measure=error, reached=lambda e: e < 0.01,
        ...     train_step=lambda model, step: error(model), rates=[0.1],
        ... )
        >>> bool(audit.found["relearning/ratio"] > 0.5), audit.best["edited"]
        (True, ('AdamW at 0.1',))
    """
    _check_names(references)
    check_count("limit", limit)
    check_count("every", every)
    sign = _sign(better, first_must_arrive)
    goal = Goal(measure, reached, every)
    attack = _attack(train_step, losses, sampler, goal, constraint)
    networks = {**references, EDITED: edited}
    for name, network in networks.items():
        _check_seeds(name, network, edited)
        _check_weights(name, network, goal, together=losses is not None)
    if losses is not None:
        networks = {name: _population(network) for name, network in networks.items()}
    found = {
        name: soonest(network, attack, optimizers, rates, goal, limit, sign)
        for name, network in networks.items()
    }
    steps = {
        name: each[0].masked_fill(failed_runs(networks[name]), torch.nan)
        for name, each in found.items()
    }
    if first_must_arrive:
        first = next(iter(references))
        _check_reference(first, steps[first], limit)
    return Relearning(
        seeds_of(edited),
        float(limit),
        without_failed(ratios_of(steps, float(limit), float(every)), failed_runs(edited)),
        _curves({name: each[1] for name, each in found.items()}, every, networks),
        {name: each[2] for name, each in found.items()},
    )


def _sign(better: Better | None, first_must_arrive: bool) -> int:
    if better is None:
        if not first_must_arrive:
            raise ValueError(
                "Nobody has to arrive, and better=None does not say which of the attackers came "
                "nearest; expected better='lower' or better='higher' with first_must_arrive=False."
            )
        return 0
    check_name("direction", better, [*SIGNS])
    return SIGNS[better]


def _attack(
    train_step: TrainStep | None,
    losses: Mapping[str, Loss] | None,
    sampler: Sampler | None,
    goal: Goal,
    constraint: Constraint | None,
) -> Attack:
    if train_step is not None and losses is None:
        return by_steps(train_step, goal, constraint)
    if losses is not None and sampler is not None and train_step is None:
        return by_losses(losses, sampler, goal, constraint)
    raise ValueError(
        "Expected train_step=, or losses= with sampler=: how a network is fine-tuned. Give one of "
        "the two."
    )


def _curves(
    values: Mapping[str, list[Tensor]], every: int, networks: Mapping[str, nn.Module]
) -> dict[str, Float[Tensor, "steps runs"]]:
    """By step: what was measured lasts until the next check, and at last to the end."""
    longest = max(len(curve) for each in values.values() for curve in each)
    curves: dict[str, Tensor] = {}
    for name, each in values.items():
        rows = [torch.cat([curve, curve[-1:].expand(longest - len(curve))]) for curve in each]
        known = torch.stack(rows, 1).masked_fill(failed_runs(networks[name]), torch.nan)
        curves[name] = known.repeat_interleave(every, 0)
    return curves


def _population(network: nn.Module) -> nn.Module:
    return network if isinstance(network, Population) else Population.from_models([network], [0])


def _check_names(references: Mapping[str, nn.Module]) -> None:
    if not references or not TAKEN.isdisjoint(references):
        raise ValueError(
            f"The references are named {listed(references)}; expected at least one, none of them "
            f"{' or '.join(map(repr, sorted(TAKEN)))}, such as {{'oracle': model}}."
        )


def _check_seeds(name: str, network: nn.Module, edited: nn.Module) -> None:
    if seeds_of(network) != seeds_of(edited):
        raise ValueError(
            f"The {name!r} networks have seeds {listed(seeds_of(network))} and the edited ones "
            f"{listed(seeds_of(edited))}; expected the same, so that each is compared with its own."
        )


def _check_weights(name: str, network: nn.Module, goal: Goal, together: bool) -> None:
    altered = bool(in_force(network))
    if not altered and (together or not isinstance(network, Population)):
        copy = network[:] if isinstance(network, Population) else deepcopy(network)
        given, copied = (goal.check(each).values for each in (network, copy))
        altered = not torch.allclose(given, copied, atol=1e-5, equal_nan=True)
    if altered:
        raise ValueError(
            f"The {name!r} networks answer otherwise than their weights do: an edit is in force. "
            "Expected weights alone, as anyone who has them can leave the edit out. Build it into "
            "the weights first, such as with edit_embedding."
        )


def _check_reference(name: str, steps: Tensor, limit: int) -> None:
    if bool(steps.isinf().any()):
        raise RuntimeError(
            f"Within {limit} steps {int(steps.isinf().sum())} of {len(steps)} {name} networks have "
            "not reached the goal; expected all, so that there is something to compare with. Raise "
            "the limit, or give other rates."
        )
