"""From a table of texts to the timeline that it means."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from latent_anchors.curriculum._cell import Cell, names_in, number_in
from latent_anchors.curriculum._column import RESERVED, Column, columns_in
from latent_anchors.curriculum._keyframe import Keyframe
from latent_anchors.curriculum._phase import Phase
from latent_anchors.curriculum._placing import steps_in
from latent_anchors.curriculum._timeline import Timeline
from latent_anchors.curriculum._track import Track

Row = tuple[int, Sequence[str]]
"""The number of a row, as a spreadsheet counts, and the texts of its cells."""


@dataclass(frozen=True)
class Script:
    """The rows that say something, by their steps, in the order of these."""

    source: str
    rows: dict[int, Row]

    def written(self, column: str, place: int) -> Iterator[tuple[int, Cell]]:
        """The cells of a column in which something is written; the others are never made."""
        for step, (number, texts) in self.rows.items():
            text = texts[place].strip()
            if text:
                yield step, Cell(text, self.source, number, column)


def resolved(header: Sequence[str], rows: Sequence[Sequence[str]], source: str) -> Timeline:
    """The timeline that a dope sheet's header and rows mean."""
    top = [Cell(text.strip(), source, 1, number) for number, text in enumerate(header, 1)]
    columns = columns_in(top, source)
    names = [column.name for column in columns]
    script = _in_order(list(_said(len(names), rows, source)), names.index("STEP"), source)
    tracks = {
        column.name: _track(top[place], column, script.written(column.name, place))
        for place, column in enumerate(columns)
        if column.name not in RESERVED
    }
    phases, actions = (
        script.written(name, names.index(name)) if name in names else ()
        for name in ("PHASE", "ACTION")
    )
    return Timeline(
        tracks,
        [Phase(cell.text, step) for step, cell in phases],
        {step: names_in(cell) for step, cell in actions},
        steps=max(script.rows) + 1,
    )


def _said(columns: int, rows: Sequence[Sequence[str]], source: str) -> Iterator[Row]:
    for number, row in enumerate(rows, 2):
        if not "".join(row).strip():
            continue
        if len(row) != columns:
            raise ValueError(
                f"{source}, row {number}, column {min(len(row), columns) + 1}: found a row of "
                f"{len(row)} cells, {list(row)}; expected {columns}, one per column."
            )
        yield number, row


def _in_order(rows: Sequence[Row], place: int, source: str) -> Script:
    if not rows:
        raise ValueError(f"{source}, row 2: found no row with text; expected a step, such as 0.")
    steps = steps_in([Cell(row[place].strip(), source, number, "STEP") for number, row in rows])
    return Script(source, dict(sorted(zip(steps, rows, strict=True))))


def _track(header: Cell, column: Column, written: Iterable[tuple[int, Cell]]) -> Track:
    keys = [Keyframe(step, number_in(cell, column.space), column.leave) for step, cell in written]
    if not keys:
        raise header.misread("a number in one of its rows; leave a column without any out")
    return Track(keys, column.space)
