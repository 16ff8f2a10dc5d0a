"""Damaged savings: each loads as what was saved, or is refused by the one kind of error.

``PYTHONPATH=tests python -m store.fuzzing 4000`` tries so many, by fixed seeds. Half of them are
by a careful forger, who makes the checksums right again; those may also load as another thing that
is valid in itself.
"""

import json
import random
import resource
import struct
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load as parsed
from safetensors.torch import save as unparsed
from store.forging import PROVENANCE, forged, thing_of
from store.things import things

import latent_anchors as la
from latent_anchors._store import Encoder, LoadingError
from latent_anchors._store._folder import STRUCTURE, TENSORS

Saving = dict[str, bytes]
JUNK = (
    *(None, True, False, 0, -1, 3, 10**9, 1.5, float("nan"), float("inf"), "", "x", "weight"),
    *([], {}, [[]], [None, None], "os.system", "curriculum.read_dopesheet", "viz.Motion"),
    *("regularizers.AntiAnchor", "models.SphericalAutoencoder", "transitions.register_easing"),
    *({"again": 0}, {"again": 10**9}, {"function": "curriculum.read_dopesheet"}, {"list": 3}),
    *({"function": "training.fit"}, {"type": "interventions.Handle", "arguments": {}}),
    *({"type": "os.system", "arguments": {"command": "true"}}, {"json": "regularizers.Anchor"}),
    *({"tensor": "nope", "dtype": "float32", "shape": [1]}, {"mapping": [[{"list": []}, 1]]}),
)
FORBIDDEN = ("subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.fork", "socket.")
CHANGING = ("os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "shutil.")


def flipped(data: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data or b"\0")
    changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def truncated(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


def lengthened(data: bytes, rng: random.Random) -> bytes:
    return data + rng.randbytes(9)


def noise(data: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(data) + 1)
    return data[:start] + rng.randbytes(rng.randrange(40)) + data[start + 20 :]


def careless(saving: Saving, other: Saving, folder: Path, rng: random.Random) -> None:
    """Damage to the bytes of one of the files, or a file of another saving, or none."""
    files = dict(saving)
    name = rng.choice([STRUCTURE, TENSORS])
    change = rng.choice([flipped, flipped, truncated, lengthened, noise, "swap", "drop"])
    files[name] = other[name] if change == "swap" else files[name]
    if callable(change):
        files[name] = change(files[name], rng)
    for file, data in files.items():
        (folder / file).write_bytes(data)
    if change == "drop":
        (folder / name).unlink()


def places(node: Any) -> Iterator[tuple[Any, Any]]:
    """Every container and key below."""
    items = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in list(items):
        yield node, key
        if isinstance(value, dict | list):
            yield from places(value)


def edited(thing: Any, rng: random.Random) -> Any:
    """A structure with one part removed, renamed, repeated, or replaced."""
    root = [deepcopy(thing)]
    every = list(places(root))
    container, key = rng.choice(every)
    where, other = rng.choice(every)
    change = rng.randrange(6)
    if change == 0:
        del container[key]
    elif change == 1:
        container[key] = deepcopy(where[other])
    elif change == 2 and isinstance(container, list):
        container.insert(0, deepcopy(container[key]))
    elif change == 3 and isinstance(container, dict):
        container[rng.choice(["type", "x", "tensor", "list"])] = container.pop(key)
    elif change == 4 and type(container[key]) in (int, float):
        container[key] = rng.choice([container[key] + 1, -container[key], float(container[key])])
    else:
        container[key] = deepcopy(rng.choice(JUNK))
    return root[0] if root else None


def other_tensors(data: bytes, rng: random.Random) -> bytes:
    """Tensors of other shapes, types, numbers and names, or no such file at all."""
    tensors = parsed(data)
    if not tensors or rng.random() < 0.2:
        return rng.choice([flipped, truncated, noise, header])(data, rng)
    name, second = (rng.choice(sorted(tensors)) for _ in range(2))
    tensor = tensors[name]
    changes: list[Callable[[], Any]] = [
        lambda: tensors.pop(name),
        lambda: tensors.update(extra=tensor.clone()),
        lambda: tensors.update({name: tensors[second].clone(), second: tensor.clone()}),
        lambda: tensors.update({name: tensor.to(rng.choice([torch.float64, torch.int64]))}),
        lambda: tensors.update({name: tensor.flatten()[:-1].clone()}),
        lambda: tensors.update({name: tensor.unsqueeze(0).clone()}),
        lambda: tensors.update({name: torch.full_like(tensor, 3)}),
        lambda: tensors.update({name: torch.full(tensor.shape, torch.nan)}),
    ]
    rng.choice(changes)()
    return unparsed(tensors)


def header(data: bytes, rng: random.Random) -> bytes:
    """A header that promises another length."""
    return struct.pack("<Q", rng.choice([0, 1, 2**20, 2**63, 2**64 - 1])) + data[8:]


def careful(saving: Saving, folder: Path, rng: random.Random) -> None:
    """Damage to what the files say, the checksums made right."""
    thing, data = json.loads(saving[STRUCTURE])["thing"], saving[TENSORS]
    provenance = PROVENANCE
    chance = rng.random()
    if chance < 0.1:
        provenance = edited(PROVENANCE, rng)
    elif chance < 0.75:
        for _ in range(rng.choice([1, 1, 2])):
            thing = edited(thing, rng)
    else:
        data = other_tensors(data, rng)
    if rng.random() < 0.01:
        for _ in range(rng.choice([30, 90, 150])):
            thing = {"list": [thing]}
    forged(folder, thing, data, provenance)


def seen(folder: Path, events: list[str]) -> Callable[[str, tuple[Any, ...]], None]:
    """What to note of the events of the interpreter: all that loading has no business with."""
    modules = tuple({str(Path(path).resolve()) for path in [*sys.path, sys.base_prefix] if path})

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event.startswith((*FORBIDDEN, *CHANGING)):
            events.append(f"{event} {args}")
        if event == "import" and str(args[0]).split(".")[0] == "matplotlib":
            events.append(f"{event} {args[0]}")
        if event == "open" and isinstance(args[0], str | bytes | int):
            path, writing = str(args[0]), any(c in str(args[1]) for c in "wax+")
            inside = path.startswith((str(folder), *modules))
            if writing or not inside:
                events.append(f"{event} {args}")

    return hook


class Watch:
    """The interpreter's events while something is loaded; a hook cannot be removed again."""

    def __init__(self, folder: Path) -> None:
        self.events: list[str] = []
        self.on = False
        note = seen(folder, self.events)
        sys.addaudithook(lambda event, args: note(event, args) if self.on else None)

    @contextmanager
    def __call__(self) -> Iterator[None]:
        byte_code, sys.dont_write_bytecode = sys.dont_write_bytecode, True  # no file of loading's
        self.on = True
        try:
            yield
        finally:
            self.on, sys.dont_write_bytecode = False, byte_code


def content(thing: object) -> tuple[str, list[bytes]]:
    """All that a saving says of a thing."""
    encoder = Encoder()
    structure = json.dumps(encoder.encode(thing, "thing"))
    tensors = [t.reshape(-1).view(torch.uint8).numpy().tobytes() for t in encoder.tensors.values()]
    return structure, tensors


def outcome(folder: Path, original: object, other: object, watch: Watch) -> str:
    """What loading gave: the same, another valid thing, a refusal; or what is wrong with it."""
    try:
        with watch():
            loaded = la.load(folder)
            la.provenance(folder)
    except LoadingError as error:
        return "refused" if str(folder) in str(error) else f"names no file: {error}"
    except FileNotFoundError:
        return "refused" if not (folder / STRUCTURE).exists() else "a file is there"
    except Exception as error:
        return f"raw {type(error).__name__}: {error}"
    if content(loaded) in (content(original), content(other)):
        return "same"  # things without tensors have the same file of tensors
    la.save(loaded, folder)  # refuses what would not load again
    return "another" if content(la.load(folder)) == content(loaded) else "not valid in itself"


def originals() -> list[tuple[object, Saving]]:
    """Things of all kinds, and the files of their savings."""
    made: list[tuple[object, Saving]] = []
    for thing in (thing for examples in things().values() for thing in examples):
        with tempfile.TemporaryDirectory() as folder:
            la.save(thing, folder)
            made.append((thing, {f: (Path(folder) / f).read_bytes() for f in (STRUCTURE, TENSORS)}))
            assert thing_of(Path(folder)) is not None
    return made


def fuzz(cases: range, folder: Path) -> tuple[Counter[str], list[str]]:
    """Outcomes by kind of damage, and all that must not be."""
    every, watch = originals(), Watch(folder)
    outcomes: Counter[str] = Counter()
    wrong: list[str] = []
    for case in cases:
        rng = random.Random(case)
        original, saving = rng.choice(every)
        other, its_saving = rng.choice(every)
        for file in folder.iterdir():
            file.unlink()
        kind = "careful" if case % 2 else "careless"
        if kind == "careful":
            careful(saving, folder, rng)
        else:
            careless(saving, its_saving, folder, rng)
        found = outcome(folder, original, other, watch)
        allowed = {"same", "refused"} | ({"another"} if kind == "careful" else set())
        outcomes[f"{kind}: {found if found in allowed else 'wrong'}"] += 1
        if found not in allowed or watch.events:
            name = type(original).__name__
            wrong.append(f"case {case}, {kind}, {name}: {found} {watch.events}"[:400])
            watch.events.clear()
    return outcomes, wrong


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 4000
    with tempfile.TemporaryDirectory() as folder:
        outcomes, wrong = fuzz(range(count), Path(folder).resolve())
    for name, number in sorted(outcomes.items()):
        print(f"{number:6d}  {name}")
    print(f"peak of memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
    print(*wrong, sep="\n")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
