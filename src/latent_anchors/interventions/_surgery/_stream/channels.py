"""Where an operation's channels come from: which of its arguments, along which axes.

The operations listed here treat all channels alike: the result's component along any direction is
a sum of those of the sources. If no source has one, neither has the result.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from math import prod
from typing import TypeAlias, cast

from latent_anchors.interventions._surgery._stream.graph import WRITTEN_THROUGH, Node, Value

Source: TypeAlias = tuple[Value, int]
"""A value, and the axis of its channels, from 0."""

Sources: TypeAlias = list[Source] | str
"""The sources; or why there are none, as what the operation does."""

Rule: TypeAlias = Callable[[Node, Value, int], Sources]

PART = "takes or changes only some of the channels, or mixes them"
SAME = "writes the same number into all channels"
ONE_BY_ONE = "scales each channel by itself"
MORE = "does more than add up and scale latents"


def sources(node: Node, value: Value, axis: int) -> Sources:
    """The values whose components along any direction add up to those of an output of a node."""
    rule = RULES.get(node.op)
    rounded = not value.floating or node.kwargs.get("rounding_mode") is not None
    return MORE if rule is None or rounded else rule(node, value, axis)


def joined(several: Iterable[Sources]) -> Sources:
    """The sources of several arguments, or the first reason why there are none."""
    whole: list[Source] = []
    for each in several:
        if isinstance(each, str):
            return each
        whole += each
    return whole


def broadcast(given: object, value: Value, axis: int) -> Sources:
    """One operand of an addition."""
    if not isinstance(given, Value):
        return [] if given in (None, 0) else SAME
    own = axis - (len(value.shape) - len(given.shape))
    if own < 0 or given.shape[own] == 1 != value.shape[axis]:
        return SAME
    return [(given, own)]


def varies(given: object, value: Value, axis: int) -> bool:
    """Whether an operand that is broadcast differs from channel to channel."""
    if not isinstance(given, Value):
        return False
    own = axis - (len(value.shape) - len(given.shape))
    return own >= 0 and not given.constant(own)


def operands(*which: int) -> Rule:
    """A sum of arguments, each broadcast."""
    return lambda node, value, axis: joined(broadcast(node.args[k], value, axis) for k in which)


def _first(node: Node, _value: Value, axis: int) -> Sources:
    return [(node.args[0], axis)]


def _scaled(node: Node, value: Value, axis: int) -> Sources:
    one, other = node.args[:2]
    if not varies(other, value, axis):
        return broadcast(one, value, axis)
    alike = node.op == "mul" and not varies(one, value, axis)
    return broadcast(other, value, axis) if alike else ONE_BY_ONE


def _matrix(first: int) -> Rule:
    """A matrix product of an argument and the next one; a bias comes before them."""

    def rule(node: Node, value: Value, axis: int) -> Sources:
        behind = len(value.shape) - 1 - axis
        if behind > 1:
            return PART
        factor: Value = node.args[first + (behind == 0)]
        bias = (broadcast(each, value, axis) for each in node.args[:first])
        return joined([[(factor, len(factor.shape) - 1 - behind)], *bias])

    return rule


def _convolution(node: Node, _value: Value, axis: int) -> Sources:
    weight, bias, transposed, groups = (node.args[k] for k in (1, 2, 6, 8))
    if axis != 1 or (transposed and groups != 1):
        return PART
    if groups != 1:  # each group of channels is made of other inputs
        return ONE_BY_ONE
    return [(weight, int(transposed)), *([] if bias is None else [(bias, 0)])]


def _embedding(node: Node, value: Value, axis: int) -> Sources:
    return [(node.args[0], 1)] if axis == len(value.shape) - 1 else PART


def _reshaped(node: Node, value: Value, axis: int) -> Sources:
    given: Value = node.args[0]
    if not isinstance(node.args[1], list | tuple):  # the same memory as another type
        return MORE
    for own, size in enumerate(given.shape):
        if size == value.shape[axis] and prod(given.shape[own:]) == prod(value.shape[axis:]):
            return [(given, own)]
    return PART


def _permuted(node: Node, value: Value, axis: int) -> Sources:
    return [(node.args[0], node.args[1][axis] % len(value.shape))]


def _transposed(node: Node, value: Value, axis: int) -> Sources:
    one, other = (d % len(value.shape) for d in (node.args[1:3] or (0, -1)))
    return [(node.args[0], {one: other, other: one}.get(axis, axis))]


def _dims(node: Node, index: int, name: str, count: int, default: object = 0) -> set[int]:
    """The axes that an argument names, from 0; all of them for None or none."""
    dims = node.argument(index, name, default)
    several = [dims] if isinstance(dims, int) else [*(dims or range(count))]
    return {dim % count for dim in several}


def along(index: int, name: str = "dim", parts: Sequence[int] = (0,)) -> Rule:
    """An operation along axes other than that of the channels; its parts have the same axes."""

    def rule(node: Node, value: Value, axis: int) -> Sources:
        whole = [part for k in parts for part in _several(node.args[k])]
        count = len(value.shape)
        untouched = axis not in _dims(node, index, name, count)
        return [(part, axis) for part in whole] if untouched else PART

    return rule


def _several(given: object) -> list[Value]:
    return cast("list[Value]", [given] if isinstance(given, Value) else given)


def _sliced(node: Node, value: Value, axis: int) -> Sources:
    given: Value = node.args[0]
    return [(given, axis)] if given.shape[axis] == value.shape[axis] else PART


def _selected(node: Node, value: Value, axis: int) -> Sources:
    """One axis fewer than before."""
    (gone,) = _dims(node, 1, "dim", len(value.shape) + 1)
    return [(node.args[0], axis + (axis >= gone))]


def _new_axis(node: Node, value: Value, axis: int) -> Sources:
    """One axis more than before, for one value or several."""
    (new,) = _dims(node, 1, "dim", len(value.shape))
    return PART if axis == new else [(x, axis - (axis > new)) for x in _several(node.args[0])]


def _squeezed(node: Node, _value: Value, axis: int) -> Sources:
    given: Value = node.args[0]
    named = _dims(node, 1, "dim", len(given.shape), None)
    kept = [d for d, size in enumerate(given.shape) if d not in named or size != 1]
    return [(given, kept[axis])]


def _reduced(node: Node, _value: Value, axis: int) -> Sources:
    """A sum or mean over other axes."""
    given: Value = node.args[0]
    gone = _dims(node, 1, "dim", len(given.shape), None)
    kept = [d for d in range(len(given.shape)) if d not in gone]
    own = axis if node.argument(2, "keepdim", False) else kept[axis]
    return PART if own in gone else [(given, own)]


def _axes_before(given: Value, indices: Sequence[Value | None]) -> list[int | None]:
    """For each axis of an indexed tensor, the one it was before; None for axes of the indices."""
    spans = [1 if x is None or not x.boolean else len(x.shape) for x in indices]
    starts = [sum(spans[:k]) for k in range(len(spans))]
    used = [k for k, x in enumerate(indices) if x is not None]
    rest = [*(starts[k] for k, x in enumerate(indices) if x is None)]
    rest += range(sum(spans), len(given.shape))
    together = used == list(range(used[0], used[-1] + 1))
    ahead = [k for k in rest if together and k < starts[used[0]]]
    wide = max(1 if x.boolean else len(x.shape) for x in indices if x is not None)
    return [*ahead, *[None] * wide, *[k for k in rest if k not in ahead]]


def _indexed(node: Node, _value: Value, axis: int) -> Sources:
    own = _axes_before(node.args[0], node.args[1])[axis]
    return PART if own is None else [(node.args[0], own)]


def _put(node: Node, _value: Value, axis: int) -> Sources:
    given, indices, new = node.args[:3]
    axes = _axes_before(given, indices)
    if axis not in axes:
        return PART
    own = axes.index(axis) - (len(axes) - len(new.shape))
    alike = own >= 0 and new.shape[own] == given.shape[axis]
    return [(given, axis), (new, own)] if alike else SAME


def _chosen(mask: int, *which: int) -> Rule:
    """A choice between arguments, or their mean, by what is the same for all channels."""

    def rule(node: Node, value: Value, axis: int) -> Sources:
        by_channel = varies(node.args[mask], value, axis)
        return ONE_BY_ONE if by_channel else operands(*which)(node, value, axis)

    return rule


def _pooled(node: Node, value: Value, axis: int) -> Sources:
    return [(node.args[0], axis)] if axis < len(value.shape) - 2 else PART


def _padded(node: Node, value: Value, axis: int) -> Sources:
    same = node.argument(2, "value", 0) == 0
    return _sliced(node, value, axis) if same else SAME


def _normalized(node: Node, _value: Value, axis: int) -> Sources:
    """Division by a length, without weights."""
    return [(node.args[0], axis)] if node.argument(2, "weight") is None else ONE_BY_ONE


def _written_through(node: Node, _value: Value, axis: int) -> Sources:
    """The rest of a tensor, and the part of it that was written."""
    old, part, view = node.args
    for own in range(len(part.shape)):
        before = sources(view, part, own)
        if not isinstance(before, str) and any(at == axis for _, at in before):
            return [(old, axis), (part, own)]
    return PART


def _rules(rule: Rule, *names: str) -> Iterator[tuple[str, Rule]]:
    return ((name, rule) for name in names)


FACTORS = {
    **dict.fromkeys(["mm", "bmm", "_grouped_mm", "transformers::grouped_mm_fallback"], 0),
    **dict.fromkeys(["addmm", "baddbmm"], 1),
}
"""Where the two factors of a product begin among the arguments; a bias comes before them."""

RULES: dict[str, Rule] = dict(
    [
        *((name, _matrix(first)) for name, first in FACTORS.items()),
        *_rules(_first, "clone", "detach", "alias", "_to_copy", "lift_fresh", "neg"),
        *_rules(operands(), "zeros", "zeros_like", "new_zeros", "zero"),
        *_rules(operands(0, 1), "add", "sub"),
        *_rules(operands(1), "copy", "fill"),
        *_rules(_scaled, "mul", "div"),
        *_rules(_convolution, "convolution"),
        *_rules(_embedding, "embedding"),
        *_rules(_reshaped, "view", "_unsafe_view", "_reshape_alias"),
        *_rules(_permuted, "permute"),
        *_rules(_transposed, "transpose", "t"),
        *_rules(operands(0), "expand"),
        *_rules(_new_axis, "unsqueeze", "stack"),
        *_rules(_squeezed, "squeeze"),
        *_rules(_selected, "select", "unbind"),
        *_rules(_sliced, "slice", "split", "split_with_sizes"),
        *_rules(along(1), "cat", "index_select", "cumsum"),
        *_rules(along(1, "dim", [0, 3]), "index_add"),
        *_rules(along(1, "dims"), "flip"),
        *_rules(along(2, "dims"), "roll"),
        *_rules(_reduced, "sum", "mean"),
        *_rules(_indexed, "index"),
        *_rules(_put, "index_put"),
        *_rules(_chosen(0, 1, 2), "where"),
        *_rules(_chosen(1, 0, 2), "masked_fill"),
        *_rules(_chosen(2, 0, 1), "lerp"),
        *_rules(_pooled, "avg_pool2d", "_adaptive_avg_pool2d"),
        *_rules(_padded, "constant_pad_nd"),
        *_rules(_normalized, "_fused_rms_norm"),
        *_rules(_written_through, WRITTEN_THROUGH),
    ]
)


def onward(node: Node, value: Value, axis: int) -> list[Source]:
    """Where a value's channels go: the outputs of a node, with their axes."""
    return [
        (output, own)
        for output in node.outputs
        for own in range(len(output.shape))
        if not isinstance(before := sources(node, output, own), str) and (value, axis) in before
    ]


def contracted(node: Node, value: Value) -> int | None:
    """The axis of a value that a product sums over; None for other operations."""
    first = FACTORS.get(node.op)
    if first is None or value not in node.args[first:]:
        return None
    return len(value.shape) - (1 if node.args[first] is value else 2)


def other_factor(node: Node, value: Value) -> Source:
    """What a value is multiplied by, and the axis that is summed over."""
    first = FACTORS[node.op]
    one, other = node.args[first : first + 2]
    return (other, len(other.shape) - 2) if one is value else (one, len(one.shape) - 1)
