"""From a table of texts to the timeline that it means."""

from collections.abc import Iterator, Sequence

from latent_anchors.curriculum._cell import Cell, names_in, number_in
from latent_anchors.curriculum._column import RESERVED, Column, columns_in
from latent_anchors.curriculum._keyframe import Keyframe
from latent_anchors.curriculum._phase import Phase
from latent_anchors.curriculum._placing import steps_in
from latent_anchors.curriculum._timeline import Timeline
from latent_anchors.curriculum._track import Track

Line = dict[str, Cell]
"""One row: its cells by the names of their columns."""


def resolved(header: Sequence[str], rows: Sequence[Sequence[str]], source: str) -> Timeline:
    """The timeline that a dope sheet's header and rows mean."""
    top = [Cell(text.strip(), source, 1, number) for number, text in enumerate(header, 1)]
    columns = columns_in(top, source)
    lines = list(_lines([column.name for column in columns], rows, source))
    script = _in_order(lines, source)
    tracks = {
        column.name: _track(cell, column, script)
        for cell, column in zip(top, columns, strict=True)
        if column.name not in RESERVED
    }
    phases = [Phase(cell.text, step) for step, cell in _written("PHASE", script)]
    actions = {step: names_in(cell) for step, cell in _written("ACTION", script)}
    return Timeline(tracks, phases, actions, steps=max(script) + 1)


def _lines(names: Sequence[str], rows: Sequence[Sequence[str]], source: str) -> Iterator[Line]:
    for number, row in enumerate(rows, 2):
        if not any(text.strip() for text in row):
            continue
        if len(row) != len(names):
            raise ValueError(
                f"{source}, row {number}, column {min(len(row), len(names)) + 1}: found a row of "
                f"{len(row)} cells, {list(row)}; expected {len(names)}, one per column."
            )
        cells = [Cell(row[k].strip(), source, number, name) for k, name in enumerate(names)]
        yield dict(zip(names, cells, strict=True))


def _in_order(lines: Sequence[Line], source: str) -> dict[int, Line]:
    if not lines:
        raise ValueError(f"{source}, row 2: found no row with text; expected a step, such as 0.")
    steps = steps_in([line["STEP"] for line in lines])
    return dict(sorted(zip(steps, lines, strict=True), key=lambda placed: placed[0]))


def _written(name: str, script: dict[int, Line]) -> Iterator[tuple[int, Cell]]:
    for step, line in script.items():
        if name in line and line[name].text:
            yield step, line[name]


def _track(header: Cell, column: Column, script: dict[int, Line]) -> Track:
    keys = [
        Keyframe(step, number_in(cell, column.space), column.leave)
        for step, cell in _written(column.name, script)
    ]
    if not keys:
        raise header.misread("a number in one of its rows; leave a column without any out")
    return Track(keys, column.space)
