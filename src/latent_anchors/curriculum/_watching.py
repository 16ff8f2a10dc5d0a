"""What a condition remembers of the measurements of one run: pure functions of it."""

from dataclasses import dataclass, replace

from latent_anchors.curriculum._conditions import Above, Below, Condition, Plateau


@dataclass(frozen=True)
class Seen:
    """The mean so far and its weight, a count of observations, the best, and whether it holds."""

    mean: float = 0.0
    weight: float = 0.0
    count: int = 0
    best: float | None = None
    holds: bool = False


def watched(condition: Condition, seen: Seen, value: float | int) -> Seen:
    """What is remembered after one more measurement."""
    seen = _smoothed(seen, value, condition.smoothing)
    if isinstance(condition, Below | Above):
        return _crossed(condition, seen)
    if isinstance(condition, Plateau):
        return _improved(condition, seen)
    return replace(seen, holds=bool(condition.predicate(seen.mean)))


def rearmed(condition: Condition, seen: Seen) -> Seen:
    """What is remembered after it has fired."""
    return replace(seen, count=0, holds=False) if isinstance(condition, Plateau) else seen


def _smoothed(seen: Seen, value: float | int, smoothing: float) -> Seen:
    weight = smoothing * seen.weight + 1.0
    # Without smoothing the mean is the measurement, to the last bit.
    mean = value if weight == 1.0 else seen.mean + (value - seen.mean) / weight
    return replace(seen, mean=mean, weight=weight)


def _crossed(condition: Below | Above, seen: Seen) -> Seen:
    sign = 1.0 if isinstance(condition, Below) else -1.0
    clear = condition.threshold if condition.clear is None else condition.clear
    count = seen.count + 1 if sign * seen.mean < sign * condition.threshold else 0
    cleared = sign * seen.mean > sign * clear
    holds = not cleared if seen.holds else count >= condition.patience
    return replace(seen, count=count, holds=holds)


def _improved(condition: Plateau, seen: Seen) -> Seen:
    sign = 1.0 if condition.better == "lower" else -1.0
    if seen.best is None or sign * seen.mean < sign * seen.best - condition.margin:
        return replace(seen, best=seen.mean, count=0, holds=False)
    return replace(seen, count=seen.count + 1, holds=seen.count + 1 >= condition.patience)
