"""Parse a table of texts into a timeline."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from latent_anchors._checks import listed
from latent_anchors.curriculum._dopesheet._cells import Cell, names_in, number_in, steps_in
from latent_anchors.curriculum._keyframe import Keyframe
from latent_anchors.curriculum._timeline import Phase, Timeline
from latent_anchors.curriculum._track import SPACES, Track
from latent_anchors.transitions import Transition, minimum_jerk, named

RESERVED = ("STEP", "PHASE", "ACTION")

OLD_NAMES = {"minjerk": "minimum-jerk", "step": "step-end"}
"""Names of easings in the first dope sheets; only sheets know them."""


@dataclass(frozen=True)
class Column:
    """A track's name, its space, and the transition of its keys."""

    name: str
    space: str = "linear"
    leave: Transition = minimum_jerk


@dataclass(frozen=True)
class StepRows:
    """The rows that are not empty, by number, and their numbers in increasing order of steps."""

    source: str
    rows: Mapping[int, Sequence[str]]
    numbers: Mapping[int, int]

    def cells(self, column: str, place: int) -> Iterator[tuple[int, Cell]]:
        """The cells of a column that are not empty, with their steps."""
        for step, number in self.numbers.items():
            text = self.rows[number][place].strip()
            if text:
                yield step, Cell(text, self.source, number, column)


def parse(header: Sequence[str], rows: Sequence[Sequence[str]], source: str) -> Timeline:
    """The timeline that a dope sheet's header and rows describe."""
    top = [Cell(text.strip(), source, 1, number) for number, text in enumerate(header, 1)]
    columns = columns_in(top, source)
    names = [column.name for column in columns]
    by_step = _by_step(_not_empty(len(names), rows, source), names.index("STEP"), source)
    tracks = {
        column.name: _track(top[place], column, place, by_step)
        for place, column in enumerate(columns)
        if column.name not in RESERVED
    }
    phases, actions = (
        by_step.cells(name, names.index(name)) if name in names else ()
        for name in ("PHASE", "ACTION")
    )
    return Timeline(
        tracks,
        [Phase(cell.text, step) for step, cell in phases],
        {step: names_in(cell) for step, cell in actions},
        steps=max(by_step.numbers) + 1,
    )


def columns_in(header: Sequence[Cell], source: str) -> list[Column]:
    """Parse the header; ``STEP`` must be there, and no name twice."""
    columns = [_column_in(cell) for cell in header]
    names = [column.name for column in columns]
    for place, (cell, name) in enumerate(zip(header, names, strict=True)):
        if name in names[:place]:
            raise cell.error(f"a name that is not in column {names.index(name) + 1} already")
    if "STEP" not in names:
        raise ValueError(
            f"{source}, row 1: found the columns {listed(names)}; expected 'STEP' among them."
        )
    return columns


def _column_in(cell: Cell) -> Column:
    name, *parts = (part.strip() for part in cell.text.split(":"))
    if not name or len(parts) > 2 or (parts and name in RESERVED):
        raise cell.error("name[:space[:easing]], such as 'lr', 'lr:log' or 'lr::linear'")
    space, easing, *_ = (*parts, "", "")
    return Column(name, _space(cell, space), _easing(cell, easing))


def _space(cell: Cell, space: str) -> str:
    if space and space not in SPACES:
        raise cell.error(f"a space that is one of {listed(SPACES)}")
    return space or "linear"


def _easing(cell: Cell, easing: str) -> Transition:
    if not easing:
        return minimum_jerk
    try:
        return _looked_up(easing)
    except ValueError as error:
        raise ValueError(f"{cell.place}: found {cell.text!r}. {error}") from error


def _looked_up(easing: str) -> Transition:
    """By its name; an old one counts where no transition of a user's has it."""
    try:
        return named(easing)
    except ValueError:
        if easing not in OLD_NAMES:
            raise
        return named(OLD_NAMES[easing])


def _not_empty(
    columns: int, rows: Sequence[Sequence[str]], source: str
) -> dict[int, Sequence[str]]:
    """The rows by number, as a spreadsheet counts, without those whose cells are all empty."""
    written = {number: row for number, row in enumerate(rows, 2) if "".join(row).strip()}
    for number, row in written.items():
        if len(row) != columns:
            raise ValueError(
                f"{source}, row {number}, column {min(len(row), columns) + 1}: found a row of "
                f"{len(row)} cells, {list(row)}; expected {columns}, one per column."
            )
    return written


def _by_step(rows: Mapping[int, Sequence[str]], place: int, source: str) -> StepRows:
    if not rows:
        raise ValueError(f"{source}, row 2: found no row with text; expected a step, such as 0.")
    steps = steps_in({number: row[place].strip() for number, row in rows.items()}, source)
    return StepRows(source, rows, {step: steps[step] for step in sorted(steps)})


def _track(header: Cell, column: Column, place: int, by_step: StepRows) -> Track:
    if not any(by_step.cells(column.name, place)):
        raise header.error("a number in one of its rows; leave out a column without any")
    cells = by_step.cells(column.name, place)
    keys = (Keyframe(step, number_in(cell, column.space), column.leave) for step, cell in cells)
    return Track(keys, column.space)
