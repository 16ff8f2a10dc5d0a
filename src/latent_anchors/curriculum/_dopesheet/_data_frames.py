"""Dope sheets from lists of dicts and from data frames."""

import math
from collections.abc import Iterable, Mapping
from numbers import Integral, Real
from typing import Any, cast

from typing_extensions import Protocol, runtime_checkable

from latent_anchors.curriculum._dopesheet._parse import RESERVED


@runtime_checkable
class PandasFrame(Protocol):
    """The method of a pandas frame that is used."""

    def to_dict(self, orient: Any, /) -> Any:
        """Its rows, with ``orient="records"``."""
        ...


@runtime_checkable
class PolarsFrame(Protocol):
    """The method of a polars frame that is used."""

    def to_dicts(self) -> list[dict[str, Any]]:
        """Its rows."""
        ...


Frame = PandasFrame | PolarsFrame
Records = Iterable[Mapping[str, object]]

MISSING = ("NoneType", "NAType", "NaTType")
"""Type names of missing values, since no frame library is imported."""


def rows_of(given: Records | Frame, source: str) -> tuple[list[str], list[list[str]]]:
    """Columns in order of first appearance, and the rows of texts."""
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
            f"{source} are {given!r}; expected dicts, such as [{{'STEP': 0, 'lr': 0.1}}], "
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
    # a frame turns a column of integers into floats when one of them is missing
    if isinstance(value, Integral):
        return str(value)
    whole = column in RESERVED and float(value).is_integer()
    return f"{float(value):.0f}" if whole else repr(float(value))
