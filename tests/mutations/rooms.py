"""What belongs to a room, or to a part of one: its files, and the tests that are asked about them.

A part is a path below a room without the `_`: a subfolder such as `testbed/words`, or one file such
as `baselines/undo`.
"""

from pathlib import Path

ROOT = Path.cwd()
"""The checkout that the command is given in."""

SOURCE = ROOT / "src" / "latent_anchors"
TESTS = ROOT / "tests"

ABOUT_TEXT = {"architecture", "docs", "public_api", "readme", "refusals", "rooms"}
"""Tests that read the files instead of running them."""

USERS = {
    "hooks": ("models", "interventions/test_intervening.py"),
    "private": ("models", "interventions"),
}
"""Tests of other rooms that say most about what has few of its own."""

LEFT_OUT = {"_hooks/_compiled.py"}
"""Run only by tests that compile, for which shape checks and tracing must be off."""


def rooms() -> list[str]:
    """Every room, the private ones without their `_`; ``private``: the files beside the rooms."""
    there = [path.name for path in SOURCE.iterdir() if (path / "__init__.py").exists()]
    return [*sorted(name.strip("_") for name in there), "private"]


def sources(room: str) -> list[Path]:
    """The files of a room, of a part of one, or of ``private``."""
    if room == "private":
        return sorted(SOURCE.glob("_[a-z]*.py"))
    files = [path for path in SOURCE.rglob("*.py") if _name(path).is_relative_to(room)]
    return sorted(path for path in files if str(path.relative_to(SOURCE)) not in LEFT_OUT)


def _name(path: Path) -> Path:
    """A file's place in the package, as it is said: without `_` and suffix."""
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return Path(*(part.strip("_") for part in parts))


def tests(room: str) -> list[Path]:
    """The test files of a room or a part, and those of the rooms on top where they are needed."""
    place = TESTS / room
    one = place.with_name(f"test_{place.name}.py")
    own = TESTS.glob("test_*.py") if room == "private" else _files(one if one.exists() else place)
    users = [path for user in USERS.get(room.split("/")[0], ()) for path in _files(TESTS / user)]
    return [path for path in [*sorted(own), *users] if _runs_code(path)]


def _files(place: Path) -> list[Path]:
    return [place] if place.is_file() else sorted(place.rglob("test_*.py"))


def _runs_code(path: Path) -> bool:
    return "compiled" not in path.name and path.stem.removeprefix("test_") not in ABOUT_TEXT
