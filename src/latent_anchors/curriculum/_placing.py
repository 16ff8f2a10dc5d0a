"""The STEP column of a dope sheet: from what is written to steps."""

import re
from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate

from latent_anchors.curriculum._cell import Cell

ABSOLUTE = re.compile(r"[0-9]+")
COUNT = re.compile(r"[+-][1-9][0-9]*")
SHARE = re.compile(r"[+-]0?\.[0-9]*[1-9][0-9]*")


def steps_in(cells: Sequence[Cell]) -> list[int]:
    """The step of every row, in the order of the rows; relative ones refer to absolute ones."""
    steps = _steps(cells)
    _check_distinct(cells, steps)
    return steps


def _steps(cells: Sequence[Cell]) -> list[int]:
    anchors = [int(cell.text) if ABSOLUTE.fullmatch(cell.text) else None for cell in cells]
    above, below = _last_known(anchors), _last_known(anchors[::-1])[::-1]
    return [_step(*row) for row in zip(cells, above, below, strict=True)]


def _last_known(anchors: Sequence[int | None]) -> list[int | None]:
    """For each row the nearest anchor on the way to it, its own included."""
    return [*accumulate(anchors, lambda last, own: last if own is None else own)]


def _step(cell: Cell, above: int | None, below: int | None) -> int:
    origin = above if cell.text.startswith("+") else below
    if ABSOLUTE.fullmatch(cell.text):
        return int(cell.text)
    if COUNT.fullmatch(cell.text):
        return _counted(cell, origin)
    if SHARE.fullmatch(cell.text):
        return _shared(cell, above, below)
    raise cell.misread(
        "a step such as 10, or one relative to the rows with such steps: +5, -5, +0.5, -0.5"
    )


def _counted(cell: Cell, origin: int | None) -> int:
    if origin is None:
        where = "above" if cell.text.startswith("+") else "below"
        raise cell.misread(f"a row {where} with an absolute step, from which to count")
    step = origin + int(cell.text)
    if step < 0:
        raise cell.misread(f"at most {origin} steps before step {origin}")
    return step


def _shared(cell: Cell, above: int | None, below: int | None) -> int:
    if above is None or below is None:
        raise cell.misread("rows with absolute steps above and below, of whose distance to take it")
    origin = above if cell.text.startswith("+") else below
    return round(origin + Fraction(cell.text) * (below - above))


def _check_distinct(cells: Sequence[Cell], steps: Sequence[int]) -> None:
    rows: dict[int, int] = {}
    for cell, step in zip(cells, steps, strict=True):
        if step in rows:
            raise cell.misread(f"another step, since row {rows[step]} is at step {step} already")
        rows[step] = cell.row
