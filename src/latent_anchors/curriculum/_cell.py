"""One cell of a dope sheet, which knows where it stands."""

import math
from typing import NamedTuple


class Cell(NamedTuple):
    """A text, and where to look when it is wrong.

    Rows are counted as a spreadsheet does: the header is row 1. A header's column is told by
    its number, any other cell's by its header.
    """

    text: str
    sheet: str
    row: int
    column: str | int

    @property
    def place(self) -> str:
        """Where it stands."""
        return f"{self.sheet}, row {self.row}, column {self.column!r}"

    def misread(self, expected: str) -> ValueError:
        """What stands there, and what would be right."""
        return ValueError(f"{self.place}: found {self.text!r}; expected {expected}.")


def number_in(cell: Cell, space: str) -> float:
    """The finite number that a cell keys; in log space a positive one."""
    # float() reads more than spreadsheets write: underscores, and the digits of every script.
    if "_" in cell.text or not cell.text.isascii():
        raise cell.misread("a number in plain digits, such as 1000 or 1e-3, or nothing")
    try:
        number = float(cell.text)
    except ValueError:
        raise cell.misread("a number, or nothing") from None
    if not math.isfinite(number):
        raise cell.misread("a finite number")
    if space == "log" and number <= 0:
        raise cell.misread("a number above 0, since the column is in log space")
    return number


def names_in(cell: Cell) -> tuple[str, ...]:
    """The names of actions in a cell, which commas separate."""
    names = tuple(name.strip() for name in cell.text.split(","))
    if not all(names):
        raise cell.misread("names separated by single commas")
    return names
