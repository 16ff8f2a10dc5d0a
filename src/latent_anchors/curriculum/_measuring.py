"""Measurements as they are brought, run by run."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, cast

from latent_anchors._checks import listed


def measured(measurements: Mapping[str, object], name: str, runs: int) -> list[float | None]:
    """The measurement of that name, one for each run; arrays and tensors are taken as lists."""
    if name not in measurements:
        raise ValueError(
            f"A trigger watches {name!r}, but what was measured is {listed(measurements)}; "
            "expected it at every observation. Give None when it was not measured."
        )
    given = measurements[name]
    given = cast("Any", given).tolist() if hasattr(given, "tolist") else given
    if not isinstance(given, Sequence):
        return [_number(name, given)] * runs
    each = [_number(name, value) for value in cast("Sequence[object]", given)]
    if len(each) != runs:
        raise ValueError(
            f"{name!r} was measured for {len(each)} runs; expected one number for each of {runs}, "
            "or one for all."
        )
    return each


def _number(name: str, value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, float | int):
        raise TypeError(
            f"{name!r} was measured as {value!r}; expected a number, one for each run, or None."
        )
    return float(value) if math.isfinite(value) else None
