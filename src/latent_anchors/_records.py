"""Frozen records to and from strict JSON: no NaN, no infinity, no torch."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, cast


def plain(value: object) -> Any:
    """What JSON can hold: records as objects, sequences as arrays, missing numbers as null."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        items = cast("Mapping[object, object]", value).items()
        return {str(name): plain(item) for name, item in items}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(item) for item in cast("Sequence[object]", value)]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, str | int | float):
        return value
    raise TypeError(
        f"{value!r} of type {type(value).__name__} cannot be written as JSON; expected numbers, "
        "texts, sequences, mappings or records of them. Turn tensors into lists first."
    )


def write_json(path: Path, value: object) -> None:
    """Write a record, making the folder if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(plain(value), indent=1, allow_nan=False) + "\n")
