"""What is read back from JSON, before anything is made of it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from typing import Any, cast

from latent_anchors._checks import listed


def check_told(kind: str, data: object, parts: Sequence[str], more: Collection[str] = ()) -> None:
    """Refuse what does not hold just these parts; ``more`` may be left out."""
    if not isinstance(data, Mapping):
        raise TypeError(f"A {kind} is told as {data!r}; expected {listed(parts)} by name.")
    names = [*cast("Mapping[object, object]", data)]
    missing = [part for part in parts if part not in names]
    others = [name for name in names if name not in (*parts, *more)]
    if missing or others:
        raise ValueError(
            f"A {kind} is told by {listed(names)}; expected {listed(parts)}, as to_json wrote it. "
            f"Missing: {listed(missing)}; unknown: {listed(others)}."
        )


def parts_of(record: Any) -> tuple[str, ...]:
    """The names of a dataclass's fields."""
    return tuple(field.name for field in fields(record))
