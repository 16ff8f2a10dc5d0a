"""The imports, held to the table in the docs."""

import ast
import csv
from functools import cache
from pathlib import Path

import pytest
from refusals import SOURCE

PACKAGE = "latent_anchors"
TABLE = Path(__file__).parents[1] / "docs" / "architecture.rst"
OPEN_TO_ALL = {"_checks", "_records"}


def table() -> dict[str, tuple[int, set[str]]]:
    """Room to level and what it may import."""
    lines = [line.strip() for line in TABLE.read_text().splitlines() if line.startswith('   "')]
    rows = list(csv.reader(lines, skipinitialspace=True))
    every = {room for _, rooms, _ in rows for room in rooms.split(", ")}
    return {
        room: (
            int(level),
            every - {room} if allowed.startswith("any") else set(allowed.split(", ")),
        )
        for level, rooms, allowed in rows
        for room in rooms.split(", ")
    }


@cache
def imported(path: Path) -> set[str]:
    """Dotted names of the modules that a file imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def ours(path: Path) -> set[str]:
    """Rooms and private files of ours that a file imports."""
    return {name.split(".")[1] for name in imported(path) if name.startswith(PACKAGE + ".")}


def files_of(room: str) -> list[Path]:
    return sorted((SOURCE / room).rglob("*.py"))


def test_every_room_stands_in_the_table():
    folders = {path.name for path in SOURCE.iterdir() if (path / "__init__.py").exists()}
    rooms = {folder for folder in folders if not folder.startswith("_")}
    assert rooms == set(table())


@pytest.mark.parametrize("room", table())
def test_a_room_imports_only_what_the_table_allows(room: str):
    level, allowed = table()[room]
    for path in files_of(room):
        rooms = {name for name in ours(path) if not name.startswith("_")} - {room}
        assert rooms <= allowed, path
        private = {name for name in ours(path) if name.startswith("_")} - OPEN_TO_ALL
        assert level >= 2 or not private, path


def test_rooms_but_testbed_import_no_private_file_of_another_room():
    for path in SOURCE.rglob("*.py"):
        room = path.relative_to(SOURCE).parts[0]
        parts = [name.split(".") for name in imported(path) if name.startswith(PACKAGE + ".")]
        foreign = {
            ".".join(name)
            for name in parts
            if name[1] in table() and name[1] != room and len(name) > 2 and name[2][0] == "_"
        }
        assert not foreign or room == "testbed", (path, foreign)


def test_imports_go_down_the_levels():
    for room, (level, allowed) in table().items():
        assert all(table()[below][0] < level for below in allowed - {"nothing"}), room


def test_private_files_import_no_room():
    for path in [*SOURCE.glob("_[a-z]*.py"), *SOURCE.glob("_[a-z]*/*.py")]:
        assert all(name.startswith("_") for name in ours(path)), path


@pytest.mark.parametrize("place", ["transitions", "curriculum", "_checks.py", "_records.py"])
def test_schedules_and_messages_name_no_torch(place: str):
    for path in [SOURCE / place] if place.endswith(".py") else files_of(place):
        assert not any(name.split(".")[0] == "torch" for name in imported(path)), path


def test_only_viz_imports_matplotlib():
    for path in SOURCE.rglob("*.py"):
        if path.parent.name != "viz":
            assert not any(name.split(".")[0] == "matplotlib" for name in imported(path)), path


def test_hooks_are_registered_in_one_place_only():
    # besides: naming the layer that stands in the way of a trace
    # and asking a layer for the hooks of others
    ways = ("register_forward", "._forward_hooks", "._forward_pre_hooks")
    hooked = {p.name for p in SOURCE.rglob("*.py") if any(way in p.read_text() for way in ways)}
    assert hooked == {"_hook.py", "plain_layers.py", "python_values.py", "step.py"}
