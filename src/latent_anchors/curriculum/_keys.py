"""The keyframes of a track as columns, and its slopes at them."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from latent_anchors.curriculum._keyframe import Keyframe, Slopes
from latent_anchors.transitions import Transition, max_slope


class Keys(NamedTuple):
    """Keyframes as columns.

    Python's garbage collector looks at every keyframe that exists, over and over, but at no number;
    a long sheet has 10^5 keys.
    """

    steps: tuple[int, ...]
    values: tuple[float, ...]
    leaves: tuple[Transition, ...]
    rests: tuple[bool, ...]


def keys_of(keyframes: Iterable[Keyframe]) -> Keys:
    """The columns of keyframes, each of which may be made when its turn comes."""
    steps: list[int] = []
    values: list[float] = []
    leaves: list[Transition] = []
    rests: list[bool] = []
    for key in keyframes:
        steps.append(key.step)
        values.append(key.value)
        leaves.append(key.leave)
        rests.append(key.rest)
    return Keys(tuple(steps), tuple(values), tuple(leaves), tuple(rests))


def slopes_of(keys: Keys, changes: Sequence[float]) -> list[Slopes]:
    """The slopes of every segment at its two keys; they are 0 at a track's first and last key."""
    most = [max_slope(leave) for leave in keys.leaves]
    if not any(most):
        return [(0.0, 0.0)] * len(changes)
    spans = [end - start for start, end in pairwise(keys.steps)]
    # the last pair is that of the last key, where no segment starts
    meeting = zip(pairwise(most), keys.rests[1:-1], strict=False)
    bounds = [0.0 if rest else min(pair) for pair, rest in meeting]
    around = zip(bounds, pairwise(changes), pairwise(spans), strict=True)
    inner = [_slopes_at(*each) for each in around]
    starts = [0.0, *(after for _, after in inner)]
    ends = [*(before for before, _ in inner), 0.0]
    return list(zip(starts, ends, strict=True)) if changes else []


def _slopes_at(most: float, changes: tuple[float, float], spans: tuple[int, int]) -> Slopes:
    """A key's slope, at most so large, relative to the segments that end and start there.

    It is PCHIP's: the harmonic mean of the two segments' mean slopes, weighted by their lengths,
    and 0 where the track turns back.
    """
    before, after = changes[0] / spans[0], changes[1] / spans[1]
    if not before * after > 0.0:
        return 0.0, 0.0
    weights = 2 * spans[1] + spans[0], spans[1] + 2 * spans[0]
    if abs(before) <= abs(after):
        ratio = before / after
        slope = min(most, sum(weights) / (weights[0] + weights[1] * ratio))
        return slope, slope * ratio
    ratio = after / before
    slope = min(most, sum(weights) / (weights[0] * ratio + weights[1]))
    return slope * ratio, slope
