"""Dope sheets from files and texts."""

import csv
import os
import re
from io import StringIO, TextIOBase
from pathlib import Path

from latent_anchors.curriculum._dopesheet import Dopesheet

OUTER_BLANKS = re.compile(r"\A(?:[^\S\n]*\n)+|(?:\n[^\S\n]*)+\Z|\A\s+\Z")


def read_dopesheet(source: str | os.PathLike[str] | TextIOBase) -> Dopesheet:
    r"""A dope sheet from CSV: a path, an open text file, or the text itself.

    A string with a line break in it is the text, any other a path. Blank lines before and after
    the table are dropped; :meth:`Dopesheet.to_csv` writes all else as it stands.

    Raises:
        OSError: if the file cannot be read.
        ValueError: if the text is no CSV, or the sheet cannot be resolved, as told by
            :class:`Dopesheet`.

    Examples:
        >>> sheet = read_dopesheet("STEP,PHASE,lr:log\n0,hues,0.01\n10,,0.001\n")
        >>> sheet.columns
        ('STEP', 'PHASE', 'lr:log')
        >>> sheet.timeline()(10)["lr"]
        0.001
    """
    name, text = _opened(source)
    try:
        lines = list(csv.reader(StringIO(OUTER_BLANKS.sub("", text), newline=""), strict=True))
    except csv.Error as error:
        raise ValueError(f"{name} is no table of comma-separated values: {error}.") from error
    return Dopesheet(lines[0] if lines else (), lines[1:], name)


def _opened(source: str | os.PathLike[str] | TextIOBase) -> tuple[str, str]:
    if isinstance(source, TextIOBase):
        return str(getattr(source, "name", "sheet")), source.read()
    if isinstance(source, str) and "\n" in source:
        return "sheet", source
    # Spreadsheets begin their files with a byte-order mark, which is no part of the first name.
    return str(source), Path(source).read_bytes().decode("utf-8-sig")
