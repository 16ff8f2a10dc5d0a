"""The parts of a timeline, some steps later."""

from dataclasses import replace

from latent_anchors.curriculum._keyframe import Keyframe
from latent_anchors.curriculum._phase import Phase
from latent_anchors.curriculum._timeline import Timeline
from latent_anchors.curriculum._track import Track


def moved_keys(track: Track, by: int) -> list[Keyframe]:
    """The keys of a track."""
    return [replace(key, step=key.step + by) for key in track.keyframes]


def moved_phases(timeline: Timeline, by: int) -> list[Phase]:
    """Its phases."""
    return [replace(phase, start=phase.start + by) for phase in timeline.phases]


def moved_actions(timeline: Timeline, by: int) -> dict[int, tuple[str, ...]]:
    """Its actions."""
    return {step + by: names for step, names in timeline.actions_by_step.items()}
