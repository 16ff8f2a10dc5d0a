"""FX graph passes on a traced step: constant folding, no-op and common-subexpression removal."""

from inspect import isfunction, isroutine
from operator import getitem
from typing import Any, cast

import torch
from torch import Tag, Tensor, fx

aten = torch.ops.aten

MADE = {
    *(aten.scalar_tensor.default, aten.eye.default, aten.lift_fresh_copy.default),
    *(aten.arange.default, aten.arange.start, aten.arange.start_step),
    *(aten.ones.default, aten.zeros.default, aten.full.default),
}
"""What gives the same at each step."""

LIKE = {aten.ones_like.default: torch.ones, aten.zeros_like.default: torch.zeros}
"""What does so too, since shapes and types stay, and what makes it from these."""

VIEWS = {aten._unsafe_view.default, getitem}
"""What shares its input's memory without saying so."""

READING = {Tag.core, Tag.pointwise, getattr(Tag, "reduction", Tag.core)}
"""Tags of what only reads its inputs; older versions of torch have none for reductions."""

READERS = {*MADE, *LIKE, aten.stack.default, aten.tril.default}
"""What only reads its inputs, without a tag that says so."""

SHAPED = {aten.view.default, aten._unsafe_view.default, aten.expand.default}
SWAPPED = {aten.transpose.int, aten.t.default}
MULTIPLIED = {aten.mul.Tensor, aten.mul.Scalar}


def tidy(traced: fx.GraphModule) -> None:
    """Fold constants, skip no-ops, merge equal operations, and bind what is left to fast calls.

    What is drawn by chance or may be written stays as it is. A tensor from outside, such as a
    penalty's direction, may be written between steps, and is no constant.
    """
    free = _free(traced.graph)
    ones = _fold(traced, free)
    _skip(traced.graph, free, ones)
    _merge(traced.graph, free)
    # what was replaced, and such as the decoder's, where a loss looks at the latents alone
    traced.graph.eliminate_dead_code()
    for node in traced.graph.nodes:
        node.target = _bound(node)
    traced.recompile()


def _free(graph: fx.Graph) -> set[fx.Node]:
    """What is neither drawn by chance nor in memory that may be written."""
    owners: dict[fx.Node, fx.Node] = {}
    written: set[fx.Node] = set()
    for node in graph.nodes:
        inputs = node.all_input_nodes
        reads, views = _manners(node)
        owners[node] = owners[inputs[0]] if inputs and (views or not reads) else node
        written |= set() if reads else {owners[each] for each in inputs}
    chance = {node for node in graph.nodes if Tag.nondeterministic_seeded in _tags(node)}
    return {node for node in graph.nodes if owners[node] not in written} - chance


def _manners(node: fx.Node) -> tuple[bool, bool]:
    """Whether it only reads its inputs, and whether it shares the first one's memory."""
    if node.op != "call_function":
        return True, False
    operation = cast("Any", node.target)
    views = operation in VIEWS or operation.is_view
    tagged = not READING.isdisjoint(_tags(node))
    reads = operation in READERS or views or (tagged and not operation._schema.is_mutable)
    return reads, views


def _tags(node: fx.Node) -> set[Tag]:
    return set(getattr(node.target, "tags", ()))


def _fold(traced: fx.GraphModule, free: set[fx.Node]) -> set[fx.Node]:
    """Compute now what is the same at each step; which of that is 1 everywhere."""
    constants: dict[fx.Node, Tensor] = {}
    for node in [*traced.graph.nodes]:
        value = _constant(node, constants, traced) if node in free else None
        if value is not None:
            kept = _kept(node, value, constants, traced)
            constants[kept] = value
            free.add(kept)
            node.replace_all_uses_with(kept)
    return {node for node, value in constants.items() if bool((value == 1).all())}


def _constant(
    node: fx.Node, constants: dict[fx.Node, Tensor], traced: fx.GraphModule
) -> Tensor | None:
    inputs, operation = node.all_input_nodes, cast("Any", node.target)
    if operation in LIKE:
        like = node.meta["kind"]
        return LIKE[operation](like.shape, dtype=like.dtype, device=like.device)
    derived = node.op == "call_function" and inputs and all(each in constants for each in inputs)
    if operation not in MADE and not derived:
        return None
    args = fx.map_arg(
        node.args,
        lambda each: constants[each] if each in constants else getattr(traced, str(each.target)),
    )
    value = operation(*cast("tuple[Any, ...]", args), **node.kwargs)
    return value if isinstance(value, Tensor) else None


def _kept(
    node: fx.Node, value: Tensor, constants: dict[fx.Node, Tensor], traced: fx.GraphModule
) -> fx.Node:
    """Where the trace keeps a constant: one place for all that are alike."""
    for place, kept in constants.items():
        alike = kept.dtype == value.dtype and kept.stride() == value.stride()
        if alike and torch.equal(kept, value):
            return place
    name = f"constant_{len(constants)}"
    traced.register_buffer(name, value)
    with traced.graph.inserting_before(node):
        return traced.graph.get_attr(name)


def _skip(graph: fx.Graph, free: set[fx.Node], ones: set[fx.Node]) -> None:
    """Go past what changes nothing."""
    for node in [*graph.nodes]:
        if node not in free:
            continue
        same = _unchanged(node, ones)
        if same in free:
            node.replace_all_uses_with(same)
        elif node.target in SHAPED - {aten.expand.default}:
            node.target = aten.reshape.default  # its input may have other strides now


def _unchanged(node: fx.Node, ones: set[fx.Node]) -> fx.Node | None:
    """The input that an operation gives back as it was."""
    operation, args = node.target, cast("list[Any]", [*node.args, None, None])
    first, other = args[:2]
    if operation in MULTIPLIED or operation is aten.pow.Tensor_Scalar:
        if first in ones:
            first, other = other, first
        same = other in ones or other == 1
    elif operation in SWAPPED:
        same = first.target is operation and first.args[1:] == node.args[1:]
        first = first.args[0] if same else first
    elif operation is aten.permute.default:
        same = [*other] == sorted(other)
    else:
        same = operation in SHAPED or operation is aten.detach.default
    return first if same and isinstance(first, fx.Node) and _alike(node, first) else None


def _alike(node: fx.Node, other: fx.Node) -> bool:
    here, there = (each.meta.get("kind") for each in (node, other))
    return here is not None and here == there


def _merge(graph: fx.Graph, free: set[fx.Node]) -> None:
    """Do the same only once."""
    done: dict[object, fx.Node] = {}
    for node in [*graph.nodes]:
        if node not in free or not free.issuperset(node.all_input_nodes):
            continue
        if node.op in ("call_function", "get_attr"):
            first = done.setdefault((node.target, repr(node.args), repr(node.kwargs)), node)
            if first is not node:
                node.replace_all_uses_with(first)


def _bound(node: fx.Node) -> Any:
    """Python's own binding of an operation, which is called in two thirds of the time."""
    operation = cast("Any", node.target)
    if node.op != "call_function" or operation.__module__ != "torch._ops.aten":
        return operation
    name = operation.overloadpacket.__name__
    bindings = (getattr(place, name, None) for place in (torch, Tensor))
    return next(
        (bound for bound in bindings if isroutine(bound) and not isfunction(bound)), operation
    )
