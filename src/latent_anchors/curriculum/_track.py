"""One scheduled quantity as a function of the step."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latent_anchors._checks import check_name
from latent_anchors.curriculum._json import check_keys
from latent_anchors.curriculum._keyframe import (
    Keyframe,
    Segment,
    Slopes,
    change_between,
    constant,
    segment,
    segment_table,
)
from latent_anchors.curriculum._keys import Keys, keys_of, slopes_of

SPACES = ("linear", "log")


@dataclass(frozen=True, init=False, repr=False)
class Track:
    r"""One scheduled quantity: a pure function from step to value.

    .. math::
        y = y_0 + (y_1 - y_0)\,w
        \qquad\text{or}\qquad
        y = y_0 \exp\bigl(w \log (y_1 / y_0)\bigr),
        \qquad w = \mathrm{leave}\Bigl(\frac{t - t_0}{t_1 - t_0}\Bigr)

    in linear and in log space, between the ``keyframes`` :math:`(t_0, y_0)` and :math:`(t_1, y_1)`
    around the step :math:`t`. At a key the value is exactly the key's. Before the first key the
    value is the first key's, after the last key the last one's; a single key makes a constant.

    Where two segments with :func:`~latent_anchors.transitions.pchip` or
    :func:`~latent_anchors.transitions.quintic` meet, the track passes through the key with slope

    .. math::
        \frac{3(h_0 + h_1)}{(2h_1 + h_0)/\delta_0 + (h_1 + 2h_0)/\delta_1}

    of their lengths :math:`h` and mean slopes :math:`\delta`, or with the largest slope at which
    both stay monotone, if that is less. The slope is 0 where the track turns back, at its first and
    last key, and at a key with ``rest=True``.

    Args:
        keyframes: At least one, in strictly increasing order of steps.
        space: ``"linear"`` or ``"log"``; log space interpolates the logarithm.

    Raises:
        ValueError: If there is no key, the steps do not increase, the space is unknown, or a value
            in log space is not positive.

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

    _keys: Keys
    space: str

    def __init__(self, keyframes: Iterable[Keyframe], space: str = "linear") -> None:
        object.__setattr__(self, "_keys", keys_of(keyframes))
        object.__setattr__(self, "space", space)
        check_name("space", space, SPACES)
        if not self._keys.steps:
            raise ValueError("The track has no keyframe; one makes a constant.")
        self._check_steps()
        self._check_values()
        _ = self._slopes  # refuses a change too large for a float

    def _check_steps(self) -> None:
        for place, (earlier, later) in enumerate(pairwise(self._keys.steps)):
            if later <= earlier:
                before, after = self.keyframes[place : place + 2]
                raise ValueError(
                    f"{after!r} comes after {before!r}; expected strictly increasing steps."
                )

    def _check_values(self) -> None:
        lowest = min(self._keys.values)
        if self.space == "log" and lowest <= 0:
            key = self.keyframes[self._keys.values.index(lowest)]
            raise ValueError(
                f"{key!r} is in log space; expected a value above 0. Use a small one "
                "such as 1e-8, or space='linear'."
            )

    @cached_property
    def keyframes(self) -> Sequence[Keyframe]:
        """The keyframes, in order.

        Examples:
            >>> Track([Keyframe(0, 0.5)]).keyframes
            (Keyframe(0, 0.5, leave=minimum_jerk),)
        """
        return tuple(map(Keyframe, *self._keys))

    @cached_property
    def _slopes(self) -> list[Slopes]:
        changes = [change_between(*pair, self.space) for pair in pairwise(self._keys.values)]
        return slopes_of(self._keys, changes)

    @cached_property
    def _segments(self) -> list[Segment]:
        pairs = zip(pairwise(self.keyframes), self._slopes, strict=True)
        inner = [segment(*pair, self.space, slopes) for pair, slopes in pairs]
        return [constant(self.keyframes[0]), *inner, constant(self.keyframes[-1])]

    def __repr__(self) -> str:
        return f"Track(keyframes={self.keyframes!r}, space={self.space!r})"

    def __reduce__(self) -> tuple[type["Track"], tuple[Sequence[Keyframe], str]]:
        # segments are closures, which cannot be pickled for a worker; it makes its own
        return Track, (self.keyframes, self.space)

    def __call__(self, step: float | int) -> float:
        """The value at a step.

        Examples:
            >>> decay = Track([Keyframe(0, 1.0), Keyframe(2, 0.01)], space="log")
            >>> round(decay(1), 12)
            0.1
        """
        return self._segments[bisect_right(self._keys.steps, step)](step)

    def table(self, steps: ArrayLike) -> NDArray[np.float64]:
        """The values at many steps; in log space, equal to single calls up to rounding.

        Args:
            steps: Of shape ``(...)``, such as ``range(1501)``.

        Returns:
            The values, of shape ``(...)``.

        Examples:
            >>> Track([Keyframe(0, 0.0), Keyframe(10, 1.0)]).table([0, 5, 10]).tolist()
            [0.0, 0.5, 1.0]
        """
        at = np.asarray(steps, dtype=np.float64)
        # sorted, the steps of a segment are one slice, whatever the number of segments
        order = np.argsort(at, axis=None, kind="stable")
        ordered = at.ravel()[order]
        bounds = np.searchsorted(ordered, self._keys.steps).tolist()
        values = np.full(at.size, self.keyframes[-1].value)
        values[: bounds[0]] = self.keyframes[0].value
        segments = zip(pairwise(self.keyframes), pairwise(bounds), self._slopes, strict=True)
        for (start, end), (low, high), slopes in segments:
            values[low:high] = segment_table(start, end, self.space, slopes, ordered[low:high])
        table = np.empty_like(values)
        table[order] = values
        return table.reshape(at.shape)

    def to_json(self) -> dict[str, Any]:
        """Plain values for JSON.

        Raises:
            ValueError: If a keyframe's ``leave`` has no name.

        Examples:
            >>> Track([Keyframe(0, 0.5)]).to_json()
            {'space': 'linear', 'keyframes': [{'step': 0, 'value': 0.5, 'leave': 'minimum-jerk'}]}
        """
        return {"space": self.space, "keyframes": [key.to_json() for key in self.keyframes]}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Track":
        """Construct the track that :meth:`to_json` wrote.

        Raises:
            TypeError: If a keyframe is not a mapping.
            ValueError: If a key is missing or unknown, or the constructor refuses a value.

        Examples:
            >>> track = Track([Keyframe(0, 0.5)])
            >>> Track.from_json(track.to_json()) == track
            True
        """
        own = {name: part for name, part in data.items() if name != "name"}
        check_keys("track", own, ("space", "keyframes"))
        return cls([Keyframe.from_json(key) for key in data["keyframes"]], data["space"])


def steps_of(track: Track) -> Sequence[int]:
    """The steps of the keys, without making the keys."""
    return track._keys.steps  # pyright: ignore[reportPrivateUsage] -- same file


def segments_of(track: Track) -> list[Segment]:
    """The segments before, between and after the keys."""
    return track._segments  # pyright: ignore[reportPrivateUsage] -- same file
