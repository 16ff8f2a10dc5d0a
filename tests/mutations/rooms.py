"""What belongs to a room: its files, and the tests that are asked about them."""

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
    """The files of a room, or of ``private``."""
    if room == "private":
        return sorted(SOURCE.glob("_[a-z]*.py"))
    files = sorted({*(SOURCE / room).rglob("*.py"), *(SOURCE / f"_{room}").rglob("*.py")})
    return [path for path in files if str(path.relative_to(SOURCE)) not in LEFT_OUT]


def tests(room: str) -> list[Path]:
    """The test files of a room, and those of the rooms on top where they are needed."""
    own = TESTS.glob("test_*.py") if room == "private" else (TESTS / room).rglob("test_*.py")
    users = [path for user in USERS.get(room, ()) for path in _files(TESTS / user)]
    return [path for path in [*sorted(own), *users] if _runs_code(path)]


def _files(place: Path) -> list[Path]:
    return sorted(place.rglob("test_*.py")) if place.is_dir() else [place]


def _runs_code(path: Path) -> bool:
    return "compiled" not in path.name and path.stem.removeprefix("test_") not in ABOUT_TEXT
