"""Chunks of pairs, and what both hand-written gradients over pairs share."""

from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor

from latent_anchors._checks import check_count

WHOLE = 1024
"""Up to so many members all pairs are made at once, and kept for the backward pass."""

CHUNK = 128
"""Beyond, so many members at a time. Measured at 2,048 to 16,384 members of 4 and 64 dimensions:
64 to 256 are alike, fewer cost calls, more leave the processor's cache."""


def check_chunk(chunk: int | None) -> None:
    """Refuse what is neither left open nor a whole number of members."""
    if chunk is not None:
        check_count("chunk", chunk)


def members_at_once(n: int, chunk: int | None) -> int:
    """The chunk, or what is documented where it is left open."""
    check_chunk(chunk)
    return chunk or (n if n <= WHOLE else CHUNK)


def chunks(n: int, at_once: int) -> Iterator[tuple[int, int, int]]:
    """First member, how many, and how many are left from it on: each pair stands in one chunk."""
    for first in range(0, n, at_once):
        yield first, min(at_once, n - first), n - first


def mean_over_others(
    sums: Float[Tensor, "*batch n"], counted: Float[Tensor, "*batch n"] | None
) -> Float[Tensor, "*batch n"]:
    """Each member's sum over the others, divided by how many of them count; alone, as it is."""
    if counted is None:
        return sums / max(sums.shape[-1] - 1, 1)
    return sums / (counted.sum(-1, keepdim=True) - 1).clamp_min(1)


def check_once(gradient: Tensor | None) -> None:
    """Refuse, in a backward pass, a gradient for an output that nobody but that pass has used.

    ``once_differentiable`` would let a second derivative through that lacks a part of it.
    """
    # a compiler fills in zeros, and refuses second derivatives itself
    if gradient is not None and not torch.compiler.is_compiling():
        raise RuntimeError(
            "Separation was differentiated twice; expected once, since its gradient is written "
            "out by hand. Leave the term out of what is differentiated again."
        )
