"""One scheduled quantity, as a function of the step."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latent_anchors._checks import check_name
from latent_anchors.curriculum._keyframe import Keyframe
from latent_anchors.curriculum._segment import Segment, between, change_between, held, table_between
from latent_anchors.curriculum._slopes import Slopes, slopes
from latent_anchors.curriculum._told import check_told

SPACES = ("linear", "log")


@dataclass(frozen=True)
class Track:
    r"""One scheduled quantity: a pure function from step to value.

    .. math::
        y = y_0 + (y_1 - y_0)\,w
        \qquad\text{or}\qquad
        y = y_0 \exp\bigl(w \log (y_1 / y_0)\bigr),
        \qquad w = \mathrm{leave}\Bigl(\frac{t - t_0}{t_1 - t_0}\Bigr)

    in linear and in log space, between the ``keyframes`` :math:`(t_0, y_0)` and :math:`(t_1, y_1)`
    around the step :math:`t`. At a key the value is exactly the keyed one. Before the first key
    the first value holds, after the last key the last one, so one key makes a constant.

    Where two segments that can pass through (:func:`~latent_anchors.transitions.pchip`,
    :func:`~latent_anchors.transitions.quintic`) meet, the key between them is passed with the slope

    .. math::
        \frac{3(h_0 + h_1)}{(2h_1 + h_0)/\delta_0 + (h_1 + 2h_0)/\delta_1}

    of their lengths :math:`h` and mean slopes :math:`\delta`, or with the steepest at which both
    stay monotone, if that is less. Where the track turns back, at its first and last key, and
    where a key says ``rest``, it rests.

    Args:
        keyframes: at least one, steps strictly increasing.
        space: ``"linear"`` or ``"log"``; in log space a transition moves by factors.

    Raises:
        ValueError: if there is no key, steps do not increase, the space is unknown, or a value in
            log space is not positive.

    References:
        Linear interpolation of the value, or of its logarithm, in eased time; Lasseter,
        Principles of Traditional Animation Applied to 3D Computer Animation, SIGGRAPH 1987
        ("Slow In and Out"). Fritsch & Butland, A Method for Constructing Local Monotone Piecewise
        Cubic Interpolants, SIAM J. Sci. Stat. Comput. 5, 1984, for the slopes.

    Examples:
        >>> warmup = Track([Keyframe(0, 0.0), Keyframe(10, 1.0)])
        >>> [warmup(step) for step in (0, 5, 10, 99)]
        [0.0, 0.5, 1.0, 1.0]
    """

    keyframes: Sequence[Keyframe]
    space: str = "linear"

    def __post_init__(self) -> None:
        object.__setattr__(self, "keyframes", tuple(self.keyframes))
        check_name("space", self.space, SPACES)
        if not self.keyframes:
            raise ValueError("The track has no keyframe; one makes a constant.")
        self._check_steps()
        self._check_values()
        _ = self._slopes  # refuses a change too large for a float

    def _check_steps(self) -> None:
        for earlier, later in pairwise(self.keyframes):
            if later.step <= earlier.step:
                raise ValueError(
                    f"{later!r} comes after {earlier!r}; expected strictly increasing steps."
                )

    def _check_values(self) -> None:
        lowest = min(self.keyframes, key=lambda key: key.value)
        if self.space == "log" and lowest.value <= 0:
            raise ValueError(
                f"{lowest!r} is in log space; expected a value above 0. Use a small one "
                "such as 1e-8, or space='linear'."
            )

    @cached_property
    def _steps(self) -> list[int]:
        return [key.step for key in self.keyframes]

    @cached_property
    def _slopes(self) -> list[Slopes]:
        changes = [change_between(*pair, self.space) for pair in pairwise(self.keyframes)]
        return slopes(self.keyframes, changes)

    @cached_property
    def _segments(self) -> list[Segment]:
        pairs = zip(pairwise(self.keyframes), self._slopes, strict=True)
        ways = [between(*pair, self.space, ends) for pair, ends in pairs]
        return [held(self.keyframes[0]), *ways, held(self.keyframes[-1])]

    def __reduce__(self) -> tuple[type["Track"], tuple[Sequence[Keyframe], str]]:
        # Segments are closures, which cannot be pickled for a worker; they are made anew there.
        return Track, (self.keyframes, self.space)

    def __call__(self, step: float | int) -> float:
        """The value at a step.

        Examples:
            >>> decay = Track([Keyframe(0, 1.0), Keyframe(2, 0.01)], space="log")
            >>> round(decay(1), 12)
            0.1
        """
        return self._segments[bisect_right(self._steps, step)](step)

    def table(self, steps: ArrayLike) -> NDArray[np.float64]:
        """The values at many steps: those of single calls, in log space up to the last bits.

        Args:
            steps: of shape ``(...)``, such as ``range(1501)``.

        Returns:
            The values, of shape ``(...)``.

        Examples:
            >>> Track([Keyframe(0, 0.0), Keyframe(10, 1.0)]).table([0, 5, 10]).tolist()
            [0.0, 0.5, 1.0]
        """
        at = np.asarray(steps, dtype=np.float64)
        # In order, the steps of a segment are one slice, whatever the number of segments.
        order = np.argsort(at, axis=None, kind="stable")
        ordered = at.ravel()[order]
        bounds = np.searchsorted(ordered, self._steps).tolist()
        values = np.full(at.size, self.keyframes[-1].value)
        values[: bounds[0]] = self.keyframes[0].value
        segments = zip(pairwise(self.keyframes), pairwise(bounds), self._slopes, strict=True)
        for (start, end), (low, high), ends in segments:
            values[low:high] = table_between(start, end, self.space, ends, ordered[low:high])
        table = np.empty_like(values)
        table[order] = values
        return table.reshape(at.shape)

    def to_json(self) -> dict[str, Any]:
        """Plain values for JSON.

        Raises:
            ValueError: if a keyframe's ``leave`` has no name to be written under.

        Examples:
            >>> Track([Keyframe(0, 0.5)]).to_json()
            {'space': 'linear', 'keyframes': [{'step': 0, 'value': 0.5, 'leave': 'minimum-jerk'}]}
        """
        return {"space": self.space, "keyframes": [key.to_json() for key in self.keyframes]}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Track":
        """The track that :meth:`to_json` wrote.

        Raises:
            TypeError: if a keyframe is told by no names with values.
            ValueError: if a part is missing or unknown, or the data hold what a track refuses.

        Examples:
            >>> track = Track([Keyframe(0, 0.5)])
            >>> Track.from_json(track.to_json()) == track
            True
        """
        told = {name: part for name, part in data.items() if name != "name"}
        check_told("track", told, ("space", "keyframes"))
        return cls([Keyframe.from_json(key) for key in data["keyframes"]], data["space"])


def ways_of(track: Track) -> tuple[list[int], list[Segment]]:
    """The steps of the keys, and what the track does before, between and after them."""
    return track._steps, track._segments  # pyright: ignore[reportPrivateUsage] -- same file
