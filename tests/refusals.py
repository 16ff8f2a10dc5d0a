"""`refuses`: an error is expected, its message matched, and the line that raised it remembered."""

import ast
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from jaxtyping import config

import latent_anchors

SOURCE = Path(latent_anchors.__file__).parent
reached: set[tuple[str, int]] = set()


@contextmanager
def unchecked() -> Iterator[None]:
    """Shape checks are off in the block, as they are for users."""
    config.update("jaxtyping_disable", True)
    try:
        yield
    finally:
        config.update("jaxtyping_disable", False)


@contextmanager
def refuses(error: type[Exception], match: str) -> Iterator[None]:
    """The block must raise `error` with a matching message.

    Shape checks are off within: they would refuse first, in words that users never see.
    """
    with unchecked(), pytest.raises(error, match=match) as caught:
        yield
    frames = [frame for frame in traceback.extract_tb(caught.tb) if is_ours(frame.filename)]
    if frames:
        reached.add((frames[-1].filename, frames[-1].lineno or 0))


def is_ours(filename: str) -> bool:
    return Path(filename).is_relative_to(SOURCE)


def raises_in_source() -> Iterator[tuple[str, int, int]]:
    """File, first and last line of every `raise` with a message of our own."""
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Raise) and node.exc is not None:
                yield str(path), node.lineno, node.end_lineno or node.lineno


def unreached() -> list[str]:
    return [
        f"{Path(path).relative_to(SOURCE)}:{first}"
        for path, first, last in raises_in_source()
        if not any(file == path and first <= line <= last for file, line in reached)
    ]
