"""Tables: CSV as bytes, text and cells, and data frames.

Bytes are UTF-8 or what a byte-order mark says; an encoding is never guessed.
"""

import codecs
import csv
import io
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral, Real
from typing import Any, NoReturn, cast

from typing_extensions import Protocol, runtime_checkable

from latent_anchors.curriculum._dopesheet._cells import Cell
from latent_anchors.curriculum._dopesheet._parse import RESERVED

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins like the one of UTF-16
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Byte-order marks and the encodings they stand for."""

LINE_END = re.compile(r"\r\n|\r|\n")

CELL = r"""
    (?: {space}*+ "([^"]*+(?:""[^"]*+)*+)" {space}*+ | ([^"{tab}\r\n]*+) )  # quoted, or plain
    ({tab} | \r\n | \r | \n | \Z)                                          # and what ends it
"""

REMEDY = "Save it as 'CSV UTF-8', or name its encoding, such as encoding={!r}."


def decoded(content: bytes, name: str, encoding: str | None) -> str:
    """The text of a file."""
    try:
        return content.decode(_encoding_of(content, name) if encoding is None else encoding)
    except UnicodeDecodeError as error:
        refuse(error, name)
    except LookupError:
        raise ValueError(
            f"Unknown encoding {encoding!r} of {name}; expected one that Python knows, such as "
            "'utf-8', 'utf-16' or 'cp1252'."
        ) from None


def refuse(error: UnicodeDecodeError, name: str) -> NoReturn:
    """Raise an error that says which byte of a file cannot be decoded, and what to do."""
    before = error.object[: error.start].decode(error.encoding, "replace")
    found = error.object[error.start : error.start + 1].hex()
    lines = before.split("\n")
    raise ValueError(
        f"{name}, line {len(lines)}: found the byte 0x{found} after {lines[-1]!r}, which is not "
        f"valid {error.encoding}; expected UTF-8, or UTF-16 with a byte-order mark. "
        + REMEDY.format("cp1252")
    ) from error


def _encoding_of(content: bytes, name: str) -> str:
    for mark, encoding in MARKS:
        if content.startswith(mark):
            return encoding
    # no header has a zero within its first two characters
    if 0 in content[:2]:
        raise ValueError(
            f"{name} begins with the bytes {content[:2]!r}, like UTF-16 without a byte-order mark; "
            "expected UTF-8, or UTF-16 with the mark. "
            + REMEDY.format("utf-16-be" if content[0] == 0 else "utf-16-le")
        )
    return "utf-8"


def cells_in(text: str, source: str) -> list[tuple[str, ...]]:
    """The cells of every line, without blank lines before and after the table.

    Quotation marks, possibly with spaces around them, enclose a whole cell or are refused. A blank
    line within the table has no cells. Commas separate cells, or tabs if the header has tabs and no
    comma, as in a spreadsheet's "Unicode text".
    """
    table = _without_outer_blanks(text)
    header = LINE_END.split(table, 1)[0]
    comma = "," if "," in header or "\t" not in header else "\t"
    if '"' in table:
        return _quoted(table, source, comma)
    lines = LINE_END.split(table)
    return [tuple(line.split(comma)) if line else () for line in lines] if table else []


def _quoted(table: str, source: str, comma: str) -> list[tuple[str, ...]]:
    space = r"[^\S\r\n]" if comma == "," else r"[^\S\r\n\t]"
    cell = re.compile(CELL.format(space=space, tab=comma.replace("\t", r"\t")), re.VERBOSE)
    rows: list[list[str]] = [[]]
    start, end = 0, ""
    while start < len(table) or end == comma:
        found = cell.match(table, start)
        if found is None:
            raise _misquoted(table[start:], source, comma, rows)
        quoted, plain, end = found.groups()
        blank = not (plain or rows[-1]) and quoted is None and end != comma
        rows[-1] += [] if blank else [plain if quoted is None else quoted.replace('""', '"')]
        start = found.end()
        if end not in (comma, ""):
            rows.append([])
    return [tuple(row) for row in rows]


def _misquoted(rest: str, source: str, comma: str, rows: list[list[str]]) -> ValueError:
    """The error for a cell whose quotation marks do not pair up."""
    column = len(rows[-1]) + 1
    named = column <= len(rows[0])  # never in the first row, whose cells come before this one
    found = re.split(rf"[{comma}\r\n]", rest, maxsplit=1)[0]
    cell = Cell(found, source, len(rows), rows[0][column - 1].strip() if named else column)
    return cell.error(
        "quotation marks around all of a cell or none, and those within it doubled, such as "
        '"the ""easy"" ones"'
    )


def _without_outer_blanks(text: str) -> str:
    """From the beginning of the first line that is not blank to the end of the last one."""
    begins, ends = len(text) - len(text.lstrip()), len(text.rstrip())
    first = max(text.rfind(mark, 0, begins) for mark in "\r\n") + 1
    last = LINE_END.search(text, ends)
    return text[first : len(text) if last is None else last.start()] if begins < len(text) else ""


def as_csv(rows: Sequence[Sequence[str]]) -> str:
    """Comma-separated values; only cells that need quotation marks get them."""
    return "".join(_line(row) for row in rows)


def _line(row: Sequence[str]) -> str:
    line = io.StringIO(newline="")
    # before Python 3.13, only the characters of the line end make it quote a cell with a line break
    csv.writer(line, lineterminator="\r\n").writerow(row)
    return line.getvalue().removesuffix("\r\n") + "\n"


@runtime_checkable
class PandasFrame(Protocol):
    """The method of a pandas frame that is used."""

    def to_dict(self, orient: Any, /) -> Any:
        """Its rows, with ``orient="records"``."""
        ...


@runtime_checkable
class PolarsFrame(Protocol):
    """The method of a polars frame that is used."""

    def to_dicts(self) -> list[dict[str, Any]]:
        """Its rows."""
        ...


Frame = PandasFrame | PolarsFrame
Records = Iterable[Mapping[str, object]]

MISSING = ("NoneType", "NAType", "NaTType")
"""Type names of missing values, since no frame library is imported."""


def rows_of(given: Records | Frame, source: str) -> tuple[list[str], list[list[str]]]:
    """Columns in order of first appearance, and the rows of texts."""
    records = _records(given, source)
    columns = list(dict.fromkeys(name for record in records for name in record))
    for number, name in enumerate(columns, 1):
        if not isinstance(name, str):  # pyright: ignore[reportUnnecessaryIsInstance] -- frames number their columns all the same
            raise TypeError(
                f"{source}, row 1, column {number}: found {name!r}; expected a name, such as 'lr'."
            )
    rows = [
        [
            _text(record.get(name), f"{source}, row {number}, column {name!r}", name)
            for name in columns
        ]
        for number, record in enumerate(records, 2)
    ]
    return columns, rows


def _records(given: Records | Frame, source: str) -> list[Mapping[str, object]]:
    found: Any = given
    if isinstance(given, PolarsFrame):
        found = given.to_dicts()
    elif isinstance(given, PandasFrame):
        found = given.to_dict("records")
    records = [] if isinstance(found, Mapping) else list(cast("Iterable[object]", found))
    if not records or not all(isinstance(record, Mapping) for record in records):
        raise TypeError(
            f"{source} are {given!r}; expected dicts, such as [{{'STEP': 0, 'lr': 0.1}}], "
            "or a pandas or polars frame."
        )
    return cast("list[Mapping[str, object]]", records)


def _text(value: object, place: str, column: str) -> str:
    if isinstance(value, str):
        return value
    if type(value).__name__ in MISSING or (isinstance(value, Real) and math.isnan(value)):
        return ""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{place}: found {value!r}; expected a number, a text, or nothing.")
    # a frame turns a column of integers into floats when one of them is missing
    if isinstance(value, Integral):
        return str(value)
    whole = column in RESERVED and float(value).is_integer()
    return f"{float(value):.0f}" if whole else repr(float(value))
