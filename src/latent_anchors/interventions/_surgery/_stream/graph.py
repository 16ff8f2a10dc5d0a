"""Record the operations of one forward pass as a graph of values.

A value is what a tensor held at one time: an operation in place makes a new value of the same
tensor, and of those that share its memory. Shapes and strides are kept, numbers are not.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map
from torch.utils.weak import WeakIdKeyDictionary
from typing_extensions import override

from latent_anchors._sites import layers_of
from latent_anchors.interventions._surgery.plain_layers import FLOATS


class Value:
    """What one tensor held at one time, and the operation that made it, if one did.

    ``kind`` is ``"parameter"``, ``"buffer"``, ``"unsaved parameter"``, ``"unsaved buffer"``,
    ``"made"`` by an operation, or ``"given"``: an input, or a constant.
    """

    def __init__(
        self, tensor: Tensor, kind: str, node: "Node | None" = None, name: str = ""
    ) -> None:
        self.node, self.kind, self.name = node, kind, name
        self.boolean = tensor.dtype is torch.bool
        self.floating = tensor.dtype in FLOATS
        self.shape, self.stride = tuple(tensor.shape), tuple(tensor.stride())
        self.users: list[Node] = []

    def constant(self, axis: int) -> bool:
        """Whether all numbers along an axis are the same one."""
        return self.shape[axis] == 1 or self.stride[axis] == 0


class Node:
    """One operation: its name, and its arguments with values in place of tensors."""

    def __init__(self, op: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        self.op, self.args, self.kwargs = op, args, kwargs
        self.outputs: list[Value] = []
        for value in self.inputs():
            value.users.append(self)

    def inputs(self) -> Iterator[Value]:
        """The values among the arguments, those in lists included."""
        yield from _within([*self.args, *self.kwargs.values()], Value)

    def argument(self, index: int, name: str, default: Any = None) -> Any:
        """An argument by position or by name."""
        return self.args[index] if index < len(self.args) else self.kwargs.get(name, default)

    def with_argument(self, old: Value, new: Value) -> "Node":
        """The same operation on a later value."""

        def later(x: Any) -> Any:
            return new if x is old else x

        args, kwargs = tree_map(later, (self.args, self.kwargs))
        return Node(self.op, args, kwargs)


WRITTEN_THROUGH = "write through a view"
"""The operation that changes a tensor in place by way of one that shares its memory."""


class Graph(TorchDispatchMode):
    """Records the operations of a model while it is active."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.nodes: list[Node] = []
        self.leaves: dict[str, Value] = {}
        self.tensors: dict[str, Tensor] = {}
        self._held: Any = WeakIdKeyDictionary()
        # for each tensor that shares memory: the one it was made of, that one's value, slot, node
        self._views: Any = WeakIdKeyDictionary()
        self._addresses: dict[object, Value] = {}
        layers = layers_of(model).items()
        self.tables: set[str] = {
            f"{path}.weight" for path, layer in layers if isinstance(layer, nn.Embedding)
        }
        for kind, name, tensor in _named_tensors(model):
            self.tensors[name] = tensor
            self.leaves[name] = self._held[tensor] = Value(tensor, kind, name=name)
            self._addresses[_address(tensor)] = self.leaves[name]

    def value(self, tensor: Tensor) -> Value:
        """What a tensor holds now."""
        if tensor in self._views:
            self._refresh(tensor)
        if tensor not in self._held:  # `.data` of a parameter leaves no other trace
            known = self._addresses.get(_address(tensor))
            self._held[tensor] = known or Value(tensor, "given")
        return cast("Value", self._held[tensor])

    @override
    def __torch_dispatch__(
        self,
        func: Any,
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> object:
        given = dict(kwargs or {})
        with self:
            whole = func.decompose(*args, **given)
        if whole is not NotImplemented:
            return whole
        valued = tree_map(self._valued, (args, given))
        node = Node(func._schema.name.removeprefix("aten::").rstrip("_"), *valued)
        self.nodes.append(node)
        result = func(*args, **given)
        self._remember(func._schema, node, args, given, result)
        return result

    def _valued(self, x: object) -> object:
        return self.value(x) if isinstance(x, Tensor) else x

    def _remember(
        self,
        schema: Any,
        node: Node,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        result: object,
    ) -> None:
        """New values for the results, and for what shares memory with a tensor that was changed."""
        results = list(_within([result], Tensor))
        shared = _with_alias(schema, args, kwargs)
        before = {id(t): self.value(t) for t, _ in shared}
        for slot, tensor in enumerate(results):
            value = Value(tensor, "made", node)
            node.outputs.append(value)
            self._held[tensor] = value
            if (
                shared
                and not shared[0][1]
                and _returns_views(schema)
                and tensor is not shared[0][0]
            ):
                self._views[tensor] = [shared[0][0], before[id(shared[0][0])], slot, node]
        returned = {id(tensor) for tensor in results}
        for tensor, written in shared:
            if written and id(tensor) not in returned:  # as operations do that return nothing
                self._held[tensor] = Value(tensor, "made", node)
                node.outputs.append(self._held[tensor])
            if written:
                self._write_through(tensor)

    def _refresh(self, view: Tensor) -> None:
        """Make a view's value anew if what it was made of has changed since."""
        base, seen, slot, node = self._views[view]
        now = self.value(base)
        if now is not seen:
            later = node.with_argument(seen, now)
            self._held[view] = Value(view, "made", later)
            later.outputs = [self._held[view]] * (slot + 1)
            self._views[view] = [base, now, slot, later]

    def _write_through(self, view: Tensor) -> None:
        """Give new values to what a changed tensor was made of."""
        if view in self._views:
            base, seen, slot, node = self._views[view]
            later = Node(WRITTEN_THROUGH, [self.value(base), self._held[view], node], {})
            self._held[base] = Value(base, "made", later)
            later.outputs = [self._held[base]]
            self._views[view] = [
                base,
                self._held[base],
                slot,
                node.with_argument(seen, self._held[base]),
            ]
            self._write_through(base)


def _within(parts: Sequence[object], kind: type) -> Iterator[Any]:
    """The parts of a kind, those in nested lists included."""
    for part in parts:
        if isinstance(part, kind):
            yield part
        elif isinstance(part, list | tuple):
            yield from _within(cast("Sequence[object]", part), kind)


def _with_alias(
    schema: Any, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> list[tuple[Tensor, bool]]:
    """The arguments whose memory a result shares, and whether it is written to."""
    found: list[tuple[Tensor, bool]] = []
    for index, formal in enumerate(schema.arguments):
        given = args[index] if index < len(args) else kwargs.get(formal.name)
        if formal.alias_info is not None:
            found += [(t, formal.alias_info.is_write) for t in _within([given], Tensor)]
    return found


def _returns_views(schema: Any) -> bool:
    return any(made.alias_info is not None for made in schema.returns)


def _named_tensors(model: nn.Module) -> Iterator[tuple[str, str, Tensor]]:
    made_anew = _made_anew(model)
    for name, parameter in model.named_parameters():
        yield "unsaved parameter" if name in made_anew else "parameter", name, parameter
    for path, layer in layers_of(model).items():
        for name, buffer in layer.named_buffers(recurse=False):
            saved = name not in layer._non_persistent_buffers_set  # pyright: ignore[reportPrivateUsage] -- torch has no other way to ask
            full = f"{path}.{name}" if path else name
            yield "buffer" if saved else "unsaved buffer", full, buffer


def _made_anew(model: nn.Module) -> set[str]:
    """Parameters that transformers leaves out when it saves, such as sinusoids."""
    return {
        f"{path}.{name}" if path else name
        for path, layer in layers_of(model).items()
        for name in getattr(layer, "_keys_to_ignore_on_save", None) or ()
    }


def _address(tensor: Tensor) -> object:
    return tensor.data_ptr(), tuple(tensor.shape), tensor.stride(), tensor.dtype
