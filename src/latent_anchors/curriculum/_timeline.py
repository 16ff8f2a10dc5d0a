"""All tracks together, with the phases and actions of a training."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import pairwise
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latent_anchors._checks import check_count, unknown
from latent_anchors.curriculum._json import check_keys, field_names
from latent_anchors.curriculum._keyframe import Segment
from latent_anchors.curriculum._track import Track, segments_of, steps_of

Row = Mapping[str, float]
"""The values of all tracks at one step, by name."""

Actions = dict[int, tuple[str, ...]]
"""Names of actions, by step."""


@dataclass(frozen=True)
class Phase:
    """A named part of a training, from its start until the next phase's.

    Several phases may have the same name.

    Raises:
        TypeError: If the start is not an integer.
        ValueError: If the start is negative, or the name empty.

    Examples:
        >>> Phase("All hues", start=3000)
        Phase(name='All hues', start=3000)
    """

    name: str
    start: int

    def __post_init__(self) -> None:
        check_count(f"The start of phase {self.name!r}", self.start, least=0)
        if not self.name:
            raise ValueError(f"The phase at step {self.start} has no name; give it one.")


class Timeline:
    """Tracks, phases and actions: a pure function from step to a row of values.

    It has no state, so steps may come in any order. Beyond the last step every track keeps its
    last value; a negative step is refused. Before the first phase starts there is none.

    Args:
        tracks: By name; rows and tables keep their order.
        phases: In strictly increasing order of starts; each lasts until the next one starts.
        actions: Names of the actions at a step, by step.
        steps: Length of the training; by default it ends with the last key, phase or action.

    Raises:
        TypeError: If a track is not a :class:`Track`, a step not an integer, or the actions of a
            step are one string.
        ValueError: If starts do not increase, a step is negative, an action has no name, or
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
        self._tracks = _checked_tracks(tracks)
        self._phases = _checked_phases(phases)
        self._actions = _checked_actions(actions or {})
        self._steps = _checked_steps(steps, self._tracks, self._phases, self._actions)

    @cached_property
    def _segments(self) -> list[tuple[str, Sequence[int], list[Segment]]]:
        # A row calls the segments directly: a call per track would take 1.25 times as long. They
        # are made for the first row, since for a long sheet they cost as much as all else.
        return [(name, steps_of(each), segments_of(each)) for name, each in self._tracks.items()]

    def __reduce__(self) -> tuple[type["Timeline"], tuple[object, ...]]:
        # segments are closures, which cannot be pickled for a worker; it makes its own
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
        """The number of steps of the training; the first is 0.

        Examples:
            >>> Timeline({}, [Phase("hues", 9)]).steps
            10
        """
        return self._steps

    @property
    def phases(self) -> tuple[Phase, ...]:
        """All phases, in order.

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
        """The row at a step, read-only.

        Raises:
            ValueError: If the step is negative.

        Examples:
            >>> from latent_anchors.curriculum import Keyframe
            >>> dict(Timeline({"lr": Track([Keyframe(0, 0.1)])})(7))
            {'lr': 0.1}
        """
        _check_step(step)
        return MappingProxyType(
            {
                name: segments[bisect_right(keys, step)](step)
                for name, keys, segments in self._segments
            }
        )

    def table(self, steps: ArrayLike) -> NDArray[np.float64]:
        """The rows of many steps.

        Args:
            steps: Of shape ``(...)``, such as ``range(len(timeline))``.

        Returns:
            The values, of shape ``(..., tracks)``, columns in the order of :attr:`names`.

        Raises:
            ValueError: If a step is negative.

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

    def phase(self, step: float | int) -> Phase | None:
        """The phase at a step; None before the first one starts.

        Raises:
            ValueError: If the step is negative.

        Examples:
            >>> Timeline({}, [Phase("hues", 9)]).phase(20)
            Phase(name='hues', start=9)
        """
        _check_step(step)
        started = bisect_right(self._phases, step, key=lambda phase: phase.start)
        return self._phases[started - 1] if started else None

    def actions(self, step: int) -> tuple[str, ...]:
        """The names of the actions at exactly this step, in the order given.

        Raises:
            ValueError: If the step is negative.

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
            ValueError: If a track uses a transition without a name.

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
        """Construct the timeline that :meth:`to_json` wrote.

        Raises:
            TypeError: If the data, or a part of it, is not a mapping.
            ValueError: If a key is missing or unknown, a track or a step with actions comes twice,
                or the constructor refuses a value.

        Examples:
            >>> timeline = Timeline({}, [Phase("hues", 9)])
            >>> Timeline.from_json(timeline.to_json()) == timeline
            True
        """
        check_keys("timeline", data, ("tracks", "phases", "actions", "steps"))
        for track in data["tracks"]:
            check_keys("track of a timeline", track, ("name", "space", "keyframes"))
        for phase in data["phases"]:
            check_keys("phase", phase, field_names(Phase))
        for each in data["actions"]:
            check_keys("step with actions", each, ("step", "names"))
        _check_once("track", [track["name"] for track in data["tracks"]])
        _check_once("step with actions", [each["step"] for each in data["actions"]])
        return cls(
            {track["name"]: Track.from_json(track) for track in data["tracks"]},
            [Phase(**phase) for phase in data["phases"]],
            {each["step"]: each["names"] for each in data["actions"]},
            data["steps"],
        )


def check_timeline(
    given: object, hint: str = "such as read_dopesheet(path).timeline() or playhead.as_timeline()"
) -> None:
    """Refuse anything but a timeline; the hint says what to write instead."""
    if not isinstance(given, Timeline):
        raise TypeError(f"The timeline is {given!r}; expected a Timeline, {hint}.")


def _check_once(kind: str, given: Sequence[object]) -> None:
    """Refuse what comes twice, of which a mapping would keep the last."""
    twice = [each for k, each in enumerate(given) if each in given[:k]]
    if twice:
        raise ValueError(f"The {kind} {twice[0]!r} comes twice; expected each once. Join the two.")


def _check_step(step: float | int) -> None:
    if not step >= 0:
        raise ValueError(f"The step is {step}; expected 0 or more.")


def _checked_tracks(tracks: Mapping[str, Track]) -> dict[str, Track]:
    for name, track in tracks.items():
        if not isinstance(track, Track):  # pyright: ignore[reportUnnecessaryIsInstance] -- users pass numbers all the same
            raise TypeError(
                f"Track {name!r} is {track!r}; expected a Track. "
                "A constant is Track([Keyframe(0, value)])."
            )
    return dict(tracks)


def _checked_phases(given: Sequence[Phase]) -> tuple[Phase, ...]:
    phases = tuple(given)
    for earlier, later in pairwise(phases):
        if later.start <= earlier.start:
            raise ValueError(
                f"{later!r} comes after {earlier!r}; expected strictly increasing starts."
            )
    return phases


def _checked_actions(given: Mapping[int, Sequence[str]]) -> Actions:
    actions: Actions = {}
    for step, names in given.items():
        check_count(f"The step of the actions {names!r}", step, least=0)
        if isinstance(names, str):
            raise TypeError(
                f"The actions at step {step} are {names!r}; expected a list: [{names!r}]."
            )
        actions[step] = tuple(names)
        if not all(actions[step]):
            raise ValueError(
                f"The actions at step {step} are {[*actions[step]]!r}; give each a name."
            )
    return {step: actions[step] for step in sorted(actions)}


def _checked_steps(
    steps: int | None, tracks: Mapping[str, Track], phases: Sequence[Phase], actions: Actions
) -> int:
    keyed = [steps_of(track)[-1] for track in tracks.values()]
    needed = 1 + max([*keyed, *(phase.start for phase in phases), *actions], default=0)
    if steps is None:
        return needed
    check_count("steps", steps)
    if steps < needed:
        raise ValueError(
            f"steps is {steps}, but the last key, phase or action is at step {needed - 1}; "
            f"expected at least {needed}."
        )
    return steps
