"""Mistakes put into a room on purpose, one at a time: do its tests notice?

``nox -s mutations -- ROOM``, or ``PYTHONPATH=tests python -m mutations ROOM`` in a checkout.
"""

import argparse
import sys
import time

from mutations.forks import prepare
from mutations.lines import watched
from mutations.mutants import mutants_of, sample
from mutations.report import Report, known, noticed
from mutations.rooms import SOURCE, rooms, sources, tests
from mutations.trying import Trial, chosen, tried


def main() -> int:
    """Zero if enough of the sample was noticed."""
    parser = argparse.ArgumentParser(prog="mutations", description=__doc__)
    parser.add_argument("room", help="a room, a part such as `testbed/words`, or `private`")
    parser.add_argument("--mutants", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--survivors", action="store_true", help="the others count as the last time"
    )
    asked = parser.parse_args()
    if not (files := {str(path.relative_to(SOURCE)): path for path in sources(asked.room)}):
        parser.error(f"There is no room {asked.room!r}; expected one of {', '.join(rooms())}.")
    start = time.monotonic()
    prepare()
    every = [each for file, path in files.items() for each in mutants_of(file, path.read_text())]
    watching = watched(tests(asked.room))
    print(f"{asked.room}: {len(every)} mutants, {len(watching)} tests", flush=True)
    drawn = sample(every, asked.mutants, asked.seed)
    decided = {**dict.fromkeys(known(asked.room)), **noticed(asked.room)} if asked.survivors else {}
    done = tried([chosen(each, watching) for each in drawn if each.key not in decided], _say)
    done += [Trial(each, (), 0.0, decided[each.key]) for each in drawn if each.key in decided]
    left_out = [name for name, test in watching.items() if not test["passed"]]
    report = Report(asked.room, len(every), done, known(asked.room), left_out)
    report.write(asked.seed, time.monotonic() - start)
    print(report)
    return 0 if report.enough else 1


def _say(trial: Trial) -> None:
    print("." if trial.killed else "S", end="", flush=True)


if __name__ == "__main__":
    sys.exit(main())
