"""Savings that are killed, or find no room: the folder holds the old one or the new one.

``PYTHONPATH=tests python -m store.killing`` kills 300 processes that save over an earlier saving
and 100 trainings that save their progress, by SIGKILL and SIGTERM in turn, and fills a disk in ten
steps; ``... 30 10`` so many.
"""

import os
import random
import resource
import signal
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import torch
from store.alike import differences

import latent_anchors as la
from latent_anchors import curriculum, data, models, training
from latent_anchors._store._folder import STRUCTURE, TENSORS

SIGNALS = (signal.SIGKILL, signal.SIGTERM)


def forked(act: Callable[[int], object]) -> tuple[int, int]:
    """A process that does something, and where it says that it is under way."""
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forks beside idle threads
        child = os.fork()
    if child == 0:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        try:
            act(writing)
        finally:
            os._exit(0)
    os.close(writing)
    return child, reading


def killed(act: Callable[[int], object], within: float, number: int) -> None:
    """Let it begin, and kill it at a moment that depends on the number alone."""
    child, reading = forked(act)
    os.read(reading, 1)
    time.sleep(random.Random(number).random() * within)
    os.kill(child, SIGNALS[number % 2])
    os.waitpid(child, 0)
    os.close(reading)


def valued(value: int, width: int = 200) -> models.Population:
    """A population that bears its number in its seeds and in every weight."""
    edits = [la.interventions.Erasure(*erased(value, width)) for _ in range(2)]
    return models.Population.from_models(edits, [value, value + 1])


def erased(value: int, width: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    left = torch.full((width, width), float(value))
    return left, left.clone(), left[0].clone()


def value_of(folder: Path) -> int:
    """The number of the saving that is there; refused if it is not of one piece."""
    population = la.load(folder)
    value = population.seeds[0]
    assert list(differences(population, valued(value))) == []
    return value


def saving_over(folder: Path, first: int) -> Callable[[int], object]:
    """Save again and again, each time another number."""

    def act(writing: int) -> None:
        for value in range(first, first + 1000):
            made = valued(value)
            if value == first:
                os.write(writing, b"x")
            la.save(made, folder)

    return act


def kill_savings(count: int, folder: Path) -> Counter[str]:
    """Kill what saves over an earlier saving; what was left goes away with the next one."""
    found: Counter[str] = Counter()
    for number in range(count):
        la.save(valued(0), folder)
        assert {path.name for path in folder.iterdir()} == {STRUCTURE, TENSORS}
        killed(saving_over(folder, 1), 0.1, number)
        found["leftovers"] += len([*folder.iterdir()]) > 2
        found["the old one" if value_of(folder) == 0 else "a new one"] += 1
    return found


TIMELINE = curriculum.Timeline(
    {
        "lr": curriculum.Track([curriculum.Keyframe(0, 0.05)]),
        "recon": curriculum.Track([curriculum.Keyframe(0, 1.0)]),
    },
    steps=60,
)


def train(start=lambda: models.SphericalAutoencoder(3, 4), callbacks=()) -> training.FitResult:
    colors = torch.rand(30, 3, generator=torch.Generator().manual_seed(0))
    return la.fit(
        start,
        la.Objective([], losses=["recon"], other_tracks=["lr"]),
        TIMELINE,
        data.Sampler(colors, batch_size=8),
        losses={"recon": training.reconstruction},
        seeds=(1, 2),
        progress=False,
        callbacks=list(callbacks),
    )


def training_into(folder: Path) -> Callable[[int], object]:
    """Train, and save the progress every two steps."""

    def act(writing: int) -> None:
        def keep(progress: training.Progress) -> None:
            la.save(progress.so_far(), folder)
            if progress.step == 4:
                os.write(writing, b"x")

        train(callbacks=[training.Every(2, keep)])

    return act


def kill_trainings(count: int, folder: Path) -> Counter[str]:
    """Kill what saves its progress; it goes on to the very end that it would have come to."""
    found: Counter[str] = Counter()
    whole = train()
    for number in range(count):
        killed(training_into(folder), 0.4, number)
        kept = la.load(folder)
        gone_on = train(kept)
        assert list(differences(gone_on.population, whole.population)) == []
        found["finished" if kept.state.step == len(TIMELINE) else "gone on with"] += 1
    return found


def fill_disk(steps: int, folder: Path) -> Counter[str]:
    """Let files grow to a share of their size only."""
    found: Counter[str] = Counter()
    la.save(valued(0), folder)
    size = max((folder / name).stat().st_size for name in (STRUCTURE, TENSORS))
    for step in range(steps):
        room = size * step // (steps - 1)

        def act(_writing: int, room: int = room) -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
            la.save(valued(1), folder)

        la.save(valued(0), folder)
        child, reading = forked(quiet(act))
        os.waitpid(child, 0)
        os.close(reading)
        found["the old one" if value_of(folder) == 0 else "the new one"] += 1
    return found


def quiet(act: Callable[[int], object]) -> Callable[[int], object]:
    """What it raises is no concern: the folder is."""

    def quietly(writing: int) -> None:
        try:
            act(writing)
        except OSError:
            os._exit(3)

    return quietly


def main() -> None:
    counts = [int(argument) for argument in sys.argv[1:]] or [300, 100]
    torch.set_num_threads(1)
    for what, count, do in (
        ("savings killed", counts[0], kill_savings),
        ("trainings killed", counts[1], kill_trainings),
        ("disks filled", 10, fill_disk),
    ):
        with tempfile.TemporaryDirectory() as folder:
            print(f"{what}: {count}, {dict(do(count, Path(folder)))}", flush=True)


if __name__ == "__main__":
    main()
