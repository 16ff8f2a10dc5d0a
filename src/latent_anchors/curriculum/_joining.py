"""Timelines one after another."""

from dataclasses import replace

from latent_anchors._checks import check_count, listed
from latent_anchors.curriculum._keyframe import Keyframe
from latent_anchors.curriculum._moved import moved_actions, moved_keys, moved_phases
from latent_anchors.curriculum._timeline import Timeline, check_timeline
from latent_anchors.curriculum._track import Track
from latent_anchors.transitions import step_end


def join(first: Timeline, *others: Timeline) -> Timeline:
    """Timelines one after another: each begins at step 0 of its own when the one before is over.

    Nothing travels across a seam: up to it the last value holds, and at it the next timeline's
    first one does. A phase goes on until the next one starts, across seams if need be.

    Args:
        first: its order of tracks is kept.
        others: with the same tracks in the same spaces.

    Raises:
        TypeError: if one of them is no timeline, but a list of them.
        ValueError: if the timelines have other tracks, or a track another space.

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
    """A timeline joined to itself, so that it is played so many times.

    Raises:
        TypeError: if ``times`` is no whole number.
        ValueError: if it is less than 1.

    Examples:
        >>> from latent_anchors.curriculum import Phase
        >>> repeat(Timeline({}, [Phase("hues", 0)], steps=10), 2).phases
        (Phase(name='hues', start=0), Phase(name='hues', start=10))
    """
    check_count("times", times)
    return join(*[timeline] * times)


def _appended(first: Timeline, second: Timeline) -> Timeline:
    if set(first.names) != set(second.names):
        raise ValueError(
            f"One timeline has the tracks {listed(first.names)}, the next {listed(second.names)}; "
            "expected the same. Give constants to the one that lacks some."
        )
    seam = first.steps
    return Timeline(
        {name: _track(name, first[name], second[name], seam) for name in first.names},
        [*first.phases, *moved_phases(second, seam)],
        {**first.actions_by_step, **moved_actions(second, seam)},
        seam + second.steps,
    )


def _track(name: str, first: Track, second: Track, seam: int) -> Track:
    if first.space != second.space:
        raise ValueError(
            f"Track {name!r} is in {first.space} space and then in {second.space} space; "
            "expected one space."
        )
    *keys, last = first.keyframes
    later = moved_keys(second, seam)
    waiting = [Keyframe(seam, later[0].value, step_end)] if later[0].step > seam else []
    return Track([*keys, replace(last, leave=step_end), *waiting, *later], first.space)
