"""Weights like those of a stream that the example did not reach, such as idle experts."""

import re
from collections.abc import Mapping

from latent_anchors._checks import listed
from latent_anchors.interventions._surgery._stream.graph import Graph, Value

ADAPTED = ("lora_", ".original_module.", ".modules_to_save.")
"""In names of weights that PEFT puts in, or beside others."""

BESIDE = r"\.(original_module|modules_to_save\.[^.]+)(?=\.)"
"""What it puts into the name of a weight of which it keeps two."""


def idle_siblings(graph: Graph, axes: Mapping[str, int]) -> str:
    """Refuses weights like those found that the example did not reach, such as idle experts.

    Also those of the same width in the same numbered block, such as cross attention, and
    embeddings beside one that was found.

    Args:
        graph: The operations.
        axes: For each tensor that was found, the axis of the channels.
    """
    alike = {_kind(name) for name in axes}
    blocks = {block for name in axes for block in _blocks(name)}
    tables = {_beside(name) for name in axes if name in graph.tables}
    widths = {graph.leaves[name].shape[axis] for name, axis in axes.items()}

    def missed(name: str, leaf: Value) -> bool:
        if _kind(name) in alike:
            return True
        near_by = not blocks.isdisjoint(_blocks(name))
        near_by = near_by or (name in graph.tables and _beside(name) in tables)
        matrix = leaf.kind == "parameter" and len(leaf.shape) > 1
        return near_by and matrix and not widths.isdisjoint(leaf.shape)

    idle = [name for name, x in graph.leaves.items() if not x.users and missed(name, x)]
    if not idle:
        return ""
    return (
        f"Of the weights like those of the stream, {listed(idle[:6])} were not used on the "
        f"example; {_advice(idle)}"
    )


def _advice(idle: list[str]) -> str:
    if any(part in name for name in idle for part in ADAPTED):
        return (
            "expected no adapter that is merged, inactive or switched off. Write "
            "merge_and_unload() first."
        )
    return (
        "expected one that reaches all of them. Pass a longer one, or more arguments by name: "
        "example=..."
    )


def _kind(name: str) -> str:
    """A name without numbers of layers, and as it was before PEFT put a copy beside the weight."""
    return re.sub(r"\d+", "*", re.sub(BESIDE, "", name))


def _blocks(name: str) -> list[str]:
    """The numbered layers that a parameter lies in, such as ``layers.0``."""
    parts = name.split(".")
    return [".".join(parts[: k + 1]) for k, part in enumerate(parts) if part.isdigit()]


def _beside(name: str) -> str:
    """The layer that holds the layer that owns a parameter."""
    return name.rpartition(".")[0].rpartition(".")[0]
