"""What belongs to a room: its files, and the tests that are asked about them."""

from pathlib import Path

ROOT = Path.cwd()
"""The checkout that the command is given in."""

SOURCE = ROOT / "src" / "latent_anchors"
TESTS = ROOT / "tests"

ABOUT_TEXT = {"architecture", "docs", "public_api", "readme", "refusals"}
"""Tests that read the files instead of running them."""

USERS_OF_PRIVATE = ("models", "interventions")
"""Rooms that say most about the files beside the rooms."""


def rooms() -> list[str]:
    """Every room, and ``private`` for the files and folders beside the rooms."""
    public = [path.name for path in SOURCE.iterdir() if (path / "__init__.py").exists()]
    return [*sorted(name for name in public if not name.startswith("_")), "private"]


def sources(room: str) -> list[Path]:
    """The files of a room, of ``private``, or of one private file such as ``_store``."""
    if room == "private":
        return sorted({*SOURCE.glob("_[a-z]*.py"), *SOURCE.glob("_[a-z]*/**/*.py")})
    return sorted((SOURCE / room).rglob("*.py")) or sorted(SOURCE.glob(f"{room}.py"))


def tests(room: str) -> list[Path]:
    """The test files of a room; for private files their own and those of the rooms on top."""
    if not room.startswith(("_", "private")):
        return _test_files(TESTS / room)
    own = _private_tests("" if room == "private" else room.strip("_"))
    return own + [path for user in USERS_OF_PRIVATE for path in _test_files(TESTS / user)]


def _private_tests(word: str) -> list[Path]:
    files = sorted(TESTS.glob(f"test_{word}*.py"))
    files = [path for path in files if path.stem.removeprefix("test_") not in ABOUT_TEXT]
    apart = {*rooms(), "benchmarks", "evidence", "mutations"}
    folders = [path for path in sorted(TESTS.glob(f"{word}*/")) if path.name not in apart]
    return files + [path for folder in folders for path in _test_files(folder)]


def _test_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("test_*.py") if "compiled" not in path.name)
