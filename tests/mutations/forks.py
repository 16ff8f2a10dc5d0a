"""Work in forked processes: torch and its like are imported once, our package in each anew."""

import ast
import contextlib
import importlib
import json
import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mutations.rooms import ROOT, SOURCE, TESTS

MEMORY = 12 * 2**30
"""Address space that a mutant may ask for, before the machine runs out of it."""

OPTIONS = ("-q", "-p", "no:cacheprovider", "--tb=no", "--hypothesis-seed=0")
IMPORTED_BEFORE = ("-W", "ignore::pytest.PytestAssertRewriteWarning")


class TimedOutError(Exception):
    """A child that took too long; it has been ended."""


def prepare() -> None:
    """Import what is not ours, and make ours importable from this checkout."""
    os.chdir(ROOT)
    os.environ.setdefault("MPLBACKEND", "agg")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.path.insert(0, str(SOURCE.parent))
    ours = {SOURCE.name, *(path.stem for path in TESTS.iterdir())}
    for name in sorted(_imported([*SOURCE.rglob("*.py"), *TESTS.rglob("*.py")])):
        if name.split(".")[0] not in ours:
            with contextlib.suppress(Exception):
                importlib.import_module(name)


def _imported(paths: list[Path]) -> set[str]:
    nodes = [node for path in paths for node in ast.walk(ast.parse(path.read_text()))]
    plain = {a.name for node in nodes if isinstance(node, ast.Import) for a in node.names}
    return plain | {n.module for n in nodes if isinstance(n, ast.ImportFrom) and n.module}


def forked(work: Callable[[], Any], limit: float = float("inf")) -> Any:
    """What the work returns in a process of its own; None if the process broke down."""
    out, into = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(out)
        _alone(work, into)
    os.close(into)
    try:
        _wait(child, limit)
        with open(out, closefd=False) as answers:
            said = answers.read()
    finally:
        os.close(out)
    return json.loads(said) if said else None


def _alone(work: Callable[[], Any], into: int) -> None:
    """The child's whole life: answers must fit into a pipe, so they are short."""
    try:
        os.setsid()
        if "MUTATIONS_ALOUD" not in os.environ:
            nothing = os.open(os.devnull, os.O_RDWR)
            for stream in (0, 1, 2):
                os.dup2(nothing, stream)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        os.write(into, json.dumps(work()).encode())
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(0)


def _wait(child: int, limit: float) -> None:
    end = time.monotonic() + limit
    while not os.waitpid(child, os.WNOHANG)[0]:
        if time.monotonic() > end:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            raise TimedOutError
        time.sleep(0.01)


def run_pytest(files: list[Path], plugin: object, scratch: str) -> int:
    """With the project's own options, shape checks included."""
    import pytest

    paths = [str(path.relative_to(ROOT)) for path in files]
    options = [*OPTIONS, *IMPORTED_BEFORE, f"--basetemp={scratch}"]
    return int(pytest.main([*options, *paths], plugins=[plugin]))
