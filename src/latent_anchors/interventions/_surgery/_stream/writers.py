"""The weights that write into the latents at some sites, however early in the pass."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from latent_anchors.interventions._surgery._stream.channels import (
    ONE_BY_ONE,
    SAME,
    Source,
    Sources,
    broadcast,
    contracted,
    joined,
    onward,
    sources,
)
from latent_anchors.interventions._surgery._stream.graph import Node, Value
from latent_anchors.interventions._surgery._stream.idle_weights import idle_siblings
from latent_anchors.interventions._surgery._stream.traced_pass import Trace

EDIT_INSTEAD = "Or use an edit: intervene(model, edit, at=...)."

ACTIVATIONS = {"relu", "gelu", "silu", "tanh", "leaky_relu", "elu", "mish", "hardswish"}
"""Operations that change each channel by itself, and keep 0."""

KEEPING_ZERO = ACTIVATIONS | {"max_pool2d_with_indices"}

BATCH_NORMS = {"native_batch_norm", "_native_batch_norm_legit_no_training", "cudnn_batch_norm"}

NORMS = {"native_layer_norm", *BATCH_NORMS}

PRODUCTS = {"mm", "bmm", "addmm", "baddbmm", "convolution"}
"""Operations whose second source is a bias."""

RESHAPED = {"view", "_unsafe_view", "permute", "transpose", "t", "expand", "unsqueeze", "squeeze"}

PARTS = {"select", "slice", "split", "split_with_sizes", "unbind", "index", "index_select"}

VIEWS = {"clone", "detach", "alias", "_to_copy"} | RESHAPED | PARTS
"""Operations after which a tensor still holds nothing but a parameter's numbers."""


class Writer(NamedTuple):
    """A tensor that writes, the axis of its channels from the end, and how it is silenced.

    ``off`` is None for what a direction is projected out of; for a factor of each channel it is the
    value at which nothing comes through.
    """

    name: str
    axis: int
    off: float | None = None


class Writers:
    """What writes into the latents, found backwards from the seeds.

    Attributes:
        found: The tensors that write, by name.
        one_by_one: What changes each channel by itself on the way, so that only directions along
            axes can be removed; empty if nothing does.
        tied: Embeddings whose weights another layer reads latents with.
        summed: Whether something is added up on the way, other than a bias.
        refusal: Why these weights cannot be changed; empty if they can.
    """

    def __init__(self, trace: Trace, where: str) -> None:
        self.found: dict[str, Writer] = {}
        self.one_by_one: list[str] = []
        self.tied: list[str] = []
        self.summed: bool = False
        self.refusal: str = ""
        self._where = where
        self._needed: dict[Value, set[int]] = {}
        pending = [source for found in trace.latents.values() for source in found]
        while pending:
            value, axis = pending.pop()
            if axis not in self._needed.setdefault(value, set()):
                self._needed[value].add(axis)
                pending += self._behind(value, axis)
        for name, writer in self.found.items():
            self._check_uses(trace.graph.leaves[name], writer)
        self.refusal = self.refusal or idle_siblings(
            trace.graph, {name: each.axis for name, each in self.found.items()}
        )

    def _behind(self, value: Value, axis: int) -> list[Source]:
        """What must lose the direction so that a value does; a tensor that writes is noted."""
        if value.node is None:
            self._note(value, Writer(value.name, axis - len(value.shape)))
            return []
        behind = sources(value.node, value, axis)
        if isinstance(behind, str):
            behind = self._one_by_one(value.node, value, axis, behind)
        if isinstance(behind, str):
            self.summed |= behind == SAME
            self._refuse(
                f"The latents at {self._where} come from {value.node.op!r}{near(value)}, which "
                f"{behind}; expected sums of what layers, embeddings and norms write."
            )
            return []
        self.summed |= value.node.op not in {*PRODUCTS, *NORMS} and len(behind) > 1
        return behind

    def _refuse(self, why: str) -> None:
        """Remember the first thing that is in the way."""
        self.refusal = self.refusal or f"{why} {EDIT_INSTEAD}"

    def _note(self, value: Value, writer: Writer) -> None:
        if value.kind not in {"parameter", "buffer"}:
            what = value.name or "an input or a constant"
            self._refuse(
                f"The latents at {self._where} are sums with {what!r} of shape {value.shape}, "
                "which is not saved with the model; expected sums of what its weights write."
            )
        elif not value.floating:
            self._refuse(
                f"{value.name!r}, which writes into the latents at {self._where}, is packed; "
                "expected floating-point numbers. Unpack the weights first."
            )
        elif self.found.setdefault(value.name, writer) != writer:
            self._refuse(
                f"{value.name!r} writes into the latents at {self._where} in two ways, such as "
                "along two axes, or as a factor and a summand; expected one."
            )

    def _one_by_one(self, node: Node, value: Value, axis: int, reason: str) -> Sources:
        """Operations that change each channel by itself, under which axes stay axes."""
        if node.op in KEEPING_ZERO:
            self.one_by_one.append(f"{node.op!r}{near(value)}")
            return [(node.args[0], axis)]
        if node.op == "convolution" and reason == ONE_BY_ONE:
            self.one_by_one.append(f"the groups of {node.op!r}{near(value)}")
            weight, bias = node.args[1:3]
            return [(weight, 0), *([] if bias is None else [(bias, 0)])]
        factor = factor_of(node, value, axis)
        if factor is None:
            return reason
        *made_of_it, leaf = factor.chain
        self._note(leaf, factor.writer)
        self.one_by_one.append(repr(leaf.name))
        self._needed |= {each: {0} for each in made_of_it}
        bias = node.argument(3 if node.op == "native_layer_norm" else 2, "bias")
        return [(bias, 0)] if isinstance(bias, Value) and node.op in NORMS else []

    def _check_uses(self, leaf: Value, writer: Writer) -> None:
        """Refuse a tensor that is used for something else, too, but for tied unembeddings."""
        for node, value, own in uses(leaf, len(leaf.shape) + writer.axis, self._covers):
            if contracted(node, value) == own:
                self.tied.append(leaf.name)
                continue
            self._refuse(
                f"{leaf.name!r} writes into the latents at {self._where}, and is also used by "
                f"{node.op!r} elsewhere; expected weights of these latents alone. Name all sites "
                "that it writes into, those of every stack."
            )

    def _covers(self, node: Node) -> bool:
        return any(output in self._needed for output in node.outputs)


class Factor(NamedTuple):
    """What scales each channel: the values that a factor is computed of, a tensor last."""

    chain: list[Value]
    writer: Writer


def factor_of(node: Node, value: Value, axis: int) -> Factor | None:
    """The tensor that scales each channel, and how it is silenced."""
    if node.op == "mul":
        candidates = joined(broadcast(given, value, axis) for given in node.args[:2])
    else:
        candidates = _weight_of_norm(node, axis - len(value.shape))
    if isinstance(candidates, str):
        return None
    found = (_silenced(given, own) for given, own in candidates)
    return next((each for each in found if each is not None), None)


def _weight_of_norm(node: Node, axis: int) -> list[Source]:
    """A norm's weight if it scales the channels along an axis, counted from the end."""
    if node.op in BATCH_NORMS:
        given = node.args[1] if axis + len(node.outputs[0].shape) == 1 else None
    elif node.op in {"native_layer_norm", "_fused_rms_norm"}:
        given = node.argument(2, "weight") if axis == -1 and len(node.args[1]) == 1 else None
    else:
        given = None
    return [(given, 0)] if isinstance(given, Value) else []


def _silenced(value: Value, axis: int) -> Factor | None:
    """The parameter that a factor is computed from, and the value at which the factor is 0."""
    off, chain = 0.0, [value]
    while value.node is not None:
        op, number = value.node.op, value.node.argument(1, "other")
        if op in {"add", "mul"} and isinstance(number, int | float) and number:
            added = number * value.node.argument(2, "alpha", 1)
            off = off - added if op == "add" else off / number
            value = value.node.args[0]
        elif op in VIEWS and not isinstance(behind := sources(value.node, value, axis), str):
            value, axis = behind[0]
        else:
            return None
        chain.append(value)
    named = value.kind in {"parameter", "buffer"}
    return Factor(chain, Writer(value.name, axis - len(value.shape), off)) if named else None


def origin(value: Value, axis: int) -> Source | None:
    """The parameter or buffer whose numbers a value holds, if it holds nothing else."""
    while value.node is not None:
        behind = sources(value.node, value, axis) if value.node.op in VIEWS else ""
        if isinstance(behind, str):
            return None
        value, axis = behind[0]
    return (value, axis) if value.kind in {"parameter", "buffer"} else None


def uses(
    leaf: Value, axis: int, covered: Callable[[Node], bool]
) -> Iterator[tuple[Node, Value, int]]:
    """The operations that use a tensor for something else than the latents."""
    pending = [(leaf, axis)]
    while pending:
        value, own = pending.pop()
        for node in value.users:
            if covered(node):
                continue
            further = onward(node, value, own) if node.op in VIEWS else []
            pending += further
            if not further:
                yield node, value, own


def near(value: Value) -> str:
    """Which parameter is nearest behind a value, for messages."""
    pending, seen = [value], set[Value]()
    while pending:
        each = pending.pop(0)
        if each.name:
            return f" after {each.name!r}"
        if each.node is not None and each not in seen:
            seen.add(each)
            pending += each.node.inputs()
    return ""
