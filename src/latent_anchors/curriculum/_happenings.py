"""What a timeline refuses to be made of."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from latent_anchors._checks import check_count
from latent_anchors.curriculum._phase import Phase
from latent_anchors.curriculum._track import Track

Actions = dict[int, tuple[str, ...]]


def checked_tracks(tracks: Mapping[str, Track]) -> dict[str, Track]:
    """Tracks by name, and nothing else."""
    for name, track in tracks.items():
        if not isinstance(track, Track):  # pyright: ignore[reportUnnecessaryIsInstance] -- users pass numbers all the same
            raise TypeError(
                f"Track {name!r} is {track!r}; expected a Track. "
                "A constant is Track([Keyframe(0, value)])."
            )
    return dict(tracks)


def checked_phases(phases: Sequence[Phase]) -> tuple[Phase, ...]:
    """Phases that follow one another."""
    for earlier, later in pairwise(phases):
        if later.start <= earlier.start:
            raise ValueError(
                f"{later!r} comes after {earlier!r}; expected strictly increasing starts."
            )
    return tuple(phases)


def checked_actions(actions: Mapping[int, Sequence[str]]) -> Actions:
    """Names of actions by step, earliest first."""
    for step, names in actions.items():
        check_count(f"The step of the actions {names!r}", step, least=0)
        if isinstance(names, str):
            raise TypeError(
                f"The actions at step {step} are {names!r}; expected a list: [{names!r}]."
            )
        if not all(names):
            raise ValueError(f"The actions at step {step} are {names!r}; give each a name.")
    return {step: tuple(actions[step]) for step in sorted(actions)}


def checked_steps(
    steps: int | None, tracks: Mapping[str, Track], phases: Sequence[Phase], actions: Actions
) -> int:
    """The number of steps, enough for everything that is to happen."""
    keyed = [key.step for track in tracks.values() for key in track.keyframes]
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
