"""Dope sheets as texts: comma-separated values, and a table for the terminal."""

from collections.abc import Sequence

Lines = Sequence[Sequence[str]]


def as_csv(lines: Lines) -> str:
    """Comma-separated values; only cells that need quotation marks have them."""
    return "".join(_line(cells) + "\n" for cells in lines)


def _line(cells: Sequence[str]) -> str:
    # A single empty cell would be a blank line, which has none.
    return '""' if list(cells) == [""] else ",".join(map(_quoted, cells))


def _quoted(text: str) -> str:
    if any(mark in text for mark in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


def as_table(lines: Lines) -> str:
    """Columns side by side, two spaces apart."""
    columns = len(lines[0])
    padded = [[*(" ".join(cell.split()) for cell in line), *[""] * columns] for line in lines]
    widths = [max(len(line[k]) for line in padded) for k in range(columns)]
    texts = [
        "  ".join(line[k].ljust(width) for k, width in enumerate(widths)).rstrip()
        for line in padded
    ]
    return "\n".join(texts)
