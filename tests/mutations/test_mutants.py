"""The tool on a few lines of text; what it says about a room is for `nox -s mutations`."""

import ast
import random

import pytest
from mutations import rooms as places
from mutations.mutants import mutants_of, sample
from mutations.report import known

SOURCE = '''
"""A module with 1 docstring."""

from typing import overload

LIMIT = 3
__all__ = ["LIMIT"]


def clipped(x: int | None, top: float = 2.5) -> float:
    """At most ``top``, as of version 1."""
    if x is None:
        raise ValueError(f"x is {x - 1}; expected 1.")
    return min(
        x,  # as given
        top,
    )


@overload
def name(x: int = 1) -> str: ...
'''


def shown() -> set[tuple[str, str]]:
    return {(each.before, each.after) for each in mutants_of("snippet.py", SOURCE)}


def test_each_mutant_changes_one_thing():
    assert shown() == {
        ("LIMIT = 3", "LIMIT = 4"),
        ("LIMIT = 3", "LIMIT = 2"),
        ("LIMIT = 3", "LIMIT = 6"),
        ("top: float = 2.5", "top: float = 3.5"),
        ("top: float = 2.5", "top: float = 1.5"),
        ("top: float = 2.5", "top: float = 5.0"),
        ("x is None", "(x is not None)"),
        ("return min( x, # as given top, )", "return max( x, # as given top, )"),
        ("return min( x, # as given top, )", "return (-min(x, top))"),
    }


def test_a_mutant_is_another_program_with_every_other_line_in_its_place():
    for mutant in mutants_of("snippet.py", SOURCE):
        text = mutant.within(SOURCE)
        assert ast.dump(ast.parse(text)) != ast.dump(ast.parse(SOURCE))
        assert text.splitlines()[-2:] == SOURCE.splitlines()[-2:]


def test_the_sample_does_not_depend_on_lines_nor_on_order():
    here = sample(mutants_of("snippet.py", SOURCE), 5, seed=0)
    moved = mutants_of("snippet.py", "\n# a comment\n" + SOURCE)
    random.Random(0).shuffle(moved)
    assert [each.key for each in sample(moved, 5, seed=0)] == [each.key for each in here]


def test_another_seed_is_another_sample():
    every = mutants_of("snippet.py", SOURCE)
    assert sample(every, 5, seed=0) != sample(every, 5, seed=1)


def test_where_a_change_acts():
    places = {each.before: (each.inside, each.lines) for each in mutants_of("snippet.py", SOURCE)}
    assert places["LIMIT = 3"] == (False, range(6, 7))
    assert places["top: float = 2.5"] == (False, range(10, 18))
    assert places["x is None"] == (True, range(12, 13))


def test_a_part_of_a_room_has_the_files_and_the_tests_below_it():
    part, room = places.sources("testbed/words"), places.sources("testbed")
    assert {path.parent.name for path in part} == {"_words", "_texts"}
    assert {*part} < {*room}
    assert {path.parent.name for path in places.tests("testbed/words")} == {"words"}
    assert known("testbed/words") == known("testbed") != {}
    assert places.sources("testbed/word") == []


def test_a_file_of_a_room_has_the_tests_that_mirror_it():
    assert places.sources("baselines/undo") == [places.SOURCE / "baselines" / "_undo.py"]
    assert places.tests("baselines/undo") == [places.TESTS / "baselines" / "test_undo.py"]
    assert "models" in {path.parent.name for path in places.tests("hooks/blocks")}


@pytest.mark.parametrize("room", [room for room in places.rooms() if known(room)])
def test_mutants_that_are_called_equivalent_are_there_and_have_a_reason(room):
    files = {file for file, *_ in known(room)}
    there = {
        each.key for file in files for each in mutants_of(file, (places.SOURCE / file).read_text())
    }
    assert {*known(room)} <= there
    assert all(known(room).values())
