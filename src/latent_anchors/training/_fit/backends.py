"""Backends that run a traced step: torch's operations one by one, its compiler, a CUDA graph."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, cast, get_args
from warnings import warn

import torch
from torch import Tensor, fx

from latent_anchors._checks import check_name

Backend: TypeAlias = Literal["eager", "compiled", "cuda_graph"]

_Run: TypeAlias = Callable[..., Sequence[Tensor]]


def check_backend(backend: str, execution: str, device: torch.device) -> None:
    """Refuse an unknown backend, and one that does not fit the execution or the device."""
    check_name("backend", backend, get_args(Backend))
    if backend != "eager" and execution != "vmap":
        raise ValueError(
            f"backend={backend!r} was given with execution={execution!r}; expected it with "
            "execution='vmap'. To train one run after another, compile layers of the model."
        )
    if backend == "cuda_graph" and device.type != "cuda":
        raise ValueError(
            f"backend='cuda_graph' was given and the models are on {device}; expected a GPU. "
            "Give device='cuda'."
        )


def run_by(
    backend: Backend, step: fx.GraphModule, held: Sequence[Tensor], passed: Sequence[Tensor]
) -> _Run:
    """A step of some tensors that are always the same ones, and of others."""
    if backend == "eager":
        return step.forward
    aside = [tensor.clone() for tensor in held]  # trials must not count in running averages
    if backend == "compiled":
        return _compiled_if_possible(step, [*aside, *passed])
    _warm_up(step, [*aside, *passed])
    return _captured(step, held, [tensor.clone() for tensor in passed])


def _compiled_if_possible(step: fx.GraphModule, given: Sequence[Tensor]) -> _Run:
    """The step compiled, tried on some arguments; as it is, with a warning, where that fails."""
    made = torch.compile(step, fullgraph=True, dynamic=False)
    try:
        made(*given)
    except RuntimeError as error:
        reason = " ".join(str(error).split("\n")[:2])  # what failed, and why
        warn(
            f"The training goes on without compiling, since this failed: {reason} Install a C++ "
            "compiler, or leave backend='compiled' out.",
            RuntimeWarning,
            stacklevel=2,
        )
        return step.forward
    return cast("_Run", made)


def _warm_up(step: fx.GraphModule, given: Sequence[Tensor]) -> None:
    """Run the step a few times, so that nothing is initialized while it is captured."""
    aside = cast("Any", torch.cuda.Stream())
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):
        for _ in range(3):
            step(*given)
    torch.cuda.current_stream().wait_stream(aside)


def _captured(step: fx.GraphModule, held: Sequence[Tensor], places: Sequence[Tensor]) -> _Run:
    """The step as one launch, which overwrites its results each time."""
    graph = torch.cuda.CUDAGraph()
    try:
        with torch.cuda.graph(graph):
            outputs: list[Tensor] = list(step(*held, *places))
    except RuntimeError as error:
        raise RuntimeError(
            f"The step cannot be captured as a CUDA graph: {error} Put every tensor that a loss or "
            "penalty holds on the GPU, or leave backend='cuda_graph' out."
        ) from error
    return _Replay(graph, step, held, places, outputs)


@dataclass(frozen=True, eq=False)
class _Replay:
    """A captured step, and all memory that it reads, which the graph itself does not keep."""

    graph: torch.cuda.CUDAGraph
    step: fx.GraphModule
    """For its constants"""
    held: Sequence[Tensor]
    places: Sequence[Tensor]
    outputs: Sequence[Tensor]

    def __call__(self, *arguments: Tensor) -> Sequence[Tensor]:
        for place, tensor in zip(self.places, arguments[len(self.held) :], strict=True):
            place.copy_(tensor)
        self.graph.replay()
        return self.outputs
