"""A scheduled value whose target can change while it moves."""

import math
from collections.abc import Mapping
from typing import NamedTuple

from latent_anchors._checks import check_between, check_finite, check_name, listed
from latent_anchors.transitions._trajectory import Motion, Trajectory, trajectory

SPACES = ("linear", "log")
OVERSHOOTS = ("allow", "clamp", "lengthen")


class _Move(NamedTuple):
    start: float
    position: float
    velocity: float
    acceleration: float
    target: float
    duration: float


class MovingValue:
    r"""A value that can be retargeted in flight, keeping its velocity and acceleration.

    .. math::
        y(\tau) = y_1 + (\tau - 1)^3 \bigl((6D - 3u - \tfrac12 w)\tau^2 + (3D - u)\tau + D\bigr)

    where :math:`\tau` is the share of the ``duration`` :math:`T` that has passed, :math:`y_1` the
    target, :math:`D = y_1 - y_0` the distance to it, and :math:`u = v_0 T`, :math:`w = a_0 T^2`
    the scaled velocity and acceleration at the start. In log space :math:`y` is the logarithm of
    the value.

    A value that moves fast towards a near target overshoots it: from :math:`a_0 = 0`, if
    :math:`u > 2.5 D`. A longer polynomial would only overshoot further. Hence the choices:

    * ``overshoot="allow"``: It overshoots, and returns.
    * ``"clamp"``: It stops abruptly at the target.
    * ``"lengthen"``: It first comes to rest halfway to the target, fast enough not to overshoot,
      and then takes the whole duration from there. A value that moves while it is at its new target
      has to leave it, and returns.

    Bounds hold whatever the choice: With the first two the value stops abruptly at them. The last
    keeps away from them, and stops abruptly only if it is at one already and moves outwards. A
    value that stopped abruptly has velocity and acceleration 0.

    The past is not kept: A step before the latest change of target is refused.

    Args:
        value: The value from step 0 until its first target.
        space: ``"linear"`` or ``"log"``.
        bounds: The lowest and the highest value allowed.
        overshoot: ``"allow"``, ``"clamp"`` or ``"lengthen"``.

    Raises:
        ValueError: If a choice is unknown, the bounds are empty, or the value is not finite, not
            within the bounds, or in log space not positive.

    References:
        Flash & Hogan, The coordination of arm movements, J. Neurosci. 5, 1985, for the
        minimum-jerk trajectory between two states of motion.

    Examples:
        >>> weight = MovingValue(0.1)
        >>> weight.retarget(0, 0.5, duration=50)
        >>> weight.retarget(40, 0.75, duration=50)
        >>> [round(weight(step), 6) for step in (40, 41, 50, 90)]
        [0.476832, 0.482549, 0.519393, 0.75]
    """

    def __init__(
        self,
        value: float | int,
        *,
        space: str = "linear",
        bounds: tuple[float | int, float | int] = (-math.inf, math.inf),
        overshoot: str = "allow",
    ) -> None:
        check_name("space", space, SPACES)
        check_name("overshoot", overshoot, OVERSHOOTS)
        if not bounds[0] < bounds[1]:
            raise ValueError(f"The bounds are {bounds}; expected a lower one below a higher one.")
        self._space, self._overshoot = space, overshoot
        self._bounds = float(bounds[0]), float(bounds[1])
        self._value = start = self._checked("value", value)
        self._start(_Move(0.0, self._position(start), 0.0, 0.0, start, 0.0))

    @property
    def target(self) -> float:
        """The value that it moves to, or rests at.

        Examples:
            >>> MovingValue(0.1).target
            0.1
        """
        return self._move.target

    @property
    def arrival(self) -> float:
        """The step from which the value rests at its target.

        Examples:
            >>> weight = MovingValue(0.1)
            >>> weight.retarget(30, 0.5, duration=50)
            >>> weight.arrival
            80.0
        """
        return self._move.start + sum(piece.duration for piece in self._pieces)

    def __call__(self, step: float | int) -> float:
        """The value at a step.

        Raises:
            ValueError: If the step is before the latest change of target.

        Examples:
            >>> MovingValue(0.1)(7)
            0.1
        """
        position = self._motion(step).position
        if position == self._position(self.target):
            return self.target
        value = math.exp(position) if self._space == "log" else position
        return min(max(value, self._bounds[0]), self._bounds[1])

    def velocity(self, step: float | int) -> float:
        """Change of the value per step; in log space, of its logarithm.

        Raises:
            ValueError: If the step is before the latest change of target.

        Examples:
            >>> weight = MovingValue(0.0)
            >>> weight.retarget(0, 1.0, duration=10)
            >>> weight.velocity(5)
            0.1875
        """
        return self._motion(step).velocity

    def acceleration(self, step: float | int) -> float:
        """Change of the velocity per step.

        Raises:
            ValueError: If the step is before the latest change of target.

        Examples:
            >>> weight = MovingValue(0.0)
            >>> weight.retarget(0, 1.0, duration=4)
            >>> weight.acceleration(1)
            0.3515625
        """
        return self._motion(step).acceleration

    def retarget(self, step: float | int, value: float | int, duration: float | int) -> None:
        """Set a new target, starting from the position and motion at this step.

        Nothing changes if the value already moves to that target with that duration, or rests at
        it. With a duration of 0 the value jumps, and rests.

        Args:
            step: Not before the latest change of target.
            value: The new target.
            duration: How many steps the move takes, unless ``"lengthen"`` needs more.

        Raises:
            ValueError: If the step is before the latest change of target, the duration is negative
                or not finite, or the constructor would refuse the target as a value.

        Examples:
            >>> weight = MovingValue(0.1)
            >>> weight.retarget(5, 0.5, duration=0)
            >>> weight(5)
            0.5
        """
        span = _checked_duration("duration", duration)
        target, motion = self._checked("The target", value), self._motion(step)
        if target == self.target and (step >= self.arrival or span == self._move.duration):
            return
        if span == 0.0:
            motion = Motion(self._position(target))
        self._start(_Move(float(step), *motion, target, span))

    def state_dict(self) -> dict[str, float | str]:
        """The latest change of target, the motion at that step, and the space of both.

        Examples:
            >>> MovingValue(0.1).state_dict()["target"]
            0.1
        """
        return {**self._move._asdict(), "space": self._space}

    def load_state_dict(self, state: Mapping[str, float | int | str]) -> None:
        """Restore what :meth:`state_dict` returned.

        Raises:
            ValueError: If the state has other keys, is of another space, has a number that is not
                finite, a negative duration, or a target or position out of bounds.

        Examples:
            >>> weight, other = MovingValue(0.1), MovingValue(0.2)
            >>> other.load_state_dict(weight.state_dict())
            >>> other(0)
            0.1
        """
        expected = (*_Move._fields, "space")
        if set(state) != set(expected):
            raise ValueError(
                f"The state of a moving value has the keys {listed(state)}; "
                f"expected {listed(expected)}."
            )
        if state["space"] != self._space:
            raise ValueError(
                f"The state is of a value in space {state['space']!r}; expected {self._space!r}. "
                "Make the value with the same space."
            )
        move = _Move(**{name: float(state[name]) for name in _Move._fields})
        for name, number in move._asdict().items():
            check_finite(f"{name} in the state", number)
        _checked_duration("duration in the state", move.duration)
        self._checked("target in the state", move.target)
        low, high = (self._position(bound) for bound in self._bounds)
        check_between("position in the state", move.position, low, high)
        self._start(move)

    def __repr__(self) -> str:
        return (
            f"MovingValue(target={self.target!r}, arrival={self.arrival!r}, space={self._space!r}, "
            f"bounds={self._bounds!r}, overshoot={self._overshoot!r})"
        )

    def _checked(self, name: str, value: float | int) -> float:
        given = float(value)
        check_finite(name, given)
        check_between(name, given, *self._bounds)
        if self._space == "log" and given <= 0:
            raise ValueError(
                f"{name} is {value!r} in log space; expected a number above 0. Use a small one "
                "such as 1e-8, or space='linear'."
            )
        return given

    def _position(self, value: float) -> float:
        if self._space == "linear":
            return value
        return math.log(value) if value > 0 else -math.inf

    def _start(self, move: _Move) -> None:
        motion, goal = Motion(*move[1:4]), self._position(move.target)
        check_finite(f"The change to {move.target!r}", goal - motion.position)
        low, high = (self._position(bound) for bound in self._bounds)
        if self._overshoot == "lengthen" and _leaves(motion, low, high):
            motion = Motion(motion.position)
        self._move, self._pieces = move, _pieces(motion, goal, move.duration)
        if self._overshoot == "lengthen" and not all(p.stays(low, high) for p in self._pieces):
            self._pieces = _via_rest(motion, goal, move.duration, low, high)
        stop = self._overshoot == "clamp"
        self._low = goal if stop and motion.position >= goal else low
        self._high = goal if stop and motion.position <= goal else high

    def _motion(self, step: float | int) -> Motion:
        elapsed = float(step) - self._move.start
        if not elapsed >= 0:
            raise ValueError(
                f"The step is {step}; expected at least {self._move.start:g}, the latest change of "
                "target. Earlier values are not kept."
            )
        for piece in self._pieces:
            if elapsed < piece.duration:
                motion = piece.at(elapsed)
                stopped = min(max(motion.position, self._low), self._high)
                return motion if stopped == motion.position else Motion(stopped)
            elapsed -= piece.duration
        return Motion(self._position(self.target))


def _leaves(motion: Motion, low: float, high: float) -> bool:
    """Whether it is at a bound and moves outwards, where no path is short enough to brake."""
    outward = motion.velocity or motion.acceleration
    return (motion.position >= high and outward > 0) or (motion.position <= low and outward < 0)


def _checked_duration(name: str, duration: float | int) -> float:
    check_finite(name, float(duration))
    check_between(name, float(duration), 0.0, math.inf)
    return float(duration)


def _pieces(motion: Motion, goal: float, duration: float) -> tuple[Trajectory, ...]:
    return (trajectory(motion, goal, duration),) if duration else ()


def _via_rest(
    motion: Motion, goal: float, duration: float, low: float, high: float
) -> tuple[Trajectory, ...]:
    """To rest halfway in a half, a quarter, ... of the duration, then to the goal in all of it.

    The shorter a trajectory is, the less the motion at its start makes it overshoot.
    """
    halfway = motion.position + 0.5 * (goal - motion.position)
    braking = trajectory(motion, halfway, 0.5 * duration)
    while not braking.stays(low, high):
        braking = trajectory(motion, halfway, 0.5 * braking.duration)
    return braking, trajectory(Motion(halfway), goal, duration)
