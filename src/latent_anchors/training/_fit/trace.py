"""Record the tensor operations of a function once, and repeat them without Python in between."""

from collections.abc import Callable, MutableMapping, Sequence
from operator import getitem
from typing import Any, NamedTuple, TypeAlias, cast

import torch
from torch import Tensor, fx
from torch.fx.node import map_aggregate
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.weak import WeakTensorKeyDictionary
from typing_extensions import override

from latent_anchors.data import LabeledBatch
from latent_anchors.training._fit.backends import Backend, run_by
from latent_anchors.training._fit.fx_passes import tidy

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


def outside_of(traced: fx.GraphModule) -> tuple[list[Tensor], bool]:
    """The tensors that a trace looks up outside, and whether Python made a number of any."""
    nodes = traced.graph.nodes
    places = [str(node.target) for node in nodes if node.op == "get_attr"]
    numbers = any(node.target is aten._local_scalar_dense.default for node in nodes)
    return [getattr(traced, place) for place in dict.fromkeys(places)], numbers


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


def traced_step(
    pure: Pure, arguments: Arguments, backend: Backend
) -> tuple[Pure, list[Tensor], bool]:
    """The operations of one step, tidied, for parameters and buffers that stay in their places.

    Beside them the tensors from outside, and whether Python made a number of any.
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

    return step, *outside
