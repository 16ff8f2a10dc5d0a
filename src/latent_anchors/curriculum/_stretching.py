"""Parts of a timeline, at the steps that a longer or shorter one has for them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from latent_anchors.curriculum._happenings import Actions
from latent_anchors.curriculum._phase import Phase
from latent_anchors.curriculum._track import Track

Place = Callable[[str, Sequence[int]], list[int]]
"""From what stands at some steps, and these, to the steps where it will stand."""


def stretching(steps: int, wanted: int) -> Place:
    """The first step stays the first and the last becomes the last; halves go to even steps."""
    share = Fraction(wanted - 1, max(steps - 1, 1))

    def place(what: str, at: Sequence[int]) -> list[int]:
        placed = [round(step * share) for step in at]
        for k in range(1, len(placed)):
            if placed[k] == placed[k - 1]:
                raise ValueError(
                    f"In {wanted} steps, the {what} at steps {at[k - 1]} and {at[k]} would both be "
                    f"at step {placed[k]}; ask for more steps, or remove one of them."
                )
        return placed

    return place


def stretched_track(name: str, track: Track, place: Place) -> Track:
    """A track with its keys in their places."""
    placed = place(f"keys of track {name!r}", [key.step for key in track.keyframes])
    keys = [replace(key, step=at) for key, at in zip(track.keyframes, placed, strict=True)]
    return Track(keys, track.space)


def stretched_phases(phases: Sequence[Phase], place: Place) -> list[Phase]:
    """Phases with their starts in their places."""
    placed = place("phases", [phase.start for phase in phases])
    return [replace(phase, start=at) for phase, at in zip(phases, placed, strict=True)]


def stretched_actions(actions: Mapping[int, tuple[str, ...]], place: Place) -> Actions:
    """Actions in their places."""
    return dict(zip(place("actions", list(actions)), actions.values(), strict=True))
