"""The animators' table: a schedule as it was written."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from latent_anchors.curriculum._resolving import resolved
from latent_anchors.curriculum._timeline import Timeline


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
      keys are left by the transition of that name (default ``minimum-jerk``; the names ``minjerk``
      and ``step`` of older sheets are read as ``minimum-jerk`` and ``step-end``). A number is a
      key, an empty cell is none; a column with one key is a constant, one without is refused.

    A row whose cells are all empty only separates others. Spaces around a cell's text do not count.

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
        self.timeline()

    def timeline(self) -> Timeline:
        """What the sheet says, every step absolute.

        Examples:
            >>> sheet = Dopesheet(["STEP", "lr"], [["0", "0.1"], ["+0.5", "0.2"], ["8", ""]])
            >>> sheet.timeline()["lr"].keyframes[1]
            Keyframe(4, 0.2, leave=minimum_jerk)
        """
        return resolved(self.columns, self.rows, self.source)
