"""Which tests run which lines; kept by test file, until it or the package changes."""

import json
import sys
import tempfile
import threading
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest
from mutations.forks import forked, run_pytest
from mutations.rooms import ROOT, SOURCE, TESTS

KEPT = ROOT / "results" / "mutations" / "lines"

CACHED = ("@cache", "@lru_cache", "@functools.cache")
"""Signs of a test file in which one test runs lines for others."""

Lines = dict[str, list[int]]
"""Lines of each file of the package."""


class Watch:
    """A trace function that keeps the lines of our package, and forgets all others."""

    def __init__(self) -> None:
        self._left: dict[CodeType, set[int]] = {}

    def __call__(self, frame: FrameType, _event: str, _arg: object) -> Any:
        code = frame.f_code
        if not code.co_filename.startswith(str(SOURCE)):
            return None
        if code not in self._left:
            self._left[code] = _lines(code)
        left = self._left[code]
        left.discard(frame.f_lineno)
        return self if left else None  # all of it was seen; the next call is free

    def start(self) -> None:
        self._left = {}
        threading.settrace(self)
        sys.settrace(self)

    def stop(self) -> Lines:
        sys.settrace(None)
        threading.settrace(None)
        seen: dict[str, set[int]] = {}
        for code, left in self._left.items():
            file = str(Path(code.co_filename).relative_to(SOURCE))
            seen.setdefault(file, set()).update(_lines(code) - left)
        return {file: sorted(lines) for file, lines in seen.items()}


def _lines(code: CodeType) -> set[int]:
    return {line for _, _, line in code.co_lines() if line}


class Watching:
    """The plugin that watches each test, and what sets fixtures up for several."""

    def __init__(self) -> None:
        self.watch = Watch()
        self.found: dict[str, dict[str, dict[str, Any]]] = {}
        self._shared: dict[tuple[str, str], Lines] = {}
        self._failed: set[str] = set()
        self._seconds: dict[str, float] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[Any]:
        self._apart: list[Lines] = []
        self.watch.start()
        done = yield
        lines = self.watch.stop()
        names = getattr(item, "fixturenames", ())
        shared = [self._shared.get((str(item.path), name), {}) for name in names]
        tests = self.found.setdefault(str(item.path.relative_to(ROOT)), {})
        tests[item.nodeid] = {
            "lines": _together([lines, *self._apart, *shared]),
            "seconds": self._seconds.get(item.nodeid, 0.0),
            "passed": item.nodeid not in self._failed,
        }
        return done

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any, request: Any) -> Iterator[Any]:
        if fixturedef.scope == "function":
            return (yield)
        self._apart.append(self.watch.stop())
        self.watch.start()
        done = yield
        name = (str(request.node.path), fixturedef.argname)
        self._shared[name] = self.watch.stop()
        self._apart.append(self._shared[name])
        self.watch.start()
        return done

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        seconds = self._seconds.get(report.nodeid, 0.0)
        self._seconds[report.nodeid] = seconds + report.duration
        if report.failed:
            self._failed.add(report.nodeid)


def _together(every: list[Lines]) -> Lines:
    files = {file for lines in every for file in lines}
    return {
        file: sorted({line for lines in every for line in lines.get(file, ())}) for file in files
    }


def watched(files: list[Path]) -> dict[str, dict[str, Any]]:
    """The tests of these files: the lines that they run, their seconds, whether they pass."""
    around = _digest([*SOURCE.rglob("*.py"), *_helpers()])
    kept = {path: KEPT / f"{_digest([path], around)}.json" for path in files}
    stale = [path for path in files if not kept[path].exists()]
    if stale:
        KEPT.mkdir(parents=True, exist_ok=True)
        forked(lambda: _watch(stale, kept))
    if missing := [path.name for path in files if not kept[path].exists()]:
        raise RuntimeError(f"Watching {missing} broke down; MUTATIONS_ALOUD=1 shows why.")
    return {
        name: test for path in files for name, test in json.loads(kept[path].read_text()).items()
    }


def _watch(files: list[Path], kept: dict[Path, Path]) -> None:
    plugin = Watching()
    with tempfile.TemporaryDirectory() as scratch:
        run_pytest(files, plugin, f"{scratch}/watched")
    for path in files:
        tests = plugin.found.get(str(path.relative_to(ROOT)), {})
        kept[path].write_text(json.dumps(tests))


def _helpers() -> list[Path]:
    files = [path for path in TESTS.rglob("*.py") if not path.name.startswith("test_")]
    return [path for path in files if path.parent != Path(__file__).parent]


def _digest(paths: list[Path], before: str = "") -> str:
    digest = sha256(before.encode())
    for path in sorted(paths):
        digest.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    return digest.hexdigest()[:24]


def shares_work(path: Path) -> bool:
    """Whether a test file keeps results from one test to another."""
    text = path.read_text()
    return any(sign in text for sign in CACHED)
