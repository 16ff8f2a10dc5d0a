"""Names of transitions, so that dope sheets and JSON can hold them; checks of a user's function."""

from typing import NamedTuple

from latent_anchors._checks import check_count, check_name
from latent_anchors.transitions._easing import (
    Transition,
    cosine,
    linear,
    minimum_jerk,
    smoothstep,
    step_end,
)
from latent_anchors.transitions._hermite import pchip, quintic


class _Entry(NamedTuple):
    transition: Transition
    smoothness: int


_entries: dict[str, _Entry] = {
    "linear": _Entry(linear, 0),
    "smoothstep": _Entry(smoothstep, 1),
    "minimum-jerk": _Entry(minimum_jerk, 2),
    "cosine": _Entry(cosine, 1),
    "step-end": _Entry(step_end, -1),
    "pchip": _Entry(pchip, 1),
    "quintic": _Entry(quintic, 2),
}

_names: dict[int, str] = {id(entry.transition): name for name, entry in _entries.items()}
"""Names by the identity of the function, which its entry keeps alive."""


def register_easing(name: str, transition: Transition, *, smoothness: int) -> None:
    """Name a custom transition, so that dope sheets and JSON can hold it.

    A function without a name works as well wherever a transition is expected, but cannot be saved.

    Args:
        name: A new name, without ``:``, which separates the parts of a sheet's headers.
        transition: A function that maps 0 to 0 and 1 to 1.
        smoothness: What :func:`smoothness` returns for it.

    Raises:
        TypeError: If ``transition`` cannot be called, or ``smoothness`` is not an integer.
        ValueError: If the name is taken or cannot stand in a header, the transition has a name, or
            an end is not exact.

    Examples:
        >>> register_easing("square", lambda progress: progress**2, smoothness=0)
        >>> named("square")(0.5)
        0.25
    """
    check_transition(transition)
    check_count("smoothness", smoothness, least=-1)
    if name in _entries:
        raise ValueError(f"The name {name!r} is taken; choose one that is not in {list(_entries)}.")
    if not name or name != name.strip() or ":" in name:
        raise ValueError(f"The name is {name!r}; expected text without ':' or outer spaces.")
    if id(transition) in _names:
        raise ValueError(
            f"The transition is {_names[id(transition)]!r} already; expected one without a name, "
            "as sheets would not tell the two apart."
        )
    _entries[name] = _Entry(transition, smoothness)
    _names[id(transition)] = name


def named(name: str) -> Transition:
    """Look up a transition by its name.

    Raises:
        ValueError: If there is none of that name; the message lists those that exist.

    Examples:
        >>> named("smoothstep") is smoothstep
        True
    """
    check_name("transition", name, list(_entries))
    return _entries[name].transition


def name_of(transition: Transition) -> str:
    """The name of a transition in dope sheets and JSON.

    Raises:
        ValueError: If it has none.

    Examples:
        >>> name_of(minimum_jerk)
        'minimum-jerk'
    """
    name = _names.get(id(transition))
    if name is None:
        raise ValueError(
            f"The transition {transition!r} has no name; give it one with "
            "transitions.register_easing(name, transition, smoothness=...)."
        )
    return name


def smoothness(transition: Transition) -> int:
    """How many derivatives are continuous where one transition meets the next.

    -1: The value jumps. 0: The value is continuous. 1: So is its velocity.
    2: So is its acceleration.

    Raises:
        ValueError: If the transition is not registered, since registering declares it.

    Examples:
        >>> [smoothness(each) for each in (step_end, linear, smoothstep, minimum_jerk)]
        [-1, 0, 1, 2]
    """
    return _entries[name_of(transition)].smoothness


def check_transition(given: object) -> None:
    """Refuse anything but a function that maps 0 to 0 and 1 to 1.

    Raises:
        TypeError: If ``given`` cannot be called.
        ValueError: If it does not map 0 to 0 and 1 to 1.

    Examples:
        >>> check_transition(abs)
        >>> try:
        ...     check_transition("smoothstep")
        ... except TypeError as error:
        ...     print(str(error).split(";")[0])
        'smoothstep' is not a transition
    """
    if id(given) in _names:  # checked when it was registered; a long track asks at each key
        return
    if not isinstance(given, Transition):
        raise TypeError(
            f"{given!r} is not a transition; expected a function of progress, "
            "such as transitions.smoothstep or transitions.named('smoothstep')."
        )
    ends = (given(0.0), given(1.0))
    if ends != (0.0, 1.0):
        raise ValueError(
            f"The transition {given!r} maps 0 and 1 to {ends[0]!r} and {ends[1]!r}; "
            "expected exactly 0 and 1, so that no value jumps at its key."
        )
