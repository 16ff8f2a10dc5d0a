"""One training step as a pure function: the gradients of one run, or of all runs at once."""

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

from latent_anchors._runs import call_with
from latent_anchors._sites import has_second_names, layers_of
from latent_anchors.data import LabeledBatch
from latent_anchors.training._fit.replay import Replaying
from latent_anchors.training._fit.trace import (
    Arguments,
    Backend,
    Outcome,
    Outside,
    Pure,
    Tensors,
    traced_step,
)
from latent_anchors.training._losses.forward import OneRun
from latent_anchors.training._python_state.watched import Watched


@contextmanager
def naming_the_layer(model: nn.Module, backend: Backend = "eager") -> Generator[None]:
    """Errors in the block name the layer that was running, and say what to do."""
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
            f"Use execution='sequential', which trains one run after another.{plainly}"
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
    def forward(
        self, arguments: Arguments, sought: Sequence[Tensor]
    ) -> tuple[tuple[Tensor, Tensor], list[Tensor | None]]:
        total, parts = self.total(*arguments)
        if not total.requires_grad:
            return parts, [None for _ in sought]
        # of these alone: inputs and other models may ask for gradients, which are not ours to make
        return parts, list(torch.autograd.grad(total, sought, allow_unused=True))


def of_one_run(watched: Watched, tracks: Sequence[str]) -> Gradients:
    """Gradients of a single run, whose tensors have no axis of runs."""
    whole = _Whole(watched.model, _total(watched, tracks))
    # asked once, and not at each step
    lent = call_with if has_second_names(whole) else functional_call

    def gradients(
        parameters: Tensors, buffers: Tensors, batch: LabeledBatch, weights: Tensor
    ) -> Step:
        arguments = (parameters, buffers, batch, weights)
        tensors = {f"model.{name}": each for name, each in {**parameters, **buffers}.items()}
        with torch.enable_grad(), _no_gradient_lost():
            parts, found = lent(whole, tensors, (arguments, [*parameters.values()]))
        return _step((_filled(parameters, found), (parts[0], parts)))

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


def _filled(parameters: Tensors, found: Sequence[Tensor | None]) -> Tensors:
    """Gradients by name; zeros where nothing depended on a parameter."""
    return {
        name: torch.zeros_like(each) if gradient is None else gradient
        for (name, each), gradient in zip(parameters.items(), found, strict=True)
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
        self.backend: Backend = backend
        pure = grad_and_value(_total(watched, tracks), has_aux=True)
        self.replaying = Replaying(
            cast("Pure", torch.vmap(pure, in_dims=(0, 0, 0, 1))),
            self._traced,
            watched,
            2 if steps >= 2 * UNTRACED else UNTRACED,
            UNTRACED,
            partial(naming_the_layer, watched.model, backend),
        )

    def _traced(self, arguments: Arguments) -> tuple[Pure, Outside]:
        return traced_step(self.replaying.step, arguments, self.backend)

    def __call__(
        self, parameters: Tensors, buffers: Tensors, batch: LabeledBatch, weights: Tensor
    ) -> Step:
        named = [*batch.labels.items(), *batch.extras.items()]
        shapes = (batch.inputs.shape, *((name, tensor.shape) for name, tensor in named))
        with torch.no_grad():
            return _step(self.replaying(shapes, (parameters, buffers, batch, weights)))


def _total(
    watched: Watched, tracks: Sequence[str]
) -> Callable[..., tuple[Tensor, tuple[Tensor, Tensor]]]:
    """One run's total and, beside it, each part's mean and label mass."""
    model, objective, losses = watched.model, watched.objective, watched.losses

    def total(
        parameters: Tensors, buffers: Tensors, batch: LabeledBatch, weights: Tensor
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        row = dict(zip(tracks, weights.unbind(0), strict=True))
        forward = OneRun(model, {**parameters, **buffers}, objective.sites, row)
        _, latents = forward(batch.inputs)
        values = {name: loss(forward, batch) for name, loss in losses.items()}
        parts = objective(latents, batch.labels, row, batch.extras, look="never", **values)
        means = torch.stack([part.mean for part in parts.values()])
        masses = torch.stack([part.mass for part in parts.values()])
        return parts.total, (means.detach(), masses.detach())

    return total


def _step(outcome: Outcome) -> Step:
    gradients, (_, (means, masses)) = outcome
    # parts first, then runs where there are any
    return Step(gradients, means.movedim(-1, 0), masses.movedim(-1, 0))
