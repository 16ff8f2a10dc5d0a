"""Minimum-jerk trajectory from a state of motion to rest."""

import math
from collections.abc import Iterator
from typing import NamedTuple


class Motion(NamedTuple):
    """Position, velocity per step and acceleration per step squared."""

    position: float
    velocity: float = 0.0
    acceleration: float = 0.0


class Trajectory(NamedTuple):
    """A quintic polynomial that comes to rest at its end.

    In progress tau from 0 to 1, its position minus the end is
    (tau - 1)^3 (square tau^2 + slope tau + change).
    """

    end: float
    duration: float
    square: float
    slope: float
    change: float

    def at(self, elapsed: float) -> Motion:
        """The motion this many steps after the start, within the duration."""
        tau, span = elapsed / self.duration, self.duration
        left = tau - 1.0
        q = (self.square * tau + self.slope) * tau + self.change
        q1 = 2.0 * self.square * tau + self.slope
        return Motion(
            self.end + left * left * left * q,
            left * left * (3.0 * q + left * q1) / span,
            left * (6.0 * q + 6.0 * left * q1 + 2.0 * left * left * self.square) / (span * span),
        )

    def extrema(self) -> Iterator[float]:
        """The positions at which it turns back on its way."""
        square = 5.0 * self.square
        slope = 4.0 * self.slope - 2.0 * self.square
        for tau in _roots(square, slope, 3.0 * self.change - self.slope):
            if 0.0 < tau < 1.0:
                yield self.at(tau * self.duration).position

    def stays(self, low: float, high: float) -> bool:
        """Whether it neither overshoots its end nor leaves the bounds."""
        return all(
            low <= position <= high and (position - self.end) * self.change <= 0.0
            for position in self.extrema()
        )


def trajectory(motion: Motion, end: float, duration: float) -> Trajectory:
    """The trajectory from a state of motion to rest at the end, in this many steps."""
    change = end - motion.position
    u = motion.velocity * duration
    w = motion.acceleration * duration * duration
    return Trajectory(end, duration, 6.0 * change - 3.0 * u - 0.5 * w, 3.0 * change - u, change)


def _roots(square: float, slope: float, constant: float) -> Iterator[float]:
    discriminant = slope * slope - 4.0 * square * constant
    if discriminant < 0.0:
        return
    # adding numbers of one sign loses no digits, as the usual formula's difference does
    half = -0.5 * (slope + math.copysign(math.sqrt(discriminant), slope))
    if square:
        yield half / square
    if half:
        yield constant / half
