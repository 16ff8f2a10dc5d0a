"""A dope sheet: a schedule as it was written, read from CSV or records."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from typing_extensions import Protocol, runtime_checkable

from latent_anchors.curriculum._dopesheet._format import as_table, sheet_of
from latent_anchors.curriculum._dopesheet._parse import parse
from latent_anchors.curriculum._dopesheet._table_files import (
    Frame,
    as_csv,
    cells_in,
    decoded,
    refuse,
    rows_of,
)
from latent_anchors.curriculum._timeline import Timeline, check_timeline

MARK = "\N{BYTE ORDER MARK}"


@dataclass(frozen=True)
class Dopesheet:
    """A schedule as written: one row for each step with a key, a phase's start or an action.

    * ``STEP``: ``10`` is absolute. ``+5`` counts from the nearest absolute row above, ``-5`` back
      from the nearest below; ``+0.5`` and ``-0.5`` are shares of the distance between those two,
      rounded half to even. Rows need not be in the order of their steps. The last step ends the
      timeline, even if its row has no other cell.
    * ``PHASE``: A name starts a phase, which lasts until the next one. Before the first there is
      none.
    * ``ACTION``: Names of actions at the step, separated by commas.
    * ``name[:space[:easing]]``: A track in ``linear`` or ``log`` space (default ``linear``) whose
      keys have the transition of that name (default ``minimum-jerk``; ``pchip`` and ``quintic``
      pass through the keys without stopping; the names ``minjerk`` and ``step`` of older sheets are
      read as ``minimum-jerk`` and ``step-end``). A number is a key, an empty cell is none. A column
      with one key is a constant; one without is refused.

    A row whose cells are all empty only separates others. Spaces around a cell's text are ignored.
    ``print(sheet)`` shows a table.

    Args:
        columns: The header.
        rows: The cells below, as written.
        source: What error messages call the sheet.

    Raises:
        ValueError: If the sheet cannot be parsed; the message says where (sheet, row and column),
            what was found and what was expected.

    Examples:
        >>> sheet = Dopesheet(["STEP", "lr"], [["0", "0.1"], ["+10", "0.2"]])
        >>> sheet.timeline()(10)["lr"]
        0.2
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    source: str = field(default="sheet", compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", tuple(self.columns))
        object.__setattr__(self, "rows", tuple(tuple(row) for row in self.rows))
        _ = self._parsed  # refuses what cannot be parsed

    @cached_property
    def _parsed(self) -> Timeline:
        return parse(self.columns, self.rows, self.source)

    def timeline(self) -> Timeline:
        """The timeline that the sheet describes, with absolute steps.

        Examples:
            >>> sheet = Dopesheet(["STEP", "lr"], [["0", "0.1"], ["+0.5", "0.2"], ["8", ""]])
            >>> sheet.timeline()["lr"].keyframes[1]
            Keyframe(4, 0.2, leave=minimum_jerk)
        """
        return self._parsed

    def to_csv(self) -> str:
        r"""The sheet as comma-separated values, as it was written.

        What was read is written character for character, except for blank lines around the table, a
        byte-order mark, the kind of line ends (here ``\n``, one after each row), tabs between
        cells, spaces outside of quotation marks, and quotation marks that are not needed.

        Examples:
            >>> Dopesheet(["STEP", "lr"], [["0", "0.1"], ["+10", "0.2"]]).to_csv()
            'STEP,lr\n0,0.1\n+10,0.2\n'
        """
        return as_csv([self.columns, *self.rows])

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write a CSV file that :func:`read_dopesheet` can read.

        Raises:
            OSError: If the file cannot be written.

        Examples:
            >>> import tempfile
            >>> sheet = Dopesheet(["STEP", "lr"], [["0", "0.1"]])
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     sheet.write(f"{folder}/plan.csv")
            ...     len(Path(f"{folder}/plan.csv").read_text())
            14
        """
        Path(path).write_bytes(self.to_csv().encode())

    @classmethod
    def from_records(
        cls, records: "Iterable[Mapping[str, object]] | Frame", source: str = "records"
    ) -> "Dopesheet":
        """Construct a sheet from dicts, one per row, or from a pandas or polars frame.

        Columns are in order of first appearance. A key that a dict lacks, None and NaN are empty
        cells; numbers are written without loss.

        Args:
            records: Dicts of texts and numbers, or an object with ``to_dicts()`` or
                ``to_dict("records")``, such as a frame.
            source: What error messages call the sheet.

        Raises:
            TypeError: If there is no dict, a column is not text, or a cell neither text nor number.
            ValueError: If the sheet cannot be parsed.

        Examples:
            >>> print(Dopesheet.from_records([{"STEP": 0, "lr": 0.1}, {"STEP": "+5", "lr": 0.2}]))
            STEP  lr
            0     0.1
            +5    0.2
        """
        return cls(*rows_of(records, source), source)

    @classmethod
    def from_timeline(cls, timeline: Timeline) -> "Dopesheet":
        """Construct the sheet that describes a timeline, with absolute steps.

        The transition of a track's last key, which is unused, is not written.

        Raises:
            TypeError: If ``timeline`` is not a timeline.
            ValueError: If the keys of a track have different transitions, one has ``rest=True``, a
                transition has no name, or a name cannot stand in a cell.

        Examples:
            >>> from latent_anchors.curriculum import Keyframe, Phase, Track
            >>> lr = Track([Keyframe(0, 0.5), Keyframe(9, 0.25)], space="log")
            >>> print(Dopesheet.from_timeline(Timeline({"lr": lr}, [Phase("hues", 3)])))
            STEP  PHASE  lr:log
            0            0.5
            3     hues
            9            0.25
        """
        check_timeline(timeline)
        return cls(*sheet_of(timeline), "timeline")

    def __str__(self) -> str:
        return as_table([self.columns, *self.rows])


@runtime_checkable
class Readable(Protocol):
    """An open file, of text or of bytes."""

    def read(self) -> str | bytes:
        """The whole content."""
        ...


def read_dopesheet(
    source: str | os.PathLike[str] | Readable, encoding: str | None = None
) -> Dopesheet:
    r"""Read a dope sheet in CSV from a path, an open file, or the text itself.

    A string with a line break in it is the text, any other a path. Files are in UTF-8, or in UTF-16
    with a byte-order mark, as spreadsheets save "Unicode text"; the mark is not part of the sheet.
    Where the header has tabs and no comma, tabs separate cells. Blank lines before and after the
    table are dropped; :meth:`Dopesheet.to_csv` writes the rest as it was.

    Args:
        source: A path, an open file, or the text.
        encoding: Encoding of a file in any other one, such as ``"cp1252"``.

    Raises:
        OSError: If the file cannot be read.
        TypeError: If the source is none of these, or an encoding is given for text.
        ValueError: If a file has another encoding, the text is not CSV, or the sheet cannot be
            parsed, as described in :class:`Dopesheet`.

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
                f"encoding is {encoding!r}, but {name} is given as text, which is decoded already; "
                "expected a path or a file opened as bytes. Leave encoding out, or pass it to "
                "open()."
            )
        text = content
    else:
        text = decoded(content, name, encoding)
    header, *rows = cells_in(text.removeprefix(MARK), name) or [()]
    return Dopesheet(header, rows, name)


def _opened(source: str | os.PathLike[str] | Readable) -> tuple[str, str | bytes]:
    """The name for error messages, and the content."""
    if isinstance(source, str) and "\n" in source:
        return "sheet", source
    if isinstance(source, str | os.PathLike):
        return str(source), Path(source).read_bytes()
    if not isinstance(source, Readable):  # pyright: ignore[reportUnnecessaryIsInstance] -- users pass rows all the same
        raise TypeError(
            f"The sheet is {source!r}; expected a path, an open file, or the text itself. For "
            "lists use Dopesheet(columns, rows), for dicts Dopesheet.from_records(dicts)."
        )
    name = str(getattr(source, "name", None) or "sheet")
    try:
        return name, source.read()
    except UnicodeDecodeError as error:
        refuse(error, name)
