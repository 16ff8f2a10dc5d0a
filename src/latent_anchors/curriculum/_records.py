"""Dope sheets from lists of dicts and from frames."""

import math
from collections.abc import Iterable, Mapping
from numbers import Integral, Real
from typing import Any, cast

from typing_extensions import Protocol, runtime_checkable

from latent_anchors.curriculum._column import RESERVED


@runtime_checkable
class PandasFrame(Protocol):
    """What a pandas frame has."""

    def to_dict(self, orient: Any, /) -> Any:
        """Its rows, if ``orient`` says so."""
        ...


@runtime_checkable
class PolarsFrame(Protocol):
    """What a polars frame has."""

    def to_dicts(self) -> list[dict[str, Any]]:
        """Its rows."""
        ...


Frame = PandasFrame | PolarsFrame
Records = Iterable[Mapping[str, object]]

MISSING = ("NoneType", "NAType", "NaTType")
"""What stands for an empty cell, by the names of the types; no frame library is imported."""


def rows_of(given: Records | Frame, source: str) -> tuple[list[str], list[list[str]]]:
    """The columns, in the order in which they first appear, and the texts of the cells."""
    records = _records(given, source)
    columns = list(dict.fromkeys(name for record in records for name in record))
    for number, name in enumerate(columns, 1):
        if not isinstance(name, str):  # pyright: ignore[reportUnnecessaryIsInstance] -- frames number their columns all the same
            raise TypeError(
                f"{source}, row 1, column {number}: found {name!r}; expected a name, such as 'lr'."
            )
    rows = [
        [
            _text(record.get(name), f"{source}, row {number}, column {name!r}", name)
            for name in columns
        ]
        for number, record in enumerate(records, 2)
    ]
    return columns, rows


def _records(given: Records | Frame, source: str) -> list[Mapping[str, object]]:
    found: Any = given
    if isinstance(given, PolarsFrame):
        found = given.to_dicts()
    elif isinstance(given, PandasFrame):
        found = given.to_dict("records")
    records = [] if isinstance(found, Mapping) else list(cast("Iterable[object]", found))
    if not records or not all(isinstance(record, Mapping) for record in records):
        raise TypeError(
            f"{source} is made of {given!r}; expected dicts, such as [{{'STEP': 0, 'lr': 0.1}}], "
            "or a pandas or polars frame."
        )
    return cast("list[Mapping[str, object]]", records)


def _text(value: object, place: str, column: str) -> str:
    if isinstance(value, str):
        return value
    if type(value).__name__ in MISSING or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{place}: found {value!r}; expected a number, a text, or nothing.")
    # A frame turns a column of whole numbers into floats when one of them is missing.
    if isinstance(value, Integral):
        return str(value)
    whole = column in RESERVED and float(value).is_integer()
    return f"{float(value):.0f}" if whole else repr(float(value))
