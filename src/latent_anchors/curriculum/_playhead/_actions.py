"""What a trigger does; each action takes effect from the step after the observation."""

from dataclasses import dataclass

from latent_anchors._checks import check_count, check_finite, check_name
from latent_anchors.curriculum._json import as_plain_numbers

OF = ("value", "factor", "difference")
OVERSHOOTS = ("allow", "clamp", "lengthen")


@dataclass(frozen=True)
class EndPhase:
    """The current phase ends: the next one starts at the next step, with all that follows.

    Actions in the skipped steps do not run. Keys there are skipped, as is one at the very start of
    the next phase, since there is no time to reach it. Each track moves on from its current value,
    velocity and acceleration, by minimum jerk:

    * to its first key after the next phase's start, at that key's new step;
    * where the plan holds a value there, for lack of another key or because the key leaves by
      ``step_end``: to that value, in the steps that were left until its key;
    * a track that is waiting to jump, by ``step_end``, jumps to the plan's value.

    Meanwhile a track stays within the range of its keys and its current value; it stops abruptly
    at the edge and at its goal rather than overshoot. It arrives at rest, even at a key that the
    plan would pass through, and follows the plan from there. A track that a trigger has retargeted
    keeps moving to that target.

    After the last phase the training ends.

    Examples:
        >>> EndPhase().words
        'the phase ends'
    """

    @property
    def words(self) -> str:
        """The action in words.

        Examples:
            >>> EndPhase().words
            'the phase ends'
        """
        return "the phase ends"


@dataclass(frozen=True)
class ExtendPhase:
    """The current phase lasts longer: the next one, and all that follows, starts later.

    What was planned for the rest of the phase stays at its steps. Each track's segment across the
    end of the phase, from the last key before it to the first key at or after it, takes ``steps``
    longer. A segment that has not begun is stretched, with its transition. One that has begun, or
    whose first key is passed through, continues with its velocity and acceleration, by minimum
    jerk, within its range and to rest, as in :class:`EndPhase`. In the last phase it is the end of
    the training that is delayed.

    It is usually decided at the end of a phase: ``Trigger(..., then=ExtendPhase(200), last=1)``. A
    phase that another trigger has just ended, at the same step, is not extended.

    Args:
        steps: Number of steps to add.

    Raises:
        TypeError: If it is not an integer.
        ValueError: If it is less than 1.

    Examples:
        >>> ExtendPhase(200).words
        'the phase lasts 200 steps longer'
    """

    steps: int

    def __post_init__(self) -> None:
        check_count("The steps by which to extend", self.steps)

    @property
    def words(self) -> str:
        """The action in words.

        Examples:
            >>> ExtendPhase(1).words
            'the phase lasts 1 step longer'
        """
        return f"the phase lasts {self.steps} step{'s' * (self.steps > 1)} longer"


@dataclass(frozen=True)
class Retarget:
    """A track leaves the plan and moves to another value, separately in each run.

    It starts from its current value, velocity and acceleration, moves by minimum jerk, and keeps
    the new value: For that run, later keys no longer count, whatever happens to phases, until a
    trigger retargets the track again.

    Args:
        track: The name of the track.
        value: The new value, or what ``of`` says.
        over: How many steps the move takes; 0 jumps.
        overshoot: ``"allow"``, ``"clamp"`` or ``"lengthen"``, as in
            :class:`~latent_anchors.transitions.MovingValue`. Unless allowed, the track stays within
            the range of its keys, the new value and its current value.
        of: Whether ``value`` is the new ``"value"`` itself, a ``"factor"`` on the current value, or
            a ``"difference"`` from it.

    Raises:
        TypeError: If ``over`` is not an integer, or the value no number.
        ValueError: If ``over`` is negative, the value not finite, or ``overshoot`` or ``of``
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
        as_plain_numbers(self, "value")
        check_finite(f"The new value of {self.track!r}", float(self.value))
        check_count("over", self.over, least=0)
        check_name("overshoot", self.overshoot, OVERSHOOTS)
        check_name("of", self.of, OF)

    def goal(self, now: float) -> float:
        """The new value of a track whose current value is ``now``.

        Examples:
            >>> Retarget("lr", 0.5, over=200, of="factor").goal(0.2)
            0.1
        """
        moved = {"value": self.value, "factor": now * self.value, "difference": now + self.value}
        return float(moved[self.of])

    @property
    def words(self) -> str:
        """The action in words.

        Examples:
            >>> Retarget("lr", 0, over=0).words
            "'lr' goes to 0 over 0 steps"
        """
        where = {
            "value": f"to {self.value:g}",
            "factor": f"to {self.value:g} times its value",
            "difference": f"by {self.value:+g}",
        }
        return f"{self.track!r} goes {where[self.of]} over {self.over} steps"


@dataclass(frozen=True)
class RunAction:
    """Run an action at the next step, as if the timeline had it there.

    After the last step of the training there is no next step: the trigger is logged, but nothing
    runs.

    Args:
        action: The name of the action.

    Raises:
        ValueError: If the name is empty.

    Examples:
        >>> RunAction("capture").words
        "'capture' runs"
    """

    action: str

    def __post_init__(self) -> None:
        if not self.action:
            raise ValueError("The action to run has no name; give it one.")

    @property
    def words(self) -> str:
        """The action in words.

        Examples:
            >>> RunAction("capture").words
            "'capture' runs"
        """
        return f"{self.action!r} runs"


@dataclass(frozen=True)
class Stop:
    """The training ends after this step; later triggers are not evaluated.

    Examples:
        >>> Stop().words
        'the training ends'
    """

    @property
    def words(self) -> str:
        """The action in words.

        Examples:
            >>> Stop().words
            'the training ends'
        """
        return "the training ends"


Action = EndPhase | ExtendPhase | Retarget | RunAction | Stop
