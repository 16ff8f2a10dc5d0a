"""What a trigger does. Each takes effect from the step after the observation."""

from dataclasses import dataclass

from latent_anchors._checks import check_count, check_finite, check_name

OF = ("value", "factor", "difference")
OVERSHOOTS = ("allow", "clamp", "lengthen")


@dataclass(frozen=True)
class EndPhase:
    """The phase in force is over: the next one begins at the next step, all that follows with it.

    Actions between here and there never happen; keys there are skipped, and so is one at the very
    start of the next phase, for there is no time to reach it. Each track goes on from where it is,
    with its velocity and acceleration, by minimum jerk:

    * to its first key after the next phase's start, at that key's new step;
    * where the plan holds there, for want of another key or because the key leaves by
      ``step_end``: to the value held, in the steps that were left until that key;
    * one that now waits to jump, by ``step_end``, jumps to where the plan is.

    On such a way a track stays within the range of its keys and of where it is; at the edge, and
    at its goal, it stops dead rather than pass. It arrives at rest, even at a key that the plan
    would pass through, and follows the plan from there. A track that a trigger has retargeted goes
    on as that trigger wanted.

    The last phase is followed by the end: with it the training ends.

    Examples:
        >>> EndPhase().words
        'the phase ends'
    """

    @property
    def words(self) -> str:
        """What happens.

        Examples:
            >>> EndPhase().words
            'the phase ends'
        """
        return "the phase ends"


@dataclass(frozen=True)
class ExtendPhase:
    """The phase in force goes on for longer: the next one, and all that follows, is put off.

    What was planned for the rest of the phase stays at its steps. Each track's way across the
    phase's end, from the last key before it to the first key at or after it, takes so many steps
    more: one that has not begun is stretched, with its transition; one that is under way, or will
    pass through that last key, goes on with its velocity and acceleration, by minimum jerk, within
    its range and to rest, as told in :class:`EndPhase`. After the last phase it is the end of the
    training that is put off.

    Usually it is decided at the phase's end: ``Trigger(..., then=ExtendPhase(200), last=1)``.

    Args:
        steps: how many.

    Raises:
        TypeError: if that is no whole number.
        ValueError: if it is less than 1.

    Examples:
        >>> ExtendPhase(200).words
        'the phase lasts 200 steps longer'
    """

    steps: int

    def __post_init__(self) -> None:
        check_count("The steps by which to extend", self.steps)

    @property
    def words(self) -> str:
        """What happens.

        Examples:
            >>> ExtendPhase(1).words
            'the phase lasts 1 step longer'
        """
        return f"the phase lasts {self.steps} step{'s' * (self.steps > 1)} longer"


@dataclass(frozen=True)
class Retarget:
    """A track leaves the plan for a value of its own, in each run for itself.

    It sets out from where it is, with its velocity and acceleration, by minimum jerk, and stays at
    the new value for good: keys to come do not count for that run, whatever becomes of phases,
    until another trigger retargets it.

    Args:
        track: its name.
        value: where to.
        over: how many steps that takes; 0 jumps.
        of: what the value is: the new ``"value"`` itself, a ``"factor"`` of where the track is, or
            a ``"difference"`` from there.
        overshoot: ``"allow"``, ``"clamp"`` or ``"lengthen"``, as in
            :class:`~latent_anchors.transitions.MovingValue`. Unless allowed, the track stays within
            the range of its keys, of the new value and of where it is.

    Raises:
        TypeError: if ``over`` is no whole number.
        ValueError: if ``over`` is negative, the value not finite, or ``overshoot`` or ``of``
            unknown.

    Examples:
        >>> Retarget("anchor", 0.2, over=200).words
        "'anchor' goes to 0.2 over 200 steps"
    """

    track: str
    value: float | int
    over: int
    overshoot: str = "clamp"
    of: str = "value"

    def __post_init__(self) -> None:
        check_finite(f"The new value of {self.track!r}", float(self.value))
        check_count("over", self.over, least=0)
        check_name("overshoot", self.overshoot, OVERSHOOTS)
        check_name("of", self.of, OF)

    def goal(self, now: float) -> float:
        """Where a track goes that is here now.

        Examples:
            >>> Retarget("lr", 0.5, over=200, of="factor").goal(0.2)
            0.1
        """
        moved = {"value": self.value, "factor": now * self.value, "difference": now + self.value}
        return float(moved[self.of])

    @property
    def words(self) -> str:
        """What happens.

        Examples:
            >>> Retarget("lr", 0, over=0).words
            "'lr' goes to 0 over 0 steps"
        """
        where = {
            "value": f"to {self.value:g}",
            "factor": f"to {self.value:g} times where it is",
            "difference": f"by {self.value:+g}",
        }
        return f"{self.track!r} goes {where[self.of]} over {self.over} steps"


@dataclass(frozen=True)
class RunAction:
    """An action happens at the next step, as if the timeline had it there.

    After the training's last step there is none at which it could; the log tells.

    Args:
        action: its name.

    Raises:
        ValueError: if there is no name.

    Examples:
        >>> RunAction("capture").words
        "'capture' happens"
    """

    action: str

    def __post_init__(self) -> None:
        if not self.action:
            raise ValueError("The action to fire has no name; give it one.")

    @property
    def words(self) -> str:
        """What happens.

        Examples:
            >>> RunAction("capture").words
            "'capture' happens"
        """
        return f"{self.action!r} happens"


@dataclass(frozen=True)
class Stop:
    """The training ends with this step; triggers further down are not asked any more.

    Examples:
        >>> Stop().words
        'the training ends'
    """

    @property
    def words(self) -> str:
        """What happens.

        Examples:
            >>> Stop().words
            'the training ends'
        """
        return "the training ends"


Action = EndPhase | ExtendPhase | Retarget | RunAction | Stop
