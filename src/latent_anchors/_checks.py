"""Checks of arguments, and their messages: given, expected, what to do. No torch in here."""

import math
from collections.abc import Iterable, Sequence
from difflib import get_close_matches


def listed(names: Iterable[object]) -> str:
    """Names as a person would list them: ``'a', 'b'``, or ``nothing``."""
    return ", ".join(repr(name) for name in names) or "nothing"


MANY = 12
"""Up to this many names, a message lists all of them."""


def unknown(kind: str, given: object, known: Iterable[object]) -> str:
    """The message for a name that is not among those that exist, with the nearest ones."""
    names = [str(name) for name in known]
    near = get_close_matches(str(given), names, n=3)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    few = len(names) <= MANY
    those = listed(names) if few else f"{len(names)}, such as {listed(near or names[:3])}"
    return f"Unknown {kind} {given!r}; expected one of {those}.{hint}"


def check_name(kind: str, given: object, known: Sequence[object]) -> None:
    """Refuse a name that is not among those that exist."""
    if given not in known:
        raise ValueError(unknown(kind, given, known))


def check_finite(name: str, value: float) -> None:
    """Refuse infinities and NaN."""
    if not math.isfinite(value):
        raise ValueError(f"{name} is {value!r}; expected a finite number.")


def check_between(name: str, value: float, low: float, high: float) -> None:
    """Refuse a number outside the closed interval; NaN is outside of every interval."""
    if not low <= value <= high:
        raise ValueError(f"{name} is {value!r}; expected a number from {low} to {high}.")


def check_angle(name: str, degrees: float, most: float) -> None:
    """Raise if an angle is not above 0 and at most so many degrees."""
    check_between(name, degrees, 0.0, most)
    if degrees == 0:
        raise ValueError(
            f"{name} is 0 degrees, which nothing lies within; expected an angle above 0 and at "
            f"most {most:g}."
        )


def check_count(name: str, value: int, least: int = 1) -> None:
    """Refuse what is not a whole number of at least ``least``; a bool is not a number here."""
    if isinstance(value, bool) or not isinstance(value, int):  # pyright: ignore[reportUnnecessaryIsInstance] -- users pass floats all the same
        raise TypeError(f"{name} is {value!r}; expected a whole number, such as {least}.")
    if value < least:
        raise ValueError(f"{name} is {value}; expected at least {least}.")
