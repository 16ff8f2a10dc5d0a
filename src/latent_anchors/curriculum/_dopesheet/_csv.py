"""CSV: bytes to text, text to cells, and cells to text.

Bytes are UTF-8 or what a byte-order mark says; an encoding is never guessed.
"""

import codecs
import csv
import io
import re
from collections.abc import Sequence
from typing import NoReturn

from latent_anchors.curriculum._dopesheet._cells import Cell

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


def cells_in(text: str, source: str) -> list[list[str]]:
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
    return [line.split(comma) if line else [] for line in lines] if table else []


def _quoted(table: str, source: str, comma: str) -> list[list[str]]:
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
    return rows


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
