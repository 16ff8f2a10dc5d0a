"""Validate a mapping loaded from JSON before constructing an object from it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from typing import Any, cast

from latent_anchors._checks import listed


def check_keys(
    kind: str, data: object, required: Sequence[str], optional: Collection[str] = ()
) -> None:
    """Refuse anything but a mapping with the required keys and no unknown ones."""
    if not isinstance(data, Mapping):
        raise TypeError(f"A {kind} must be a mapping with keys {listed(required)}; got {data!r}.")
    keys = [*cast("Mapping[object, object]", data)]
    missing = [key for key in required if key not in keys]
    unknown = [key for key in keys if key not in (*required, *optional)]
    if missing or unknown:
        raise ValueError(
            f"A {kind} has the keys {listed(keys)}; expected {listed(required)}, as to_json() "
            f"writes it. Missing: {listed(missing)}; unknown: {listed(unknown)}."
        )


def as_plain_numbers(record: Any, *names: str) -> None:
    """Python's own numbers in place of numpy's, whose words are others when a state is loaded."""
    for name in names:
        value = getattr(record, name)
        if value is not None and type(value) not in (int, float):
            object.__setattr__(record, name, as_number(name, value))


def as_number(name: str, value: object) -> float:
    """Of any kind, such as numpy's; text, of which float() reads some, is none."""
    if isinstance(value, str | bytes | bool):
        raise TypeError(
            f"The {name} is {value!r}; expected a number. Read tables with read_dopesheet, or "
            "convert it yourself."
        )
    return float(cast("float", value))


def field_names(record: Any) -> tuple[str, ...]:
    """The names of a dataclass's fields."""
    return tuple(field.name for field in fields(record))
