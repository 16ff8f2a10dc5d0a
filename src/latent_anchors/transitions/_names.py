"""Names of transitions, for what is written down: sheets and JSON."""

from typing import NamedTuple

from latent_anchors._checks import check_count, check_name
from latent_anchors.transitions._easing import cosine, linear, minimum_jerk, smoothstep, step_end
from latent_anchors.transitions._passing import pchip, quintic
from latent_anchors.transitions._transition import Transition, check_transition, vouch_for


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

for _entry in _entries.values():
    vouch_for(_entry.transition)


def register_easing(name: str, transition: Transition, *, smoothness: int) -> None:
    """Give a transition of your own a name, so that sheets and JSON can hold it.

    Unnamed ones work as well wherever a transition is asked for, but cannot be written down.

    Args:
        name: a new name, without the ``:`` that separates the parts of a sheet's headers.
        transition: a function that maps 0 to 0 and 1 to 1.
        smoothness: as :func:`smoothness` will tell it.

    Raises:
        TypeError: if ``transition`` is no function, or ``smoothness`` no whole number.
        ValueError: if the name is taken or cannot stand in a header, or an end is not exact.

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
    _entries[name] = _Entry(transition, smoothness)
    vouch_for(transition)


def named(name: str) -> Transition:
    """The transition of that name.

    Raises:
        ValueError: if there is none; the message lists those that exist.

    Examples:
        >>> named("smoothstep") is smoothstep
        True
    """
    check_name("transition", name, list(_entries))
    return _entries[name].transition


def name_of(transition: Transition) -> str:
    """The name under which a transition is written down.

    Raises:
        ValueError: if it has none.

    Examples:
        >>> name_of(minimum_jerk)
        'minimum-jerk'
    """
    for name, entry in _entries.items():
        if entry.transition is transition:
            return name
    raise ValueError(
        f"The transition {transition!r} has no name; give it one with "
        "transitions.register_easing(name, transition, smoothness=...)."
    )


def smoothness(transition: Transition) -> int:
    """How many derivatives stay continuous at the ends, and where one transition meets the next.

    -1: the value jumps. 0: it is continuous, its speed is not. 1: so is its speed.
    2: so is its acceleration.

    Raises:
        ValueError: if the transition was never registered; nobody declared it then.

    Examples:
        >>> [smoothness(each) for each in (step_end, linear, smoothstep, minimum_jerk)]
        [-1, 0, 1, 2]
    """
    return _entries[name_of(transition)].smoothness
