"""One thread, reproducible hypotheses, figures without a screen, and the refusals counted last."""

import gc
import importlib
import os
from pathlib import Path

os.environ.setdefault("MPLBACKEND", "agg")

import jaxtyping
import pytest
import torch
from hypothesis import settings
from shape_checks import checked

jaxtyping.jaxtyped = checked  # what the import hook decorates with

torch.set_num_threads(1)
settings.register_profile("suite", deadline=None, derandomize=True, max_examples=50)
settings.load_profile("suite")

LAST = "test_refusals.py"
WHOLE = pytest.StashKey[bool]()


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def pytest_configure(config: pytest.Config) -> None:
    """What the whole suite needs, in one of several processes.

    Imported by a module whose shapes are checked, it would look for its byte code under another
    name, and be compiled anew.
    """
    if "PYTEST_XDIST_WORKER" in os.environ and config.option.markexpr != "compiled":
        for name in ("colour", "lightning", "matplotlib.pyplot", "peft", "transformers.trainer"):
            importlib.import_module(name)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With `-m compiled`, only files that name the mark are imported: few do."""
    if config.option.markexpr != "compiled" or collection_path.suffix != ".py":
        return None
    return "mark.compiled" not in collection_path.read_text() or None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The count of refusals comes last, and only when everything before it runs."""
    items.sort(key=lambda item: item.path.name == LAST)
    here = Path(__file__).parent
    apart = {here / "benchmarks", here / "evidence"}
    every_file = {path for path in here.rglob("test_*.py") if path.parent not in apart}
    every_file -= {path for path in every_file if "compiled" in path.name}
    missing = every_file - {item.path for item in items}
    whole = not missing and not config.option.keyword
    if hasattr(config, "workeroutput"):  # one of several processes: what each reached counts
        config.workeroutput["whole"] = whole
    if not whole or hasattr(config, "workeroutput"):
        items[:] = [item for item in items if item.path.name != LAST]


def pytest_collection_finish(session: pytest.Session) -> None:
    """Spare every later garbage collection what the imports made: they are most of its time."""
    if session.config.option.markexpr != "compiled":  # there, what was compiled has to be found
        gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node) -> None:
    """Gather what one of several processes reached."""
    from refusals import reached  # not sooner: the shape checks come before the library

    output = getattr(node, "workeroutput", {})
    reached.update((name, line) for name, line in output.get("reached", ()))
    node.config.stash[WHOLE] = output.get("whole", False)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """The count of refusals, where several processes ran the suite."""
    from refusals import reached, unreached

    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["reached"] = sorted(reached)
    elif session.config.stash.get(WHOLE, False) and unreached():
        print(f"\nFAILED {LAST}: no test reaches {unreached()}")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
