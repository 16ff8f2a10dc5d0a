"""The animators' table: a schedule as it was written."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from latent_anchors.curriculum._records import Frame, rows_of
from latent_anchors.curriculum._resolving import resolved
from latent_anchors.curriculum._tabling import tabled
from latent_anchors.curriculum._timeline import Timeline, check_timeline
from latent_anchors.curriculum._writing import as_csv, as_table


@dataclass(frozen=True)
class Dopesheet:
    """A schedule as written: one row per step at which something is keyed, starts or happens.

    * ``STEP``: ``10`` is absolute. ``+5`` counts from the nearest absolute row above, ``-5`` back
      from the nearest below; ``+0.5`` and ``-0.5`` are shares of the distance between those two,
      rounded half to even. Rows are played in the order of their steps, however they are written.
      The last step ends the timeline, even if its row does nothing else.
    * ``PHASE``: a name starts a phase, which lasts until the next one; before the first there is
      none.
    * ``ACTION``: names of what happens at the step, separated by commas; spaces around them go.
    * ``name[:space[:easing]]``: a track in ``linear`` or ``log`` space (default ``linear``) whose
      keys are left by the transition of that name (default ``minimum-jerk``; ``pchip`` and
      ``quintic`` pass through the keys without a stop; the names ``minjerk`` and ``step`` of older
      sheets are read as ``minimum-jerk`` and ``step-end``). A number is a key, an empty cell is
      none; a column with one key is a constant, one without is refused.

    A row whose cells are all empty only separates others. Spaces around a cell's text do not count.
    ``print(sheet)`` shows a table.

    Args:
        columns: the header.
        rows: the cells below, as written.
        source: what to call the sheet when something is wrong with it.

    Raises:
        ValueError: when the sheet is made, if it cannot be resolved; the message names the sheet,
            row and column, what stands there, and what would be right.

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
        _ = self._resolved  # refuses what cannot be resolved

    @cached_property
    def _resolved(self) -> Timeline:
        return resolved(self.columns, self.rows, self.source)

    def timeline(self) -> Timeline:
        """What the sheet says, every step absolute.

        Examples:
            >>> sheet = Dopesheet(["STEP", "lr"], [["0", "0.1"], ["+0.5", "0.2"], ["8", ""]])
            >>> sheet.timeline()["lr"].keyframes[1]
            Keyframe(4, 0.2, leave=minimum_jerk)
        """
        return self._resolved

    def to_csv(self) -> str:
        r"""The sheet as comma-separated values, as it was written.

        What was read comes back character for character, but for blank lines around the table, a
        byte-order mark, the kind of line ends (here ``\n``, one after each row), tabs between
        cells, spaces outside of quotation marks, and quotation marks where none are needed.

        Examples:
            >>> Dopesheet(["STEP", "lr"], [["0", "0.1"], ["+10", "0.2"]]).to_csv()
            'STEP,lr\n0,0.1\n+10,0.2\n'
        """
        return as_csv([self.columns, *self.rows])

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the file that :func:`read_dopesheet` reads.

        Raises:
            OSError: if the file cannot be written.

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
        """A sheet from dicts, one per row, or from a pandas or polars frame.

        Columns stand in the order in which they first appear. A name that a dict lacks, None and
        NaN are empty cells; numbers are written so that they are read as the same.

        Args:
            records: dicts of texts and numbers; or what has ``to_dicts()`` or
                ``to_dict("records")``, as frames have.
            source: what to call the sheet when something is wrong with it.

        Raises:
            TypeError: if there is no dict, a column is no text, or a cell neither text nor number.
            ValueError: if the sheet cannot be resolved.

        Examples:
            >>> print(Dopesheet.from_records([{"STEP": 0, "lr": 0.1}, {"STEP": "+5", "lr": 0.2}]))
            STEP  lr
            0     0.1
            +5    0.2
        """
        return cls(*rows_of(records, source), source)

    @classmethod
    def from_timeline(cls, timeline: Timeline) -> "Dopesheet":
        """The sheet that means a timeline, with absolute steps.

        How the last key of a track is left is not written; it leaves for nowhere.

        Raises:
            TypeError: if it is no timeline.
            ValueError: if a track's keys are not all left in one way, one of them has its own
                ``rest``, a transition has no name, or a name cannot stand in a cell.

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
        return cls(*tabled(timeline), "timeline")

    def __str__(self) -> str:
        return as_table([self.columns, *self.rows])
