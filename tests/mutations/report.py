"""What a sample of mutants says about the tests of a room."""

import json
import tomllib
from dataclasses import dataclass
from typing import Any

from mutations.mutants import Mutant
from mutations.rooms import ROOT, TESTS
from mutations.trying import Trial

WANTED = 0.9
"""The share of a room's mutants that its tests must notice."""

EQUIVALENT = TESTS / "mutations" / "equivalent"
KEPT = ROOT / "results" / "mutations"

Key = tuple[str, str, str, str]


def known(room: str) -> dict[Key, str]:
    """Mutants of a room, or of the room of a part, that no test can notice; with the reason."""
    path = EQUIVALENT / f"{room.split('/')[0]}.toml"
    found = tomllib.loads(path.read_text())["mutant"] if path.exists() else []
    return {
        (each["file"], each["function"], each["before"], each["after"]): each["why"]
        for each in found
    }


def noticed(room: str) -> dict[Key, str]:
    """Those that a test noticed the last time, each with the test."""
    path = KEPT / f"{room}.json"
    trials = json.loads(path.read_text())["trials"] if path.exists() else []
    keys = [(each["file"], each["function"], each["before"], each["after"]) for each in trials]
    killers = [each["killer"] for each in trials]
    alive = {key for key, killer in zip(keys, killers, strict=True) if killer is None}
    return {key: killer for key, killer in zip(keys, killers, strict=True) if key not in alive}


@dataclass(frozen=True)
class Report:
    """The trials of a room, and which of its mutants are known to be equivalent."""

    room: str
    there: int
    trials: list[Trial]
    equivalent: dict[Key, str]
    left_out: list[str]

    @property
    def survivors(self) -> list[Trial]:
        """Those that somebody should look at."""
        alive = [trial for trial in self.trials if not trial.killed]
        alive = [trial for trial in alive if trial.mutant.key not in self.equivalent]
        return sorted(alive, key=lambda trial: (trial.mutant.file, trial.mutant.line))

    @property
    def killed(self) -> int:
        """How many were noticed."""
        return sum(trial.killed for trial in self.trials)

    @property
    def share(self) -> float:
        """Noticed, of those that can be."""
        return self.killed / max(1, self.killed + len(self.survivors))

    @property
    def enough(self) -> bool:
        """Whether the tests are as sharp as is wanted."""
        return self.share >= WANTED

    def __str__(self) -> str:
        spared = len(self.trials) - self.killed - len(self.survivors)
        lines = [f"\nleft out, it fails without a mutant: {name}" for name in self.left_out]
        lines += [_shown(trial) for trial in self.survivors]
        lines += [
            f"{self.room}: {self.there} mutants, {len(self.trials)} tried, {self.killed} killed, "
            f"{spared} equivalent, {len(self.survivors)} survived: {self.share:.1%} killed; "
            f"{WANTED:.0%} wanted"
        ]
        return "\n".join(lines)

    def write(self, seed: int, seconds: float) -> None:
        """All of it, for machines, below `results/mutations`."""
        path = KEPT / f"{self.room}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        counts = {"room": self.room, "seed": seed, "mutants": self.there, "tried": len(self.trials)}
        ends = {"killed": self.killed, "share": self.share, "seconds": round(seconds, 1)}
        trials = [_record(trial, self.equivalent) for trial in self.trials]
        written = counts | ends | {"left_out": self.left_out, "trials": trials}
        path.write_text(json.dumps(written, indent=1) + "\n")


def _shown(trial: Trial) -> str:
    mutant = trial.mutant
    asked = f"{len(trial.tests)} tests" if trial.tests else "no test runs it"
    place = f"{mutant.file}:{mutant.line} {mutant.function}".rstrip()
    return f"\n{place} ({asked})\n  - {mutant.before}\n  + {mutant.after}"


def _record(trial: Trial, equivalent: dict[Key, str]) -> dict[str, Any]:
    mutant: Mutant = trial.mutant
    return {
        "file": mutant.file,
        "line": mutant.line,
        "function": mutant.function,
        "before": mutant.before,
        "after": mutant.after,
        "tests": len(trial.tests),
        "killer": trial.killer,
        "seconds": trial.seconds,
        "equivalent": equivalent.get(mutant.key),
    }
