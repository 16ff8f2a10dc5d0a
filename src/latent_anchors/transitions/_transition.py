"""What a transition is, and how one is told from what is none."""

from typing_extensions import Protocol, runtime_checkable


@runtime_checkable
class Transition(Protocol):
    """How a value travels: progress in [0, 1] to progress in [0, 1].

    Any function is one that maps 0 to 0 and 1 to 1; on its way it may overshoot.

    Examples:
        >>> isinstance(lambda progress: progress**2, Transition)
        True
    """

    def __call__(self, progress: float, /) -> float | int:
        """How far the value has come when this much of the way's time is over."""
        ...


_vouched_for: dict[int, Transition] = {}
"""Those that need no more checks: a long track asks for the same one at each of its keys."""


def vouch_for(transition: Transition) -> None:
    """Spare a transition that has a name, and hence stays, all further checks."""
    _vouched_for[id(transition)] = transition


def check_transition(given: object) -> None:
    """Refuse what is no function, and a function whose ends are not exact.

    Raises:
        TypeError: if ``given`` cannot be called.
        ValueError: if it does not map 0 to 0 and 1 to 1.

    Examples:
        >>> check_transition(abs)
        >>> try:
        ...     check_transition("smoothstep")
        ... except TypeError as error:
        ...     print(str(error).split(";")[0])
        'smoothstep' is no transition
    """
    if id(given) in _vouched_for:
        return
    if not isinstance(given, Transition):
        raise TypeError(
            f"{given!r} is no transition; expected a function of progress, "
            "such as transitions.smoothstep or transitions.named('smoothstep')."
        )
    ends = (given(0.0), given(1.0))
    if ends != (0.0, 1.0):
        raise ValueError(
            f"The transition {given!r} maps 0 and 1 to {ends[0]!r} and {ends[1]!r}; "
            "expected exactly 0 and 1, so that no value jumps at its key."
        )
