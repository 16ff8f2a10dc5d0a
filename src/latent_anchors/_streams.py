"""Random draws: a pure function of the seed, the stream's name and the block of steps.

Streams never overlap, data do not depend on labels, nothing needs saving to resume, and a run
sees the same numbers alone, among sixty and on any device.
"""

from collections.abc import Generator
from contextlib import contextmanager
from hashlib import blake2b
from operator import index
from typing import SupportsIndex, cast

import torch

BLOCK = 100
"""Steps drawn at a time: part of what a seed means, so it never changes."""


def mixed(seed: int, stream: str, block: int = 0) -> int:
    """63 bits that depend on every bit of the seed, the stream and the block."""
    digest = blake2b(f"{whole_seed(seed)}/{stream}/{block}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def whole_seed(seed: object) -> int:
    """A seed of any whole type; 1.0 or True would be another seed than 1, though equal to it."""
    try:
        return int(index(cast("SupportsIndex", seed)))
    except TypeError:
        raise TypeError(
            f"The seed is {seed!r} of type {type(seed).__name__}; expected a whole number. Write "
            "int(seed)."
        ) from None


def stream(seed: int, name: str, block: int = 0) -> torch.Generator:
    """A generator on the CPU, at the beginning of a block of a stream."""
    return torch.Generator().manual_seed(mixed(seed, name, block))


@contextmanager
def seeded(seed: int, name: str, block: int = 0) -> Generator[None]:
    """The global generator under a run's own seed; put back afterwards."""
    with torch.random.fork_rng():
        torch.manual_seed(mixed(seed, name, block))
        yield
