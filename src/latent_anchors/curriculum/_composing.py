"""Timelines made from others: scaled, shifted, warmed up."""

from collections.abc import Mapping
from dataclasses import replace

from latent_anchors._checks import check_count, check_name
from latent_anchors.curriculum._keyframe import Keyframe
from latent_anchors.curriculum._moved import moved_actions, moved_keys, moved_phases
from latent_anchors.curriculum._timeline import Timeline, check_timeline
from latent_anchors.curriculum._track import Track
from latent_anchors.transitions import Transition, max_slope, minimum_jerk, step_end


def scale(timeline: Timeline, factors: Mapping[str, float | int]) -> Timeline:
    """The timeline with all values of some tracks multiplied.

    Args:
        timeline: left as it is.
        factors: by the tracks' names; finite, and in log space positive.

    Raises:
        TypeError: if it is no timeline.
        ValueError: if there is no such track, or a product is none that the track can hold.

    Examples:
        >>> from latent_anchors.curriculum import Keyframe, Track
        >>> timeline = Timeline({"anchor": Track([Keyframe(0, 0.25)])})
        >>> scale(timeline, {"anchor": 2})["anchor"](0)
        0.5
    """
    check_timeline(timeline)
    tracks = _tracks(timeline)
    for name, factor in factors.items():
        check_name("track", name, timeline.names)
        track = tracks[name]
        keys = [replace(key, value=key.value * factor) for key in track.keyframes]
        tracks[name] = Track(keys, track.space)
    return Timeline(tracks, timeline.phases, timeline.actions_by_step, timeline.steps)


def shift(timeline: Timeline, by: int) -> Timeline:
    """The timeline, so many steps later; until then every track holds its first value.

    Raises:
        TypeError: if it is no timeline, or ``by`` no whole number.
        ValueError: if it is negative, for that would cut the beginning off.

    Examples:
        >>> from latent_anchors.curriculum import Phase
        >>> shift(Timeline({}, [Phase("hues", 0)]), 100).phases
        (Phase(name='hues', start=100),)
    """
    check_timeline(timeline)
    check_count("by", by, least=0)
    tracks = {
        name: Track(moved_keys(track, by), track.space) for name, track in _tracks(timeline).items()
    }
    phases, actions = moved_phases(timeline, by), moved_actions(timeline, by)
    return Timeline(tracks, phases, actions, timeline.steps + by)


def warm_up(
    timeline: Timeline,
    name: str,
    steps: int,
    *,
    start: float | int,
    leave: Transition = minimum_jerk,
) -> Timeline:
    """The timeline after a ramp on one of its tracks, from a value to the track's first one.

    The other tracks hold their first values meanwhile. After the ramp everything is as it was, so
    many steps later.

    Args:
        timeline: left as it is.
        name: the track's.
        steps: how long the ramp is.
        start: its value at step 0; in log space above 0.
        leave: how the ramp travels.

    Raises:
        TypeError: if it is no timeline, or ``steps`` no whole number.
        ValueError: if there is no such track, ``steps`` is less than 1, or ``start`` is a value
            that the track cannot hold.

    Examples:
        >>> from latent_anchors.curriculum import Keyframe, Track
        >>> timeline = Timeline({"lr": Track([Keyframe(0, 0.5), Keyframe(9, 0.0)])})
        >>> warm_up(timeline, "lr", 4, start=0).table([0, 2, 4, 13])[:, 0].tolist()
        [0.0, 0.25, 0.5, 0.0]
    """
    check_timeline(timeline)
    check_name("track", name, timeline.names)
    check_count("steps", steps)
    later = shift(timeline, steps)
    track = later[name]
    first, *others = track.keyframes
    # Passing through the ramp's end would bend what comes after it.
    keys = [replace(first, rest=first.rest or max_slope(leave) > 0.0), *others]
    if first.step > steps:
        keys = [Keyframe(steps, first.value, step_end), *keys]
    tracks = {**_tracks(later), name: Track([Keyframe(0, start, leave), *keys], track.space)}
    return Timeline(tracks, later.phases, later.actions_by_step, later.steps)


def _tracks(timeline: Timeline) -> dict[str, Track]:
    return {name: timeline[name] for name in timeline.names}
