"""Try mutants out: put one in the place of the original, and run the tests that run its lines.

A function that nothing called before the first test is exchanged in a fork of a process that has
collected all tests: its code object, in place. A change that acts on import, or in a function
that the tests' own modules call, needs a fork that imports the package anew.
"""

import gc
import importlib.machinery
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any

import pytest
from mutations.forks import TimedOutError, forked, run_pytest
from mutations.lines import shares_work
from mutations.mutants import Mutant
from mutations.rooms import ROOT, SOURCE

PATIENCE, GRACE = 3.0, 20.0
"""A mutant may take so many times the seconds of its tests, and so many seconds more."""


@dataclass(frozen=True)
class Trial:
    """A mutant, the tests to ask in their order, and what came out."""

    mutant: Mutant
    tests: tuple[str, ...]
    limit: float
    killer: str | None = None
    seconds: float = 0.0

    @property
    def killed(self) -> bool:
        """Whether any test failed."""
        return self.killer is not None


def chosen(mutant: Mutant, tests: dict[str, dict[str, Any]]) -> Trial:
    """The tests that run the mutant's lines, the fastest first, then those that may share work."""
    passed = {name: test for name, test in tests.items() if test["passed"]}
    runs = [name for name, test in passed.items() if _runs(test, mutant)]
    if not mutant.inside:
        touch = [name for name, test in passed.items() if mutant.file in test["lines"]]
        runs = list(dict.fromkeys([*_fastest(runs, passed), *_fastest(touch, passed), *passed]))
    else:
        shared = {name.split("::")[0] for name in runs}
        shared = {path for path in shared if shares_work(ROOT / path)}
        rest = [name for name in passed if name.split("::")[0] in shared]
        runs = list(dict.fromkeys([*_fastest(runs, passed), *_fastest(rest, passed)]))
    seconds = sum(passed[name]["seconds"] for name in runs)
    return Trial(mutant, tuple(runs), PATIENCE * seconds + GRACE)


def _runs(test: dict[str, Any], mutant: Mutant) -> bool:
    return any(line in mutant.lines for line in test["lines"].get(mutant.file, ()))


def _fastest(names: list[str], tests: dict[str, dict[str, Any]]) -> list[str]:
    return sorted(names, key=lambda name: tests[name]["seconds"])


def tried(trials: list[Trial], say: Callable[[Trial], None]) -> list[Trial]:
    """Every trial with what came out of it."""
    done = [trial for trial in trials if not trial.tests]
    within = [trial for trial in trials if trial.tests and trial.mutant.inside]
    ended = _in_place(within) if within else {}
    for trial in within:
        if trial.mutant in ended:
            done.append(replace(trial, **ended[trial.mutant]))
    left = [trial for trial in trials if trial.mutant not in {each.mutant for each in done}]
    for trial in done:
        say(trial)
    for trial in left:
        done.append(_anew(trial))
        say(done[-1])
    return done


def _limited(work: Callable[[], str | None], limit: float) -> dict[str, Any] | None:
    """Who killed it, in how many seconds; a process that broke down counts as a death."""
    start = time.monotonic()
    try:
        answer = forked(lambda: {"killer": work()}, limit)
    except TimedOutError:
        answer = {"killer": f"more than {limit:.0f} s"}
    answer = answer or {"killer": "the process broke down"}
    return answer | {"seconds": round(time.monotonic() - start, 2)}


class _Asking:
    """The plugin's part that runs some tests in an order of ours until one fails."""

    def __init__(self) -> None:
        self._failed: str | None = None

    def pytest_sessionstart(self) -> None:
        from hypothesis import Phase, settings

        phases = (Phase.explicit, Phase.generate)  # no shrinking: that it fails is enough
        settings.register_profile("mutations", settings(phases=phases))
        settings.load_profile("mutations")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._failed = self._failed or report.nodeid

    def ask(self, items: list[pytest.Item]) -> str | None:
        for item, after in zip(items, [*items[1:], None], strict=True):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
            if self._failed:
                return self._failed
        return None


class _Anew(_Asking):
    """Runs a trial's tests once they have been collected under the mutant."""

    def __init__(self, tests: tuple[str, ...]) -> None:
        super().__init__()
        self.tests = tests
        self.killer: str | None = "importing it"

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if not session.testsfailed:
            items = {item.nodeid: item for item in session.items}
            self.killer = self.ask([items[name] for name in self.tests if name in items])
        return True


def _anew(trial: Trial) -> Trial:
    """In a process that imports the mutant."""

    def work() -> str | None:
        _replace_source(trial.mutant)
        plugin = _Anew(trial.tests)
        with tempfile.TemporaryDirectory() as scratch:
            run_pytest(_files(trial.tests), plugin, f"{scratch}/anew")
        return plugin.killer

    return replace(trial, **_limited(work, trial.limit))


def _replace_source(mutant: Mutant) -> None:
    """From now on importing the file gives the mutant; what is on the disk stays."""
    loader = importlib.machinery.SourceFileLoader
    path = str(SOURCE / mutant.file)
    text = mutant.within(Path(path).read_text()).encode()
    stats, data = loader.path_stats, loader.get_data

    def path_stats(self: Any, asked: str) -> Any:
        if asked == path:
            raise OSError("No bytecode of the original is wanted.")
        return stats(self, asked)

    def get_data(self: Any, asked: str) -> bytes:
        return text if asked == path else data(self, asked)

    loader.path_stats, loader.get_data = path_stats, get_data


def _files(tests: tuple[str, ...]) -> list[Path]:
    return [ROOT / path for path in dict.fromkeys(name.split("::")[0] for name in tests)]


def _in_place(trials: list[Trial]) -> dict[Mutant, dict[str, Any]]:
    """In forks of one process that has collected their tests; some it cannot try."""
    with tempfile.TemporaryDirectory() as scratch:
        answers = Path(scratch) / "answers.json"

        def work() -> None:
            plugin = _InPlace(trials)
            every = tuple(name for trial in trials for name in trial.tests)
            sys.settrace(plugin.called)
            run_pytest(_files(every), plugin, f"{scratch}/in_place")
            answers.write_text(json.dumps(plugin.ended))

        forked(work)
        if not answers.exists():
            return {}
        ended = json.loads(answers.read_text())
    return {trial.mutant: end for trial, end in zip(trials, ended, strict=True) if end}


class _InPlace(_Asking):
    """Exchanges code objects in forks of the collected session."""

    def __init__(self, trials: list[Trial]) -> None:
        super().__init__()
        self.trials = trials
        self.ended: list[dict[str, Any] | None] = []
        self._busy: set[tuple[str, str, int]] = set()

    def called(self, frame: FrameType, _event: str, _arg: object) -> None:
        """Keep what runs before the first test."""
        if frame.f_code.co_filename.startswith(str(SOURCE)):
            self._busy.add(_name(frame.f_code))

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        sys.settrace(None)
        if session.testsfailed:
            return True
        items = {item.nodeid: item for item in session.items}
        self.ended = [self._try(trial, items) for trial in self.trials]
        return True

    def _try(self, trial: Trial, items: dict[str, pytest.Item]) -> dict[str, Any] | None:
        exchanged = _exchanged(trial.mutant)
        functions = list(_functions({_name(old) for old in exchanged}))
        if not functions or self._busy & {_name(old) for old in exchanged}:
            return None

        def work() -> str | None:
            new = {_name(old): code for old, code in exchanged.items()}
            for function in functions:
                function.__code__ = new[_name(function.__code__)]
            return self.ask([items[name] for name in trial.tests if name in items])

        return _limited(work, trial.limit)


def _exchanged(mutant: Mutant) -> dict[CodeType, CodeType]:
    """Code objects of the original that differ, and those of the mutant; whole functions only."""
    path = SOURCE / mutant.file
    name = ".".join((SOURCE.name, *Path(mutant.file).with_suffix("").parts))
    module = sys.modules.get(name.removesuffix(".__init__"))
    if module is None:
        return {}
    loader = module.__spec__.loader
    source = path.read_text()
    old, new = (
        loader.source_to_code(text.encode(), str(path)) for text in (source, mutant.within(source))
    )
    return {a: b for a, b in _pairs(old, new) if a != b and a.co_freevars == b.co_freevars}


def _pairs(old: CodeType, new: CodeType) -> Iterator[tuple[CodeType, CodeType]]:
    """Functions at the top and methods, side by side; a class has no names of fast variables."""
    inner = [[c for c in code.co_consts if isinstance(c, CodeType)] for code in (old, new)]
    for a, b in zip(*inner, strict=True):
        if a.co_flags & 2:  # CO_NEWLOCALS and CO_OPTIMIZED: a function
            yield a, b
        else:
            yield from _pairs(a, b)


def _functions(names: set[tuple[str, str, int]]) -> Iterator[FunctionType]:
    for each in gc.get_objects():
        if type(each) is FunctionType and _name(each.__code__) in names:
            yield each


def _name(code: CodeType) -> tuple[str, str, int]:
    return code.co_filename, code.co_qualname, code.co_firstlineno
