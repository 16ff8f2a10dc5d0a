"""Make timelines from others: join, repeat, scale, shift, stretch and warm up."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from latent_anchors._checks import check_count, check_name, listed
from latent_anchors.curriculum._keyframe import Keyframe
from latent_anchors.curriculum._timeline import Actions, Phase, Timeline, check_timeline
from latent_anchors.curriculum._track import Track
from latent_anchors.transitions import Transition, max_slope, minimum_jerk, step_end


def join(first: Timeline, *others: Timeline) -> Timeline:
    """Timelines one after another; each starts at its step 0 when the one before has ended.

    Between two timelines nothing is interpolated: the last value of one holds until the first
    value of the next. A phase lasts until the next phase starts, possibly in a later timeline.

    Args:
        first: Determines the order of tracks.
        others: Timelines with the same tracks in the same spaces.

    Raises:
        TypeError: If one of them is not a timeline, such as a list of timelines.
        ValueError: If the timelines have different tracks, or a track different spaces.

    Examples:
        >>> from latent_anchors.curriculum import Keyframe, Track
        >>> rising = Timeline({"lr": Track([Keyframe(0, 0.0), Keyframe(4, 1.0)])})
        >>> join(rising, rising).table([0, 2, 4, 5, 7])[:, 0].tolist()
        [0.0, 0.5, 1.0, 0.0, 0.5]
    """
    for each in (first, *others):
        check_timeline(each, "or several one by one: join(*timelines)")
    joined = first
    for other in others:
        joined = _appended(joined, other)
    return joined


def repeat(timeline: Timeline, times: int) -> Timeline:
    """A timeline several times in a row.

    Raises:
        TypeError: If ``times`` is not an integer.
        ValueError: If it is less than 1.

    Examples:
        >>> from latent_anchors.curriculum import Phase
        >>> repeat(Timeline({}, [Phase("hues", 0)], steps=10), 2).phases
        (Phase(name='hues', start=0), Phase(name='hues', start=10))
    """
    check_count("times", times)
    return join(*[timeline] * times)


def scale(timeline: Timeline, factors: Mapping[str, float | int]) -> Timeline:
    """A timeline with the values of some tracks multiplied.

    Args:
        timeline: The timeline, which is not changed.
        factors: By track name; finite, and in log space positive.

    Raises:
        TypeError: If ``timeline`` is not a timeline.
        ValueError: If there is no such track, or a track cannot hold a product.

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
    """A timeline that starts later; until then every track holds its first value.

    Args:
        timeline: The timeline, which is not changed.
        by: Number of steps.

    Raises:
        TypeError: If ``timeline`` is not a timeline, or ``by`` not an integer.
        ValueError: If ``by`` is negative, which would cut off the beginning.

    Examples:
        >>> from latent_anchors.curriculum import Phase
        >>> shift(Timeline({}, [Phase("hues", 0)]), 100).phases
        (Phase(name='hues', start=100),)
    """
    check_timeline(timeline)
    check_count("by", by, least=0)
    tracks = {
        name: Track(_later_keys(track, by), track.space)
        for name, track in _tracks(timeline).items()
    }
    return Timeline(tracks, *_later_events(timeline, by), timeline.steps + by)


def stretch(timeline: Timeline, steps: int) -> Timeline:
    """A timeline in another number of steps; its first and last step remain the first and last.

    Everything in between moves in proportion, rounded to the nearest step (half to even).

    Args:
        timeline: The timeline, which is not changed.
        steps: The new number of steps, more or fewer than before.

    Raises:
        TypeError: If ``timeline`` is not a timeline, or ``steps`` not an integer.
        ValueError: If ``steps`` is less than 1, or two keys of a track, two phases, or the actions
            of two steps would fall on the same step.

    Examples:
        >>> from latent_anchors.curriculum import Keyframe, Track
        >>> timeline = Timeline({"lr": Track([Keyframe(0, 0.0), Keyframe(10, 1.0)])})
        >>> stretch(timeline, 21)["lr"](10)
        0.5
    """
    check_timeline(timeline)
    check_count("steps", steps)
    lengths = timeline.steps, steps
    starts = _placed("phases", [phase.start for phase in timeline.phases], *lengths)
    actions = _placed("actions", list(timeline.actions_by_step), *lengths)
    return Timeline(
        {name: _stretched(name, track, *lengths) for name, track in _tracks(timeline).items()},
        [replace(phase, start=at) for phase, at in zip(timeline.phases, starts, strict=True)],
        dict(zip(actions, timeline.actions_by_step.values(), strict=True)),
        steps,
    )


def warm_up(
    timeline: Timeline,
    name: str,
    steps: int,
    *,
    start: float | int,
    leave: Transition = minimum_jerk,
) -> Timeline:
    """A timeline after a ramp of one track, from ``start`` to the track's first value.

    The other tracks hold their first values meanwhile; everything else happens later by the length
    of the ramp.

    Args:
        timeline: The timeline, which is not changed.
        name: The track to ramp up.
        steps: Length of the ramp.
        start: The track's value at step 0; in log space above 0.
        leave: The ramp's transition.

    Raises:
        TypeError: If ``timeline`` is not a timeline, or ``steps`` not an integer.
        ValueError: If there is no such track, ``steps`` is less than 1, or the track cannot hold
            the value ``start``.

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
    # passing through the end of the ramp would change the slope of what follows
    keys = [replace(first, rest=first.rest or max_slope(leave) > 0.0), *others]
    if first.step > steps:
        keys = [Keyframe(steps, first.value, step_end), *keys]
    tracks = {**_tracks(later), name: Track([Keyframe(0, start, leave), *keys], track.space)}
    return Timeline(tracks, later.phases, later.actions_by_step, later.steps)


def _tracks(timeline: Timeline) -> dict[str, Track]:
    return {name: timeline[name] for name in timeline.names}


def _appended(first: Timeline, second: Timeline) -> Timeline:
    if set(first.names) != set(second.names):
        raise ValueError(
            f"One timeline has the tracks {listed(first.names)}, the next {listed(second.names)}; "
            "expected the same. Give constants to the one that lacks some."
        )
    phases, actions = _later_events(second, first.steps)
    return Timeline(
        {name: _joined(name, first[name], second[name], first.steps) for name in first.names},
        [*first.phases, *phases],
        {**first.actions_by_step, **actions},
        first.steps + second.steps,
    )


def _joined(name: str, first: Track, second: Track, start: int) -> Track:
    if first.space != second.space:
        raise ValueError(
            f"Track {name!r} is in {first.space} space and then in {second.space} space; "
            "expected one space."
        )
    *keys, last = first.keyframes
    later = _later_keys(second, start)
    until = [Keyframe(start, later[0].value, step_end)] if later[0].step > start else []
    return Track([*keys, replace(last, leave=step_end), *until, *later], first.space)


def _later_keys(track: Track, by: int) -> list[Keyframe]:
    return [replace(key, step=key.step + by) for key in track.keyframes]


def _later_events(timeline: Timeline, by: int) -> tuple[list[Phase], Actions]:
    phases = [replace(phase, start=phase.start + by) for phase in timeline.phases]
    return phases, {step + by: names for step, names in timeline.actions_by_step.items()}


def _stretched(name: str, track: Track, before: int, after: int) -> Track:
    steps = [key.step for key in track.keyframes]
    placed = _placed(f"keys of track {name!r}", steps, before, after)
    keys = [replace(key, step=at) for key, at in zip(track.keyframes, placed, strict=True)]
    return Track(keys, track.space)


def _placed(what: str, steps: Sequence[int], before: int, after: int) -> list[int]:
    """Steps of a timeline of one length in a timeline of another."""
    placed = [round(step * Fraction(after - 1, max(before - 1, 1))) for step in steps]
    for k in range(1, len(placed)):
        if placed[k] == placed[k - 1]:
            raise ValueError(
                f"In {after} steps, the {what} at steps {steps[k - 1]} and {steps[k]} would both "
                f"be at step {placed[k]}; ask for more steps, or remove one of them."
            )
    return placed
