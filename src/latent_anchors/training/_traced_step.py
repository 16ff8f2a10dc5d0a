"""A step written down as operations: what goes in, leaf by leaf, and what comes out."""

from collections.abc import Sequence
from typing import Any, cast

from torch import Tensor

from latent_anchors.training._backends import Backend, run_by
from latent_anchors.training._replaying import Arguments, Outcome, Pure
from latent_anchors.training._tidying import tidy
from latent_anchors.training._tracing import outside_of, trace


def traced_step(
    pure: Pure, arguments: Arguments, backend: Backend
) -> tuple[Pure, list[Tensor], bool]:
    """The operations of one step, tidied; parameters and batches go in one by one.

    Beside them the tensors from outside, and whether Python made a number of any.
    """
    parameters, buffers, *_ = arguments
    # tracing runs the step, which must not count twice in running averages
    aside = {name: buffer.clone() for name, buffer in buffers.items()}
    apart = _leaves((parameters, aside, *arguments[2:]))
    traced = trace(lambda *leaves: _results(pure(*_like(arguments, leaves))), apart)
    outside = outside_of(traced)
    tidy(traced)
    held = [*parameters.values(), *buffers.values()]
    forward = run_by(backend, traced, held, apart[len(held) :])

    def step(*arguments: Any) -> Outcome:
        *gradients, total, means, masses = forward(*_leaves(cast("Arguments", arguments)))
        return dict(zip(arguments[0], gradients, strict=True)), (total, (means, masses))

    return step, *outside


def _leaves(arguments: Arguments) -> list[Tensor]:
    parameters, buffers, inputs, labels, extras, weights = arguments
    named = (*parameters.values(), *buffers.values(), *labels.values(), *extras.values())
    return [*named, inputs, weights]


def _like(arguments: Arguments, leaves: Sequence[Tensor]) -> Arguments:
    """Arguments again, from other leaves of the same names."""
    *named, inputs, weights = leaves
    remaining = iter(named)
    parameters, buffers, labels, extras = (
        {name: next(remaining) for name in tensors}
        for tensors in (arguments[0], arguments[1], arguments[3], arguments[4])
    )
    return parameters, buffers, inputs, labels, extras, weights


def _results(outcome: Outcome) -> list[Tensor]:
    gradients, (total, (means, masses)) = outcome
    return [*gradients.values(), total, means, masses]
