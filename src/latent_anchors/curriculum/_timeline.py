"""All scheduled quantities together, with the phases and actions of a training."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latent_anchors._checks import check_count, check_name, unknown
from latent_anchors.curriculum._happenings import (
    checked_actions,
    checked_phases,
    checked_steps,
    checked_tracks,
)
from latent_anchors.curriculum._phase import Phase
from latent_anchors.curriculum._segment import Segment
from latent_anchors.curriculum._stretching import (
    stretched_actions,
    stretched_phases,
    stretched_track,
    stretching,
)
from latent_anchors.curriculum._told import check_told, parts_of
from latent_anchors.curriculum._track import Track, ways_of

Row = Mapping[str, float]
"""The values of all tracks at one step, by name."""

Point = list[float | int]
"""A step, and values there."""


class Timeline:
    """Tracks, phases and actions: a pure function from step to a row of values.

    Nothing is remembered between calls, so steps may come in any order. Beyond the last step
    every track holds its last value; a negative step is refused. Before the first phase starts
    there is none.

    Args:
        tracks: by name; rows and tables keep their order.
        phases: starts strictly increasing; each lasts until the next one starts.
        actions: the names of what happens at a step, by step.
        steps: the length of the training; if not given, it ends with the last key, phase or
            action.

    Raises:
        TypeError: if a track is no :class:`Track`, a step no whole number, or the actions of a
            step are one string.
        ValueError: if starts do not increase, a step is negative, an action has no name, or
            ``steps`` ends before the last key, phase or action.

    Examples:
        >>> from latent_anchors.curriculum import Keyframe
        >>> timeline = Timeline({"lr": Track([Keyframe(0, 0.0), Keyframe(10, 1.0)])})
        >>> dict(timeline(5)), len(timeline)
        ({'lr': 0.5}, 11)
    """

    def __init__(
        self,
        tracks: Mapping[str, Track],
        phases: Sequence[Phase] = (),
        actions: Mapping[int, Sequence[str]] | None = None,
        steps: int | None = None,
    ) -> None:
        self._tracks = checked_tracks(tracks)
        self._phases = checked_phases(phases)
        self._actions = checked_actions(actions or {})
        self._steps = checked_steps(steps, self._tracks, self._phases, self._actions)

    @cached_property
    def _ways(self) -> list[tuple[str, list[int], list[Segment]]]:
        # A row reaches straight for the segments: another call would double what it costs. They
        # are made for the first row, since of a long sheet they cost as much as all else.
        return [(name, *ways_of(track)) for name, track in self._tracks.items()]

    def __reduce__(self) -> tuple[type["Timeline"], tuple[object, ...]]:
        # Segments are closures, which cannot be pickled for a worker; they are made anew there.
        return Timeline, (self._tracks, self._phases, self._actions, self._steps)

    @property
    def names(self) -> tuple[str, ...]:
        """The tracks' names, in the order of rows and tables.

        Examples:
            >>> Timeline({}, [Phase("hues", 9)]).names
            ()
        """
        return tuple(self._tracks)

    @property
    def steps(self) -> int:
        """How many steps the training has, the first being 0.

        Examples:
            >>> Timeline({}, [Phase("hues", 9)]).steps
            10
        """
        return self._steps

    @property
    def phases(self) -> tuple[Phase, ...]:
        """All phases.

        Examples:
            >>> Timeline({}, [Phase("hues", 9)]).phases
            (Phase(name='hues', start=9),)
        """
        return self._phases

    @property
    def actions_by_step(self) -> Mapping[int, tuple[str, ...]]:
        """All actions, by step.

        Examples:
            >>> dict(Timeline({}, actions={9: ["anchor"]}).actions_by_step)
            {9: ('anchor',)}
        """
        return MappingProxyType(self._actions)

    def __call__(self, step: float | int) -> Row:
        """The row at a step; it cannot be changed.

        Raises:
            ValueError: if the step is negative.

        Examples:
            >>> from latent_anchors.curriculum import Keyframe
            >>> dict(Timeline({"lr": Track([Keyframe(0, 0.1)])})(7))
            {'lr': 0.1}
        """
        _check_step(step)
        return MappingProxyType(
            {name: ways[bisect_right(keys, step)](step) for name, keys, ways in self._ways}
        )

    def table(self, steps: ArrayLike) -> NDArray[np.float64]:
        """The rows of many steps.

        Args:
            steps: of shape ``(...)``, such as ``range(len(timeline))``.

        Returns:
            The values, of shape ``(..., tracks)``, columns in the order of :attr:`names`.

        Raises:
            ValueError: if a step is negative.

        Examples:
            >>> from latent_anchors.curriculum import Keyframe
            >>> Timeline({"lr": Track([Keyframe(0, 0.1)])}).table([0, 7]).tolist()
            [[0.1], [0.1]]
        """
        at = np.asarray(steps, dtype=np.float64)
        _check_step(float(at.min(initial=0.0)))
        values = np.empty((*at.shape, len(self._tracks)))
        for column, track in enumerate(self._tracks.values()):
            values[..., column] = track.table(at)
        return values

    def simulate_values(self, num_events: int, names: Sequence[str] | None = None) -> list[Point]:
        """The values of the first steps, as ignite's schedulers list them.

        Args:
            num_events: how many steps.
            names: which tracks, in which order; all, if not given.

        Returns:
            For every step a list: the step, and the value of each track.

        Raises:
            TypeError: if ``num_events`` is no whole number.
            ValueError: if it is negative, or there is no such track.

        Examples:
            >>> from latent_anchors.curriculum import Keyframe
            >>> timeline = Timeline({"lr": Track([Keyframe(0, 0.0), Keyframe(2, 1.0)])})
            >>> timeline.simulate_values(3)
            [[0, 0.0], [1, 0.5], [2, 1.0]]
        """
        check_count("num_events", num_events, least=0)
        chosen = self.names if names is None else names
        for name in chosen:
            check_name("track", name, self.names)
        return [
            [step, *(self._tracks[name](step) for name in chosen)] for step in range(num_events)
        ]

    def with_steps(self, steps: int) -> "Timeline":
        """The same in so many steps: the first step stays the first, the last becomes the last.

        Everything in between is moved in proportion, to the nearest step, and from halfway between
        two to the even one.

        Raises:
            TypeError: if ``steps`` is no whole number.
            ValueError: if it is less than 1, or two keys of a track, two phases, or the actions of
                two steps would come to be at one.

        Examples:
            >>> from latent_anchors.curriculum import Keyframe
            >>> timeline = Timeline({"lr": Track([Keyframe(0, 0.0), Keyframe(10, 1.0)])})
            >>> timeline.with_steps(21)["lr"](10)
            0.5
        """
        check_count("steps", steps)
        place = stretching(self._steps, steps)
        return Timeline(
            {name: stretched_track(name, track, place) for name, track in self._tracks.items()},
            stretched_phases(self._phases, place),
            stretched_actions(self._actions, place),
            steps,
        )

    def phase(self, step: float | int) -> Phase | None:
        """The phase at a step; None before the first one starts.

        Raises:
            ValueError: if the step is negative.

        Examples:
            >>> Timeline({}, [Phase("hues", 9)]).phase(20)
            Phase(name='hues', start=9)
        """
        _check_step(step)
        started = bisect_right(self._phases, step, key=lambda phase: phase.start)
        return self._phases[started - 1] if started else None

    def actions(self, step: int) -> tuple[str, ...]:
        """What happens at exactly this step, in the order given.

        Raises:
            ValueError: if the step is negative.

        Examples:
            >>> Timeline({}, actions={9: ["anchor"]}).actions(9)
            ('anchor',)
        """
        _check_step(step)
        return self._actions.get(step, ())

    def __len__(self) -> int:
        return self._steps

    def __getitem__(self, name: str) -> Track:
        if name not in self._tracks:
            raise KeyError(unknown("track", name, self._tracks))
        return self._tracks[name]

    def _content(self) -> tuple[object, ...]:
        tracks, actions = tuple(self._tracks.items()), tuple(self._actions.items())
        return tracks, self._phases, actions, self._steps

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Timeline) and self._content() == other._content()

    def __hash__(self) -> int:
        return hash(self._content())

    def __repr__(self) -> str:
        phases = [phase.name for phase in self._phases]
        return (
            f"Timeline(steps={self._steps}, tracks={list(self._tracks)}, phases={phases}, "
            f"actions={self._actions})"
        )

    def to_json(self) -> dict[str, Any]:
        """Plain values for JSON.

        Raises:
            ValueError: if a track uses a transition without a name.

        Examples:
            >>> Timeline({}, [Phase("hues", 9)]).to_json()["phases"]
            [{'name': 'hues', 'start': 9}]
        """
        return {
            "tracks": [{"name": name, **track.to_json()} for name, track in self._tracks.items()],
            "phases": [asdict(phase) for phase in self._phases],
            "actions": [{"step": at, "names": list(names)} for at, names in self._actions.items()],
            "steps": self._steps,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Timeline":
        """The timeline that :meth:`to_json` wrote.

        Raises:
            TypeError: if the data, or a part of them, are no names with values.
            ValueError: if a part is missing or unknown, or the data hold what a timeline refuses.

        Examples:
            >>> timeline = Timeline({}, [Phase("hues", 9)])
            >>> Timeline.from_json(timeline.to_json()) == timeline
            True
        """
        check_told("timeline", data, ("tracks", "phases", "actions", "steps"))
        for track in data["tracks"]:
            check_told("track of a timeline", track, ("name", "space", "keyframes"))
        for phase in data["phases"]:
            check_told("phase", phase, parts_of(Phase))
        for each in data["actions"]:
            check_told("step with actions", each, ("step", "names"))
        return cls(
            {track["name"]: Track.from_json(track) for track in data["tracks"]},
            [Phase(**phase) for phase in data["phases"]],
            {each["step"]: each["names"] for each in data["actions"]},
            data["steps"],
        )


def check_timeline(
    given: object, hint: str = "such as read_dopesheet(path).timeline() or playhead.as_timeline()"
) -> None:
    """Refuse what is no timeline; the hint says what to write instead."""
    if not isinstance(given, Timeline):
        raise TypeError(f"The timeline is {given!r}; expected a Timeline, {hint}.")


def _check_step(step: float | int) -> None:
    if not step >= 0:
        raise ValueError(f"The step is {step}; expected 0 or more.")
