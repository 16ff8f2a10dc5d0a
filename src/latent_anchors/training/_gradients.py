"""One training step's gradients as a pure function, for one run or for all of them at once."""

import warnings
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple, TypeAlias, cast

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad_and_value
from torch.utils.hooks import RemovableHandle
from typing_extensions import override

from latent_anchors._sites import layers_of
from latent_anchors.data import LabeledBatch
from latent_anchors.training._backends import Backend, run_by
from latent_anchors.training._losses import OneRun
from latent_anchors.training._replaying import Arguments, Outcome, Pure, Replaying, Tensors
from latent_anchors.training._tidying import tidy
from latent_anchors.training._tracing import outside_of, trace
from latent_anchors.training._watching import Watched

UNTRACED = 6
"""Steps that take as long without a trace as it takes to make one: it pays for some more."""


class Step(NamedTuple):
    """Gradients by name, and each part's mean and label mass ``(parts, ...)``."""

    gradients: Tensors
    means: Tensor
    masses: Tensor


LOST = "None of the inputs have requires_grad"

Gradients: TypeAlias = Callable[[Tensors, Tensors, LabeledBatch, Tensor], Step]
"""Parameters, buffers, batch and weights ``(tracks, ...)`` to a step."""


class _Whole(nn.Module):
    """A step as one forward pass, backward included: what is computed again there needs the model.

    Checkpoints do so, and have to find the run's own tensors in it.
    """

    def __init__(self, model: nn.Module, total: Callable[..., Any]) -> None:
        super().__init__()
        self.model, self.total = model, total

    @override
    def forward(self, arguments: Arguments) -> tuple[Tensor, Tensor]:
        total, parts = self.total(*arguments)
        if total.requires_grad:
            total.backward()
        return parts


def of_one_run(watched: Watched, tracks: Sequence[str]) -> Gradients:
    """Gradients of a single run, whose tensors have no axis of runs."""
    whole = _Whole(watched.model, _total(watched, tracks))

    def gradients(
        parameters: Tensors, buffers: Tensors, batch: LabeledBatch, weights: Tensor
    ) -> Step:
        arguments = _arguments(parameters, buffers, batch, weights)
        tensors = {f"model.{name}": each for name, each in {**parameters, **buffers}.items()}
        for parameter in parameters.values():
            parameter.grad = None
        with torch.enable_grad(), _no_gradient_lost():
            parts = functional_call(whole, tensors, (arguments,))
        return _step((_taken(parameters), (parts[0], parts)))

    return gradients


@contextmanager
def _no_gradient_lost() -> Generator[None]:
    """Torch only warns when a checkpoint cuts off what comes before it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("error", LOST)
        try:
            yield
        except UserWarning as warning:
            raise RuntimeError(
                f"A checkpoint in the model loses gradients ({warning}). Use "
                "checkpoint(..., use_reentrant=False)."
            ) from warning


def _taken(parameters: Tensors) -> Tensors:
    """What a backward pass left; zeros where nothing depended on a parameter."""
    return {
        name: torch.zeros_like(each) if each.grad is None else each.grad
        for name, each in parameters.items()
    }


class OfAllRuns:
    """Gradients of all runs at once, vmapped, and soon traced, once for each shape of batch.

    The trace runs the same operations without Python in between, bit by bit the same. In a
    training of many ``steps`` it is made at the second; else, and for batches of another shape,
    when it would have been worth it; a ``backend`` runs it.
    """

    def __init__(
        self,
        watched: Watched,
        tracks: Sequence[str],
        steps: int = 0,
        backend: Backend = "eager",
    ) -> None:
        pure = grad_and_value(_total(watched, tracks), has_aux=True)
        self.replaying = Replaying(
            cast("Pure", torch.vmap(pure, in_dims=(0, 0, 0, 0, 0, 1))),
            lambda arguments: _traced(self.replaying.step, arguments, backend),
            watched,
            2 if steps >= 2 * UNTRACED else UNTRACED,
            UNTRACED,
            partial(_told_where, watched.model, backend),
        )

    def __call__(
        self, parameters: Tensors, buffers: Tensors, batch: LabeledBatch, weights: Tensor
    ) -> Step:
        arguments = _arguments(parameters, buffers, batch, weights)
        with torch.no_grad():
            return _step(self.replaying(_shapes(batch), arguments))


def _traced(pure: Pure, arguments: Arguments, backend: Backend) -> tuple[Pure, list[Tensor], bool]:
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


@contextmanager
def _told_where(model: nn.Module, backend: Backend = "eager") -> Generator[None]:
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
        plainly = "" if backend == "eager" else f" Leave backend={backend!r} out there."
        raise RuntimeError(
            f"The runs cannot be stepped together because of {where}: {error} {notes} "
            f"Use execution='in_turn', which trains one run after another.{plainly}"
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
    watched: Watched, tracks: Sequence[str]
) -> Callable[..., tuple[Tensor, tuple[Tensor, Tensor]]]:
    """One run's total and, beside it, each part's mean and label mass."""
    model, objective, losses = watched.model, watched.objective, watched.losses

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
) -> Arguments:
    labels, extras = dict(batch.labels), dict(batch.extras)
    return parameters, buffers, batch.inputs, labels, extras, weights


def _step(outcome: Outcome) -> Step:
    gradients, (_, (means, masses)) = outcome
    # parts first, then runs where there are any
    return Step(gradients, means.movedim(-1, 0), masses.movedim(-1, 0))
