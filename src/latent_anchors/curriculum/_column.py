"""The header of a dope sheet: what each column keys, and how values travel down it."""

from collections.abc import Sequence
from dataclasses import dataclass

from latent_anchors._checks import listed
from latent_anchors.curriculum._cell import Cell
from latent_anchors.curriculum._track import SPACES
from latent_anchors.transitions import Transition, minimum_jerk, named

RESERVED = ("STEP", "PHASE", "ACTION")

OLD_NAMES = {"minjerk": "minimum-jerk", "step": "step-end"}
"""How the first dope sheets called their easings. Only sheets know these names."""


@dataclass(frozen=True)
class Column:
    """A track's name, its space, and how its keys are left."""

    name: str
    space: str = "linear"
    leave: Transition = minimum_jerk


def columns_in(header: Sequence[Cell], source: str) -> list[Column]:
    """Every column, with ``STEP`` among them and no name twice."""
    columns = [_column_in(cell) for cell in header]
    names = [column.name for column in columns]
    for place, (cell, name) in enumerate(zip(header, names, strict=True)):
        if name in names[:place]:
            raise cell.misread(f"a name that is not in column {names.index(name) + 1} already")
    if "STEP" not in names:
        raise ValueError(
            f"{source}, row 1: found the columns {listed(names)}; expected 'STEP' among them."
        )
    return columns


def _column_in(cell: Cell) -> Column:
    name, *parts = (part.strip() for part in cell.text.split(":"))
    if not name or len(parts) > 2 or (parts and name in RESERVED):
        raise cell.misread("name[:space[:easing]], such as 'lr', 'lr:log' or 'lr::linear'")
    space, easing, *_ = (*parts, "", "")
    return Column(name, _space(cell, space), _easing(cell, easing))


def _space(cell: Cell, space: str) -> str:
    if space and space not in SPACES:
        raise cell.misread(f"a space that is one of {listed(SPACES)}")
    return space or "linear"


def _easing(cell: Cell, easing: str) -> Transition:
    if not easing:
        return minimum_jerk
    try:
        return named(OLD_NAMES.get(easing, easing))
    except ValueError as error:
        raise ValueError(f"{cell.place}: found {cell.text!r}. {error}") from error
