"""The weights that read the latents at some sites, however late in the pass."""

from typing import NamedTuple, TypeAlias

from latent_anchors.interventions._surgery._stream.channels import (
    Source,
    contracted,
    onward,
    other_factor,
)
from latent_anchors.interventions._surgery._stream.graph import Node, Value
from latent_anchors.interventions._surgery._stream.idle_weights import idle_siblings
from latent_anchors.interventions._surgery._stream.traced_pass import Trace
from latent_anchors.interventions._surgery._stream.writers import (
    EDIT_INSTEAD,
    Writer,
    factor_of,
    near,
    origin,
    uses,
)

Factors: TypeAlias = tuple[Writer, ...]
"""What scales each channel between the latents and a reader, as norms' weights do."""

Carried: TypeAlias = tuple[Value, int, Factors]
"""A value that holds the latents, the axis of their channels, and what scales them by now."""

REDUCED = {"mean", "sum", "var", "var_mean", "std", "linalg_vector_norm", "norm"}
"""Operations that make one number of all channels, by which a norm divides."""

POINTWISE = {
    "pow",
    "mul",
    "abs",
    "add",
    "clamp_min",
    "threshold",
    "sqrt",
    "rsqrt",
    "reciprocal",
    "unsqueeze",
    "_to_copy",
}
"""What a norm does before and after that."""

SCALING = {"mul", "div", "add", "sub"}


class Reader(NamedTuple):
    """A tensor that reads, the axis of the channels that it reads, from the end, and factors."""

    name: str
    axis: int
    factors: Factors = ()


class Readers:
    """What reads the latents, found forwards from the sites.

    Attributes:
        found: The tensors that read, by name.
        refusal: Why these weights cannot be changed; empty if they can.
    """

    def __init__(self, trace: Trace, where: str, written: frozenset[str]) -> None:
        self.found: dict[str, Reader] = {}
        self.refusal: str = ""
        self._where, self._outputs = where, trace.outputs
        self._reading: set[Node] = set()
        self._carried: dict[Value, set[tuple[int, Factors]]] = {}
        pending: list[Carried] = [(*s, ()) for found in trace.latents.values() for s in found]
        while pending:
            value, axis, factors = pending.pop()
            known = self._carried.setdefault(value, set())
            if (axis, factors) not in known:
                known.add((axis, factors))
                pending += self._ahead(value, axis, factors)
        if not self.found:
            self._refuse("are read by no weights", next(iter(trace.latents.values()))[0][0])
        for reader in self.found.values():
            if reader.name not in written:
                self._check_uses(trace.graph.leaves[reader.name], reader)
        self.refusal = self.refusal or idle_siblings(
            trace.graph, {name: each.axis for name, each in self.found.items()}
        )

    def _ahead(self, value: Value, axis: int, factors: Factors) -> list[Carried]:
        """Where the latents go from a value."""
        if value in self._outputs:
            self._refuse("reach the output of the model itself", value)
        found: list[Carried] = []
        for node in dict.fromkeys(value.users):
            found += self._through(node, value, axis, factors)
        return found

    def _through(self, node: Node, value: Value, axis: int, factors: Factors) -> list[Carried]:
        """Where the latents go through one operation; a tensor that reads is noted."""
        further = onward(node, value, axis) or _centered(node, value, axis)
        if further:
            return [(output, own, factors) for output, own in further]
        if _reads(node, value, axis):
            self._read(node, value, factors)
            return []
        whole = node.outputs[0]
        factor = factor_of(node, whole, axis) if whole.shape == value.shape else None
        if factor is not None:
            return [(whole, axis, (*factors, factor.writer))]
        if not self._for_a_norm(node, value):
            self._refuse(f"are read by {node.op!r}", whole)
        return []

    def _refuse(self, what: str, value: Value) -> None:
        self.refusal = self.refusal or (
            f"The latents at {self._where} {what}{near(value)}; expected linear layers to read "
            f"them, behind norms. Choose side='writing'. {EDIT_INSTEAD}"
        )

    def _read(self, node: Node, value: Value, factors: Factors) -> None:
        weight, own = (node.args[1], 1) if node.op == "convolution" else other_factor(node, value)
        leaf = origin(weight, own)
        if leaf is None:
            self._refuse(f"are multiplied by other values in {node.op!r}", node.outputs[0])
            return
        self._reading.add(node)
        tensor, axis = leaf
        reader = Reader(tensor.name, axis - len(tensor.shape), factors)
        if self.found.setdefault(tensor.name, reader) != reader:
            self._refuse(f"are read by {tensor.name!r} in two ways", tensor)

    def _for_a_norm(self, node: Node, value: Value) -> bool:
        """Whether all that is made of the latents is numbers by which a norm divides them."""
        pending = [(node, value, False)]
        while pending:
            node, given, reduced = pending.pop()
            others = {each for each in node.inputs() if each is not given}
            if reduced and others and node.op in SCALING and others <= self._carried.keys():
                continue
            if others or node.op not in REDUCED | POINTWISE:
                return False
            reduced = reduced or node.op in REDUCED
            pending += [(user, made, reduced) for made in node.outputs for user in made.users]
        return True

    def _check_uses(self, leaf: Value, reader: Reader) -> None:
        own = len(leaf.shape) + reader.axis
        for node, value, _ in uses(leaf, own, lambda node: node in self._reading):
            self._refuse(f"are read by {leaf.name!r}, which {node.op!r} uses elsewhere", value)


def _centered(node: Node, value: Value, axis: int) -> list[Source]:
    """Latents from which one number is taken in all channels, as their mean."""
    whole = node.outputs[0]
    own = axis + len(whole.shape) - len(value.shape)
    moved = node.op in {"add", "sub"} and whole.shape[own] == value.shape[axis] != 1
    bare = node.op == "native_layer_norm" and node.argument(2, "weight") is None
    return [(whole, own)] if moved or bare else []


def _reads(node: Node, value: Value, axis: int) -> bool:
    """Whether a product or convolution sums over the channels of a value."""
    if node.op == "convolution":
        return axis == 1 and node.args[0] is value and not node.args[6] and node.args[8] == 1
    return contracted(node, value) == axis
