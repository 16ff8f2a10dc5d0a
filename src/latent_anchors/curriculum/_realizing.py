"""The pure timeline that a play turned out to be."""

from latent_anchors.curriculum._course import Course
from latent_anchors.curriculum._keyframe import Keyframe
from latent_anchors.curriculum._phase import Phase
from latent_anchors.curriculum._timeline import Timeline
from latent_anchors.curriculum._track import Track
from latent_anchors.curriculum._unfolding import Unfolding
from latent_anchors.transitions import linear


def realized(now: Unfolding, run: int) -> Timeline:
    """One run's tracks, and the phases and actions of all."""
    timeline, steps = now.timeline, range(now.steps)
    phases = zip(timeline.phases, now.starts, strict=True)
    actions = {step: now.actions(step) for step in steps}
    return Timeline(
        {name: _track(now.course(name, run), now.steps) for name in timeline.names},
        [Phase(phase.name, start) for phase, start in phases if start < now.steps],
        {step: names for step, names in actions.items() if names},
        now.steps,
    )


def _track(course: Course, steps: int) -> Track:
    if len(course.firsts) == 1 and course.track.keyframes[-1].step < steps:
        return course.track
    values = [course(step) for step in range(steps)]
    keys = [
        Keyframe(step, value, leave=linear)
        for step, value in enumerate(values)
        if not values[max(step - 1, 0)] == value == values[min(step + 1, steps - 1)]
        or step in (0, steps - 1)
    ]
    return Track(keys, course.track.space)
