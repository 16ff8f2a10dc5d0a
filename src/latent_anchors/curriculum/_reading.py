"""Dope sheets from files and texts."""

import os
from pathlib import Path

from typing_extensions import Protocol, runtime_checkable

from latent_anchors.curriculum._dopesheet import Dopesheet
from latent_anchors.curriculum._encodings import decoded, refuse
from latent_anchors.curriculum._separated import separated

MARK = "\N{BYTE ORDER MARK}"


@runtime_checkable
class Readable(Protocol):
    """An open file, of text or of bytes."""

    def read(self) -> str | bytes:
        """All of it."""
        ...


def read_dopesheet(
    source: str | os.PathLike[str] | Readable, encoding: str | None = None
) -> Dopesheet:
    r"""A dope sheet from CSV: a path, an open file, or the text itself.

    A string with a line break in it is the text, any other a path. Files are in UTF-8, or in UTF-16
    with a byte-order mark, as spreadsheets save "Unicode text"; the mark is no part of the sheet,
    whichever way it comes. Where the header has tabs and no comma, tabs separate cells. Blank lines
    before and after the table are dropped; :meth:`Dopesheet.to_csv` writes all else as it stands.

    Args:
        source: where the sheet is.
        encoding: of the bytes of a file that is in another one, such as ``"cp1252"``.

    Raises:
        OSError: if the file cannot be read.
        TypeError: if the source is none of these, or an encoding is given for what is a text
            already.
        ValueError: if a file has another encoding, the text is no CSV, or the sheet cannot be
            resolved, as told by :class:`Dopesheet`.

    Examples:
        >>> sheet = read_dopesheet("STEP,PHASE,lr:log\n0,hues,0.01\n10,,0.001\n")
        >>> sheet.columns
        ('STEP', 'PHASE', 'lr:log')
        >>> sheet.timeline()(10)["lr"]
        0.001
    """
    name, content = _opened(source)
    if isinstance(content, str):
        if encoding is not None:
            raise TypeError(
                f"encoding is {encoding!r}, but {name} is given as text, which has none; expected "
                "a path or a file opened as bytes. Leave encoding out, or give it to open()."
            )
        text = content
    else:
        text = decoded(content, name, encoding)
    header, *rows = separated(text.removeprefix(MARK), name) or [[]]
    return Dopesheet(header, rows, name)


def _opened(source: str | os.PathLike[str] | Readable) -> tuple[str, str | bytes]:
    """What to call it, and what is in it."""
    if isinstance(source, str) and "\n" in source:
        return "sheet", source
    if isinstance(source, str | os.PathLike):
        return str(source), Path(source).read_bytes()
    if not isinstance(source, Readable):  # pyright: ignore[reportUnnecessaryIsInstance] -- users pass rows all the same
        raise TypeError(
            f"The sheet is {source!r}; expected a path, an open file, or the text itself. Lists "
            "make a Dopesheet(columns, rows), and dicts Dopesheet.from_records(dicts)."
        )
    name = str(getattr(source, "name", None) or "sheet")
    try:
        return name, source.read()
    except UnicodeDecodeError as error:
        refuse(error, name)
