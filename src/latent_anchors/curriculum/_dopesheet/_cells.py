"""What the cells of a dope sheet mean: numbers, names of actions, steps."""

import math
import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import accumulate
from typing import NamedTuple

ABSOLUTE = re.compile(r"[0-9]+")
COUNT = re.compile(r"[+-][1-9][0-9]*")
SHARE = re.compile(r"[+-]0?\.[0-9]*[1-9][0-9]*")


class Cell(NamedTuple):
    """The text of a cell, and its place for error messages.

    Rows are counted as in a spreadsheet: the header is row 1. A header's column is its number, any
    other cell's column is its header.
    """

    text: str
    sheet: str
    row: int
    column: str | int

    @property
    def place(self) -> str:
        """Sheet, row and column, for messages."""
        return f"{self.sheet}, row {self.row}, column {self.column!r}"

    def error(self, expected: str) -> ValueError:
        """The error for a cell that should hold something else."""
        return ValueError(f"{self.place}: found {self.text!r}; expected {expected}.")


def number_in(cell: Cell, space: str) -> float:
    """Parse a finite number; in log space a positive one."""
    # float() reads more than spreadsheets write: underscores, and the digits of every script
    if "_" in cell.text or not cell.text.isascii():
        raise cell.error("a number in plain digits, such as 1000 or 1e-3, or nothing")
    try:
        number = float(cell.text)
    except ValueError:
        raise cell.error("a number, or nothing") from None
    if not math.isfinite(number):
        raise cell.error("a finite number")
    if space == "log" and number <= 0:
        raise cell.error("a number above 0, since the column is in log space")
    return number


def names_in(cell: Cell) -> tuple[str, ...]:
    """Parse comma-separated names of actions."""
    names = tuple(name.strip() for name in cell.text.split(","))
    if not all(names):
        raise cell.error("names separated by single commas")
    return names


def steps_in(texts: Mapping[int, str], source: str) -> dict[int, int]:
    """Parse the STEP column, given by row: the row of every step, with relative steps resolved."""
    rows: dict[int, int] = {}
    for (row, text), step in zip(texts.items(), _steps(texts, source), strict=True):
        if step in rows:
            raise Cell(text, source, row, "STEP").error(
                f"another step, since row {rows[step]} is at step {step} already"
            )
        rows[step] = row
    return rows


def _steps(texts: Mapping[int, str], source: str) -> list[int]:
    anchors = [int(text) if ABSOLUTE.fullmatch(text) else None for text in texts.values()]
    above, below = _last_known(anchors), _last_known(anchors[::-1])[::-1]
    cells = (Cell(text, source, row, "STEP") for row, text in texts.items())
    return [_step(*each) for each in zip(cells, above, below, strict=True)]


def _last_known(anchors: Sequence[int | None]) -> list[int | None]:
    """For each row, the last absolute step so far, its own included."""
    return [*accumulate(anchors, lambda last, own: last if own is None else own)]


def _step(cell: Cell, above: int | None, below: int | None) -> int:
    origin = above if cell.text.startswith("+") else below
    if ABSOLUTE.fullmatch(cell.text):
        return int(cell.text)
    if COUNT.fullmatch(cell.text):
        return _counted(cell, origin)
    if SHARE.fullmatch(cell.text):
        return _shared(cell, above, below)
    raise cell.error(
        "a step such as 10, or one relative to the rows with such steps: +5, -5, +0.5, -0.5"
    )


def _counted(cell: Cell, origin: int | None) -> int:
    if origin is None:
        where = "above" if cell.text.startswith("+") else "below"
        raise cell.error(f"a row {where} with an absolute step to count from")
    step = origin + int(cell.text)
    if step < 0:
        raise cell.error(f"at most {origin} steps before step {origin}")
    return step


def _shared(cell: Cell, above: int | None, below: int | None) -> int:
    if above is None or below is None:
        raise cell.error("rows with absolute steps above and below, for a share of their distance")
    origin = above if cell.text.startswith("+") else below
    return round(origin + Fraction(cell.text) * (below - above))
