"""Evidence: an example's arguments, the time it takes, and the results that it writes."""

from argparse import ArgumentParser
from collections.abc import Collection, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import TypeVar

import torch
from torch import Tensor

from latent_anchors._checks import check_between, check_count, listed
from latent_anchors._records import write_json
from latent_anchors.colorspace import HUES
from latent_anchors.evaluation import Evaluation, Metric

SMOKE_STEPS, SMOKE_SEEDS = 20, 2
_Number = TypeVar("_Number", int, float)

UNNOTICED = {"step": None, "what": "no measure is finite"}
"""The record of a run that did not fail in training, and none of whose measures is finite."""


@dataclass(frozen=True)
class Evidence:
    """The seeds that an example runs, the time it takes, and the folder for its results.

    Attributes:
        example: Its name.
        seeds: One for each run.
        concept: The hue or topic that is anchored; empty if there is none.
        smoke: Whether to run only a few steps of everything, as a test.
        switches: The example's own switches that were given.
        options: The example's own options that were given, with what was given.
        out: Folder for the results.
        started: When the example began, in seconds of the monotonic clock.

    Examples:
        >>> Evidence.from_arguments("demo", seeds=3, arguments=["--first-seed", "500"]).seeds
        (500, 501, 502)
    """

    example: str
    seeds: tuple[int, ...]
    concept: str
    smoke: bool
    out: Path
    switches: frozenset[str] = frozenset()
    options: Mapping[str, str] = field(default_factory=dict[str, str])
    started: float = field(default_factory=monotonic, compare=False)
    _trainings: list[float] = field(default_factory=list[float], repr=False, compare=False)

    @classmethod
    def from_arguments(
        cls,
        example: str,
        seeds: int,
        concept: str = "",
        switches: Mapping[str, str] | None = None,
        arguments: Sequence[str] | None = None,
        options: Mapping[str, str] | None = None,
        concepts: Collection[str] = HUES,
        threads: int = 1,
    ) -> "Evidence":
        """Read ``--seeds``, ``--first-seed``, ``--concept``, ``--out``, ``--smoke``, and its own.

        It also sets torch's threads: tensors as small as those of colors gain nothing from two.

        Args:
            example: The example's name.
            seeds: Default number of seeds.
            concept: The one anchored by default; without one there is no ``--concept``.
            switches: The example's own, such as ``graded`` for ``--graded``, with their help texts.
            arguments: Those of the command line if None.
            options: The example's own with a value, such as ``font`` for ``--font FILE``, with
                their help texts.
            concepts: What may be anchored: hues, or the topics of definitions.
            threads: Of torch; one in a smoke test.

        Raises:
            ValueError: If there are no seeds.
            SystemExit: If an argument is unknown.

        Examples:
            >>> Evidence.from_arguments("demo", seeds=3, concept="red", arguments=["--smoke"]).smoke
            True
        """
        parser = ArgumentParser(prog=f"{example}.py", allow_abbrev=False)
        parser.add_argument("--seeds", type=int, default=seeds, help="how many runs")
        parser.add_argument("--first-seed", type=int, default=0, help="the first run's seed")
        parser.add_argument("--out", type=Path, default=Path("results") / example)
        parser.add_argument("--smoke", action="store_true", help="a few steps of everything")
        if concept:
            parser.add_argument("--concept", choices=[*concepts], default=concept)
        for name, words in (switches or {}).items():
            parser.add_argument(f"--{name}", action="store_true", help=words)
        for name, words in (options or {}).items():
            parser.add_argument(f"--{name}", default="", help=words)
        given = parser.parse_args(arguments)
        on = frozenset(name for name in switches or {} if getattr(given, name))
        own = {name: getattr(given, name) for name in options or {} if getattr(given, name)}
        check_count("--seeds", given.seeds)
        # smoke tests run side by side, and two of two threads on two cores wait for each other
        torch.set_num_threads(1 if given.smoke else threads)
        count = min(given.seeds, SMOKE_SEEDS) if given.smoke else given.seeds
        chosen = tuple(range(given.first_seed, given.first_seed + count))
        concept = getattr(given, "concept", "")
        return cls(example, chosen, concept, given.smoke, given.out, on, own)

    @property
    def steps(self) -> int | None:
        """20 in a smoke test, else None: as many as the timeline has.

        Examples:
            >>> Evidence.from_arguments("demo", seeds=3, arguments=["--smoke"]).steps
            20
        """
        return SMOKE_STEPS if self.smoke else None

    def number(self, name: str, default: _Number, least: int | float, most: int | float) -> _Number:
        """What was given for an option that is a number, whole where the default is.

        Args:
            name: The option's.
            default: Where it was not given.
            least: The least that it may be.
            most: The most.

        Raises:
            ValueError: If something else was given.

        Examples:
            >>> options = {"steps": "how many"}
            >>> evidence = Evidence.from_arguments("demo", 1, options=options, arguments=[])
            >>> evidence.number("steps", 1500, least=15, most=10**6)
            1500
        """
        given = self.options.get(name)
        if given is None:
            return default
        try:
            value = type(default)(given)
            check_between(name, float(value), float(least), float(most))
        except ValueError:
            kind = "whole number" if isinstance(default, int) else "number"
            span = f"from {least:g} to {most:g}"
            raise ValueError(f"--{name} is {given!r}; expected a {kind} {span}.") from None
        return value

    @property
    def train_seconds(self) -> float:
        """Duration of all :meth:`training` blocks together.

        Examples:
            >>> Evidence.from_arguments("demo", seeds=3, arguments=[]).train_seconds
            0.0
        """
        return sum(self._trainings, 0.0)

    @contextmanager
    def training(self) -> Generator[None]:
        """Add the duration of a ``with`` block to :attr:`train_seconds`.

        Examples:
            >>> evidence = Evidence.from_arguments("demo", seeds=3, arguments=[])
            >>> with evidence.training():
            ...     fitted = "here"
            >>> evidence.train_seconds > 0
            True
        """
        began = monotonic()
        yield
        self._trainings.append(monotonic() - began)

    def write(
        self,
        found: Mapping[str, Tensor],
        settings: Mapping[str, object],
        failures: Collection[object],
        ratios: Collection[str] = (),
    ) -> dict[str, Metric]:
        """Write ``results.json`` and return its metrics.

        Runs none of whose numbers is finite are added to the failures.

        Args:
            found: Measures by name ``(runs,)``, in the order of the seeds; booleans are shares.
            settings: Everything that the results depend on: recipe, thresholds, powers.
            failures: Records with ``run``, ``step`` and ``what``, of every training; values of
                these runs are null.
            ratios: Measures of which the geometric mean is written, and the interval that goes with
                it.

        Raises:
            ValueError: If a ratio was not measured, there is not one value for each seed, or a
                failure is of no run.

        Examples:
            >>> import tempfile, torch
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     evidence = Evidence.from_arguments("demo", 2, arguments=["--out", folder])
            ...     evidence.write({"a": torch.ones(2)}, {}, failures=[])["a"].mean
            1.0
        """
        evaluation = Evaluation(found)
        self._check_runs(found, failures)
        failed = {getattr(failure, "run") for failure in failures}  # noqa: B009 -- a record of any room's
        unnoticed = [{"run": run, **UNNOTICED} for run in evaluation.failed() if run not in failed]
        metrics = evaluation.metrics(failed, ratios)
        results = {
            "example": self.example,
            "settings": {**self._given(), **settings},
            "seeds": self.seeds,
            "train_seconds": self.train_seconds,
            "wall_seconds": monotonic() - self.started,
            "failures": [*failures, *unnoticed],
            "metrics": metrics,
        }
        write_json(self.out / "results.json", results)
        return metrics

    def _given(self) -> dict[str, object]:
        """What was asked for: the concept, options, and what makes it another study."""
        given: dict[str, object] = {"concept": self.concept} if self.concept else {}
        given |= dict.fromkeys(sorted(self.switches), True)
        return given | dict(self.options) | ({"smoke": True} if self.smoke else {})

    def _check_runs(self, found: Mapping[str, Tensor], failures: Collection[object]) -> None:
        runs = len(self.seeds)
        other = {name: len(values) for name, values in found.items() if len(values) != runs}
        if other:
            raise ValueError(
                f"There are {listed(other.values())} values of {listed(other)} for {runs} seeds; "
                "expected one for each, in their order."
            )
        if lost := [each for each in failures if getattr(each, "run") not in range(runs)]:  # noqa: B009 -- a record of any room's
            raise ValueError(f"{lost[0]} is of no run; expected one from 0 to {runs - 1}.")
