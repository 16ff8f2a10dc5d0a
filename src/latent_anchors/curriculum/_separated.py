"""From a text to rows of cells: values separated by commas, or by tabs."""

import re

from latent_anchors.curriculum._cell import Cell

LINE_END = re.compile(r"\r\n|\r|\n")

CELL = r"""
    (?: {space}*+ "([^"]*+(?:""[^"]*+)*+)" {space}*+ | ([^"{tab}\r\n]*+) )  # quoted, or plain
    ({tab} | \r\n | \r | \n | \Z)                                          # and what ends it
"""


def separated(text: str, source: str) -> list[list[str]]:
    """The cells of every line, blank lines before and after the table left out.

    Quotation marks, with spaces around them if need be, enclose all of a cell or are refused; a
    blank line between others has no cells. Commas separate cells, unless the header has tabs and no
    comma, as in what a spreadsheet calls "Unicode text".
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
    """A cell that cannot be told from its neighbors, since its quotation marks do not pair up."""
    column = len(rows[-1]) + 1
    named = len(rows) > 1 and column <= len(rows[0])
    found = re.split(rf"[{comma}\r\n]", rest, maxsplit=1)[0]
    cell = Cell(found, source, len(rows), rows[0][column - 1].strip() if named else column)
    return cell.misread(
        "quotation marks around all of a cell or none, and those within it doubled, such as "
        '"the ""easy"" ones"'
    )


def _without_outer_blanks(text: str) -> str:
    """From the beginning of the first line that is not blank to the end of the last one."""
    begins, ends = len(text) - len(text.lstrip()), len(text.rstrip())
    first = max(text.rfind(mark, 0, begins) for mark in "\r\n") + 1
    last = LINE_END.search(text, ends)
    return text[first : len(text) if last is None else last.start()] if begins < len(text) else ""
