"""Evidence: an example's arguments, and the results that it leaves behind."""

import time
from argparse import ArgumentParser
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from latent_anchors._checks import check_count
from latent_anchors._records import write_json
from latent_anchors.colorspace import HUES
from latent_anchors.evaluation import Evaluation, Metric

SMOKE_STEPS, SMOKE_SEEDS = 20, 2

UNNOTICED = {"step": None, "what": "no measure is finite"}
"""What is said of a run that nobody called a failure, and of which nothing can be measured."""


@dataclass(frozen=True)
class Evidence:
    """Which seeds an example runs, and where its results go.

    Attributes:
        example: Its name.
        seeds: One for each run.
        concept: The hue that is anchored; empty if none is.
        smoke: Whether only a few steps of everything are wanted, for tests.
        switches: Which of the example's own switches were given.
        out: Where results are written.
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
    started: float = field(default_factory=time.monotonic, compare=False)

    @classmethod
    def from_arguments(
        cls,
        example: str,
        seeds: int,
        concept: str = "",
        switches: Mapping[str, str] | None = None,
        arguments: Sequence[str] | None = None,
    ) -> "Evidence":
        """Read ``--seeds``, ``--first-seed``, ``--concept``, ``--out``, ``--smoke`` and switches.

        Args:
            example: The example's name.
            seeds: How many by default.
            concept: The hue anchored by default; without one there is no ``--concept``.
            switches: The example's own, such as ``graded`` for ``--graded``, and what each is for.
            arguments: Those of the command line if None.

        Raises:
            ValueError: If there are no seeds.
            SystemExit: If an argument is unknown, as command lines do.

        Examples:
            >>> Evidence.from_arguments("demo", seeds=3, concept="red", arguments=["--smoke"]).smoke
            True
        """
        parser = ArgumentParser(prog=f"{example}.py")
        parser.add_argument("--seeds", type=int, default=seeds, help="how many runs")
        parser.add_argument("--first-seed", type=int, default=0, help="the first run's seed")
        parser.add_argument("--out", type=Path, default=Path("results") / example)
        parser.add_argument("--smoke", action="store_true", help="a few steps of everything")
        if concept:
            parser.add_argument("--concept", choices=[*HUES], default=concept, help="a hue")
        for name, words in (switches or {}).items():
            parser.add_argument(f"--{name}", action="store_true", help=words)
        given = parser.parse_args(arguments)
        on = frozenset(name for name in switches or {} if getattr(given, name))
        check_count("--seeds", given.seeds)
        count = min(given.seeds, SMOKE_SEEDS) if given.smoke else given.seeds
        chosen = tuple(range(given.first_seed, given.first_seed + count))
        return cls(example, chosen, getattr(given, "concept", ""), given.smoke, given.out, on)

    @property
    def steps(self) -> int | None:
        """A few steps for a smoke test, else None: as many as the timeline has.

        Examples:
            >>> Evidence.from_arguments("demo", seeds=3, arguments=["--smoke"]).steps
            20
        """
        return SMOKE_STEPS if self.smoke else None

    def write(
        self,
        evaluation: Evaluation,
        settings: Mapping[str, object],
        train_seconds: float,
        failures: Collection[object] = (),
    ) -> dict[str, Metric]:
        """Write ``results.json`` and give its metrics.

        Runs of which no number is finite are added to the failures.

        Args:
            evaluation: Measures ``(runs,)``, in the order of the seeds.
            settings: What the claim depends on: recipe, thresholds, powers.
            train_seconds: The training alone.
            failures: Records with ``run``, ``step`` and ``what``; values of these runs are null.

        Examples:
            >>> import tempfile, torch
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     evidence = Evidence.from_arguments("demo", 2, arguments=["--out", folder])
            ...     evidence.write(Evaluation({"a": torch.ones(2)}), {}, 0.1)["a"].mean
            1.0
        """
        failed = {getattr(failure, "run") for failure in failures}  # noqa: B009 -- a record of any room's
        unnoticed = [{"run": run, **UNNOTICED} for run in evaluation.failed() if run not in failed]
        metrics = evaluation.metrics(failed)
        results = {
            "example": self.example,
            "settings": {**settings, **({"concept": self.concept} if self.concept else {})},
            "seeds": self.seeds,
            "train_seconds": train_seconds,
            "wall_seconds": time.monotonic() - self.started,
            "failures": [*failures, *unnoticed],
            "metrics": metrics,
        }
        write_json(self.out / "results.json", results)
        return metrics
