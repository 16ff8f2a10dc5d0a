"""One training step's gradients as a pure function, for one run or for all of them at once."""

from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeAlias, cast

import torch
from torch import Tensor, nn
from torch.func import grad_and_value
from torch.utils.hooks import RemovableHandle

from latent_anchors._sites import layers_of
from latent_anchors.data import LabeledBatch
from latent_anchors.training._backends import Backend, run_by
from latent_anchors.training._losses import Loss, OneRun
from latent_anchors.training._objective import Objective
from latent_anchors.training._tidying import tidy
from latent_anchors.training._tracing import trace

UNTRACED = 6
"""Steps that take as long without a trace as it takes to make one: it pays for some more."""

Tensors: TypeAlias = dict[str, Tensor]


class Step(NamedTuple):
    """Gradients by name, and each part's mean and label mass ``(parts, ...)``."""

    gradients: Tensors
    means: Tensor
    masses: Tensor


Gradients: TypeAlias = Callable[[Tensors, Tensors, LabeledBatch, Tensor], Step]
"""Parameters, buffers, batch and weights ``(tracks, ...)`` to a step."""

_Arguments: TypeAlias = tuple[Tensors, Tensors, Tensor, Tensors, Tensors, Tensor]
_Outcome: TypeAlias = tuple[Tensors, tuple[Tensor, tuple[Tensor, Tensor]]]
_Pure: TypeAlias = Callable[..., _Outcome]


def of_one_run(
    model: nn.Module, objective: Objective, losses: Mapping[str, Loss], tracks: Sequence[str]
) -> Gradients:
    """Gradients of a single run, whose tensors have no axis of runs."""
    pure = grad_and_value(_total(model, objective, losses, tracks), has_aux=True)

    def gradients(
        parameters: Tensors, buffers: Tensors, batch: LabeledBatch, weights: Tensor
    ) -> Step:
        return _step(pure(*_arguments(parameters, buffers, batch, weights)))

    return gradients


def of_all_runs(
    model: nn.Module,
    objective: Objective,
    losses: Mapping[str, Loss],
    tracks: Sequence[str],
    steps: int = 0,
    backend: Backend = "eager",
) -> Gradients:
    """Gradients of all runs at once, vmapped, and soon traced, once for each shape of batch.

    The trace runs the same operations without Python in between, bit by bit the same. In a
    training of many ``steps`` it is made at the second; else, and for batches of another shape,
    when it would have been worth it; a ``backend`` runs it.
    """
    first = 2 if steps >= 2 * UNTRACED else UNTRACED
    pure = grad_and_value(_total(model, objective, losses, tracks), has_aux=True)
    mapped = cast("_Pure", torch.vmap(pure, in_dims=(0, 0, 0, 0, 0, 1)))
    taken: Counter[object] = Counter()
    traced: dict[object, _Pure] = {}

    def gradients(
        parameters: Tensors, buffers: Tensors, batch: LabeledBatch, weights: Tensor
    ) -> Step:
        arguments = _arguments(parameters, buffers, batch, weights)
        shapes = _shapes(batch)
        taken[shapes] += 1
        with torch.no_grad():
            if taken[shapes] == 1:
                with _told_where(model):
                    return _step(mapped(*arguments))
            if taken[shapes] == (first if len(taken) == 1 else UNTRACED):
                traced[shapes] = _traced(mapped, arguments, backend)
            return _step(traced.get(shapes, mapped)(*arguments))

    return gradients


def _traced(pure: _Pure, arguments: _Arguments, backend: Backend) -> _Pure:
    """The operations of one step, tidied; parameters and batches go in one by one."""
    parameters, buffers, *_ = arguments
    # tracing runs the step, which must not count twice in running averages
    aside = {name: buffer.clone() for name, buffer in buffers.items()}
    apart = _leaves((parameters, aside, *arguments[2:]))
    traced = trace(lambda *leaves: _results(pure(*_like(arguments, leaves))), apart)
    tidy(traced)
    held = [*parameters.values(), *buffers.values()]
    forward = run_by(backend, traced, held, apart[len(held) :])

    def step(*arguments: Any) -> _Outcome:
        *gradients, total, means, masses = forward(*_leaves(cast("_Arguments", arguments)))
        return dict(zip(arguments[0], gradients, strict=True)), (total, (means, masses))

    return step


def _leaves(arguments: _Arguments) -> list[Tensor]:
    parameters, buffers, inputs, labels, extras, weights = arguments
    named = (*parameters.values(), *buffers.values(), *labels.values(), *extras.values())
    return [*named, inputs, weights]


def _like(arguments: _Arguments, leaves: Sequence[Tensor]) -> _Arguments:
    """Arguments again, from other leaves of the same names."""
    *named, inputs, weights = leaves
    remaining = iter(named)
    parameters, buffers, labels, extras = (
        {name: next(remaining) for name in tensors}
        for tensors in (arguments[0], arguments[1], arguments[3], arguments[4])
    )
    return parameters, buffers, inputs, labels, extras, weights


def _results(outcome: _Outcome) -> list[Tensor]:
    gradients, (total, (means, masses)) = outcome
    return [*gradients.values(), total, means, masses]


@contextmanager
def _told_where(model: nn.Module) -> Generator[None]:
    """Say which layer or term stands in the way when runs cannot be stepped together."""
    running: list[str] = []
    handles: list[RemovableHandle] = []
    for name, layer in layers_of(model).items():
        handles.append(layer.register_forward_pre_hook(_entering(running, name, layer)))
        handles.append(layer.register_forward_hook(_leaving(running)))
    try:
        yield
    except (RuntimeError, ValueError) as error:
        where = f"layer {running[-1]}" if running else "a term or loss"
        notes = " ".join(getattr(error, "__notes__", []))
        raise RuntimeError(
            f"The runs cannot be stepped together because of {where}: {error} {notes} "
            "Use execution='in_turn', which trains one run after another."
        ) from error
    finally:
        for handle in handles:
            handle.remove()


def _entering(running: list[str], name: str, layer: nn.Module) -> Callable[..., None]:
    def enter(*_: object) -> None:
        running.append(f"{name!r} ({type(layer).__name__})")

    return enter


def _leaving(running: list[str]) -> Callable[..., None]:
    def leave(*_: object) -> None:
        running.pop()

    return leave


def _total(
    model: nn.Module, objective: Objective, losses: Mapping[str, Loss], tracks: Sequence[str]
) -> Callable[..., tuple[Tensor, tuple[Tensor, Tensor]]]:
    """One run's total and, beside it, each part's mean and label mass."""

    def total(
        parameters: Tensors,
        buffers: Tensors,
        inputs: Tensor,
        labels: Tensors,
        extras: Tensors,
        weights: Tensor,
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        batch = LabeledBatch(inputs, labels, extras)
        forward = OneRun(model, {**parameters, **buffers}, objective.sites)
        _, latents = forward(inputs)
        values = {name: loss(forward, batch) for name, loss in losses.items()}
        row = dict(zip(tracks, weights.unbind(0), strict=True))
        parts = objective(latents, labels, row, extras, look="never", **values)
        means = torch.stack([part.mean for part in parts.values()])
        masses = torch.stack([part.mass for part in parts.values()])
        return parts.total, (means.detach(), masses.detach())

    return total


def _shapes(batch: LabeledBatch) -> tuple[object, ...]:
    named = [*batch.labels.items(), *batch.extras.items()]
    return (batch.inputs.shape, *((name, tensor.shape) for name, tensor in named))


def _arguments(
    parameters: Tensors, buffers: Tensors, batch: LabeledBatch, weights: Tensor
) -> _Arguments:
    labels, extras = dict(batch.labels), dict(batch.extras)
    return parameters, buffers, batch.inputs, labels, extras, weights


def _step(outcome: _Outcome) -> Step:
    gradients, (_, (means, masses)) = outcome
    # parts first, then runs where there are any
    return Step(gradients, means.movedim(-1, 0), masses.movedim(-1, 0))
