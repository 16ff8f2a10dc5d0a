"""What a function does with tensors, written down once: done again without Python in between."""

from collections.abc import Callable, MutableMapping, Sequence
from operator import getitem
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, fx
from torch.fx.node import map_aggregate
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.weak import WeakTensorKeyDictionary
from typing_extensions import override

aten = torch.ops.aten


class Kind(NamedTuple):
    """What is known of a value before it is there; each node's ``meta`` holds it."""

    shape: torch.Size
    dtype: torch.dtype
    device: torch.device


def trace(function: Callable[..., Sequence[Tensor]], inputs: Sequence[Tensor]) -> fx.GraphModule:
    """The operations that a function does with tensors, as they reach the kernels.

    Nothing but these is done again: what Python computed on the way stays as it was, and so do
    shapes. Torch's own ``make_fx`` writes down the same and takes nine times as long, since it
    makes a fake tensor for each value.
    """
    recorder = _Recorder()
    for index, tensor in enumerate(inputs):
        recorder.note(tensor, recorder.graph.placeholder(f"input_{index}"))
    with recorder:
        outputs = function(*inputs)
    recorder.graph.output([recorder.node_of(tensor) for tensor in outputs])
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
