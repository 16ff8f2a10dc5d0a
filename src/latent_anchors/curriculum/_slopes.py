"""With which slopes a track passes through its keys."""

from collections.abc import Sequence
from itertools import pairwise

from latent_anchors.curriculum._keyframe import Keyframe
from latent_anchors.transitions import max_slope

Slopes = tuple[float, float]
"""At the start and the end of a segment, as multiples of its mean slope."""


def slopes(keys: Sequence[Keyframe], changes: Sequence[float]) -> list[Slopes]:
    """For every segment, those of its two keys; the first and the last key of a track rest."""
    if not any(max_slope(key.leave) for key in keys):
        return [(0.0, 0.0)] * len(changes)
    spans = [end.step - start.step for start, end in pairwise(keys)]
    inner = [
        _slopes_at(keys[k], keys[k + 1], (changes[k], changes[k + 1]), (spans[k], spans[k + 1]))
        for k in range(len(changes) - 1)
    ]
    starts = [0.0, *(after for _, after in inner)]
    ends = [*(before for before, _ in inner), 0.0]
    return list(zip(starts, ends, strict=True)) if changes else []


def _slopes_at(
    earlier: Keyframe, key: Keyframe, changes: tuple[float, float], spans: tuple[int, int]
) -> Slopes:
    """A key's slope, by the segment that ends there and by the one that starts.

    It is the harmonic mean of both segments' mean slopes, weighed by their lengths as PCHIP does,
    and 0 where the track turns back.
    """
    before, after = changes[0] / spans[0], changes[1] / spans[1]
    most = min(max_slope(earlier.leave), max_slope(key.leave))
    if key.rest or not before * after > 0.0:
        return 0.0, 0.0
    weights = 2 * spans[1] + spans[0], spans[1] + 2 * spans[0]
    if abs(before) <= abs(after):
        ratio = before / after
        slope = min(most, sum(weights) / (weights[0] + weights[1] * ratio))
        return slope, slope * ratio
    ratio = after / before
    slope = min(most, sum(weights) / (weights[0] * ratio + weights[1]))
    return slope * ratio, slope
