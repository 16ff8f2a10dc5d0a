"""A step's tensor operations, recorded once and repeated: as they are, compiled, or captured."""

from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import dataclass
from operator import getitem
from typing import Any, Literal, NamedTuple, TypeAlias, cast, get_args
from warnings import warn

import torch
from torch import Tensor, fx
from torch.fx.node import map_aggregate
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.weak import WeakTensorKeyDictionary
from typing_extensions import override

from latent_anchors._checks import check_name
from latent_anchors.data import LabeledBatch
from latent_anchors.training._fit.fx_passes import tidy

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


aten = torch.ops.aten

Tensors: TypeAlias = dict[str, Tensor]
Arguments: TypeAlias = tuple[Tensors, Tensors, LabeledBatch, Tensor]
"""Parameters, buffers, batch and weights."""
Outcome: TypeAlias = tuple[Tensors, tuple[Tensor, tuple[Tensor, Tensor]]]
"""Gradients; the total; each part's mean and mass."""
Pure: TypeAlias = Callable[..., Outcome]


class Kind(NamedTuple):
    """What is known of a value before it is there; each node's ``meta`` holds it."""

    shape: torch.Size
    dtype: torch.dtype
    device: torch.device


def trace(function: Callable[..., object], inputs: Sequence[object]) -> fx.GraphModule:
    """The operations that a function does with tensors, as they reach the kernels.

    Inputs and outputs are trees of tensors; the graph takes and returns their leaves. Only the
    operations are repeated: what Python computed is constant, and so are shapes. Torch's own
    ``make_fx`` records the same in nine times the time, as it makes a fake tensor for each value.
    """
    recorder = _Recorder()
    for index, tensor in enumerate(tree_leaves(inputs)):
        recorder.note(tensor, recorder.graph.placeholder(f"input_{index}"))
    with recorder:
        outputs = function(*inputs)
    recorder.graph.output([recorder.node_of(tensor) for tensor in tree_leaves(outputs)])
    return fx.GraphModule(recorder.outside, recorder.graph)


class Outside(NamedTuple):
    """What a trace takes from outside: tensors, and whether Python made a number of any."""

    tensors: list[Tensor]
    numbers: bool


def outside_of(traced: fx.GraphModule) -> Outside:
    """What a trace takes from outside its inputs."""
    nodes = traced.graph.nodes
    places = [str(node.target) for node in nodes if node.op == "get_attr"]
    numbers = any(node.target is aten._local_scalar_dense.default for node in nodes)
    return Outside([getattr(traced, place) for place in dict.fromkeys(places)], numbers)


class _Recorder(TorchDispatchMode):
    """A graph that grows by each operation that is done."""

    def __init__(self) -> None:
        super().__init__()
        self.graph = fx.Graph()
        self.outside: dict[str, Tensor] = {}
        # by identity, and no longer than a tensor lives: all of a step's would be too many
        self._nodes: MutableMapping[Tensor, fx.Node] = WeakTensorKeyDictionary()

    @override
    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> object:
        given = kwargs or {}
        nodes = self._in_nodes(args), self._in_nodes(given)
        # a literal tensor may be written, and is to be as new each time
        done = aten.lift_fresh_copy.default if func is aten.lift_fresh.default else func
        outcome: object = done(*args, **given)
        node = self.graph.call_function(done, *nodes)
        if isinstance(outcome, Tensor):
            self.note(outcome, node)
        elif isinstance(outcome, (list, tuple)):
            for index, part in enumerate(cast("Sequence[object]", outcome)):
                if isinstance(part, Tensor):
                    self.note(part, self.graph.call_function(getitem, (node, index)))
        return cast("object", outcome)

    def note(self, tensor: Tensor, node: fx.Node) -> None:
        """Know a tensor as a node's value."""
        node.meta["kind"] = Kind(tensor.shape, tensor.dtype, tensor.device)
        self._nodes[tensor] = node

    def node_of(self, tensor: Tensor) -> fx.Node:
        """The node of a tensor; one from outside is looked up again at each step."""
        if tensor not in self._nodes:
            name = f"outside_{len(self.outside)}"
            self.outside[name] = tensor
            self.note(tensor, self.graph.get_attr(name))
        return self._nodes[tensor]

    def _in_nodes(self, arguments: Any) -> Any:
        return map_aggregate(
            arguments, lambda each: self.node_of(each) if isinstance(each, Tensor) else each
        )


def traced_step(pure: Pure, arguments: Arguments, backend: Backend) -> tuple[Pure, Outside]:
    """The operations of one step, tidied, for parameters and buffers that stay in their places.

    Beside them what they take from outside.
    """
    parameters, buffers, *passed = arguments
    # tracing runs the step, which must not count twice in running averages
    aside = {name: buffer.clone() for name, buffer in buffers.items()}
    traced = trace(pure, (parameters, aside, *passed))
    outside = outside_of(traced)
    tidy(traced)
    held = [*parameters.values(), *buffers.values()]
    forward = run_by(backend, traced, held, tree_leaves(passed))

    def step(_: Tensors, __: Tensors, *passed: Any) -> Outcome:
        *gradients, total, means, masses = forward(*held, *tree_leaves(passed))
        return dict(zip(parameters, gradients, strict=True)), (total, (means, masses))

    return step, outside
