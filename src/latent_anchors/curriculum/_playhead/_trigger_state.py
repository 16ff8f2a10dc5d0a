"""The state of a trigger: what it has observed, whether it fires, and the log of those that did."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, cast

from latent_anchors._checks import listed
from latent_anchors.curriculum._playhead._actions import Action, Retarget
from latent_anchors.curriculum._playhead._conditions import Above, Below, Condition, Plateau
from latent_anchors.curriculum._playhead._triggers import Trigger


@dataclass(frozen=True)
class Fired:
    """An entry of a playhead's log: which trigger fired, and why.

    Attributes:
        step: The observed step; the action takes effect from the next one.
        trigger: Index among the playhead's triggers.
        runs: The runs for which the condition was true.
        values: Their measurements, smoothed if the condition smooths.
        why: The condition and the values, in words.
        action: The trigger's action.

    Examples:
        >>> from latent_anchors.curriculum import Stop
        >>> Fired(9, 0, (0,), (0.005,), "recon below 0.01", Stop()).words
        'step 9: recon below 0.01, so the training ends'
    """

    step: int
    trigger: int
    runs: tuple[int, ...]
    values: tuple[float, ...]
    why: str
    action: Action

    @property
    def words(self) -> str:
        """The entry in words.

        Examples:
            >>> from latent_anchors.curriculum import RunAction
            >>> Fired(9, 0, (0,), (0.005,), "recon below 0.01", RunAction("save")).words
            "step 9: recon below 0.01, so 'save' runs"
        """
        return f"step {self.step}: {self.why}, so {self.action.words}"


def fired_to_json(fired: Fired) -> dict[str, Any]:
    """Plain values for JSON, without the action, which is the trigger's."""
    values = {name: getattr(fired, name) for name in ("step", "trigger", "why")}
    return {**values, "runs": list(fired.runs), "values": list(fired.values)}


def fired_from_json(data: Mapping[str, Any], triggers: Sequence[Trigger]) -> Fired:
    """What :func:`fired_to_json` returned."""
    runs, values, index = tuple(data["runs"]), tuple(data["values"]), int(data["trigger"])
    return Fired(data["step"], index, runs, values, data["why"], triggers[index].then)


@dataclass(frozen=True)
class Observed:
    """A condition's state in one run.

    Moving average and its weight, count of observations, best value, and whether it is true.
    """

    mean: float = 0.0
    weight: float = 0.0
    count: int = 0
    best: float | None = None
    holds: bool = False


@dataclass(frozen=True)
class TriggerState:
    """What a trigger has observed in each run, and how often it has fired.

    ``disarmed`` and ``times`` have one entry per decision: one for each run if the trigger acts on
    runs separately, else one for the vote. Disarmed means that it has fired, and waits for its
    condition to become false.
    """

    observed: tuple[Observed, ...]
    disarmed: tuple[bool, ...]
    times: tuple[int, ...]

    @classmethod
    def initial(cls, trigger: Trigger, runs: int) -> "TriggerState":
        """Before the first observation."""
        decisions = runs if isinstance(trigger.then, Retarget) else 1
        return cls((Observed(),) * runs, (False,) * decisions, (0,) * decisions)

    def to_json(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {name: list(values) for name, values in asdict(self).items()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "TriggerState":
        """What :meth:`to_json` returned."""
        observed = tuple(Observed(**each) for each in data["observed"])
        return cls(observed, tuple(data["disarmed"]), tuple(data["times"]))


def measured(measurements: Mapping[str, object], name: str, runs: int) -> list[float | None]:
    """The measurement of that name for each run; arrays and tensors are read as lists."""
    if name not in measurements:
        raise ValueError(
            f"A trigger watches {name!r}, but the measurements are {listed(measurements)}; "
            "expected it at every observation. Pass None when it was not measured."
        )
    given = measurements[name]
    given = cast("Any", given).tolist() if hasattr(given, "tolist") else given
    if not isinstance(given, Sequence):
        return [_number(name, given)] * runs
    each = [_number(name, value) for value in cast("Sequence[object]", given)]
    if len(each) != runs:
        raise ValueError(
            f"{name!r} was measured for {len(each)} runs; expected one number for each of {runs}, "
            "or one for all."
        )
    return each


def _number(name: str, value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, float | int):
        raise TypeError(
            f"{name!r} was measured as {value!r}; expected a number, one for each run, or None."
        )
    return float(value) if math.isfinite(value) else None


def evaluated(
    trigger: Trigger, state: TriggerState, values: Sequence[float | None], may_fire: bool
) -> tuple[TriggerState, tuple[int, ...]]:
    """A trigger's state after an observation, and the runs for which it fires."""
    observed = [
        before if value is None else observed_next(trigger.when, before, value)
        for before, value in zip(state.observed, values, strict=True)
    ]
    disarmed, times, firing = list(state.disarmed), list(state.times), list[int]()
    for k, group in enumerate(_groups(trigger, values)):
        holding = [run for run in group if observed[run].holds]
        passed = trigger.passes(len(holding), len(group))
        if not may_fire or (group and not passed):
            disarmed[k] = False
        elif passed and not disarmed[k] and times[k] != trigger.times:
            firing += holding
            times[k] += 1
            for run in group:
                observed[run] = after_firing(trigger.when, observed[run])
            disarmed[k] = any(observed[run].holds for run in group)
    return TriggerState(tuple(observed), tuple(disarmed), tuple(times)), tuple(firing)


def _groups(trigger: Trigger, values: Sequence[float | None]) -> list[list[int]]:
    """The runs with a measurement, grouped by decision."""
    present = [run for run, value in enumerate(values) if value is not None]
    if not isinstance(trigger.then, Retarget):
        return [present]
    return [[run] if run in present else [] for run in range(len(values))]


def observed_next(condition: Condition, observed: Observed, value: float | int) -> Observed:
    """A condition's state after one more measurement."""
    observed = _smoothed(observed, value, condition.smoothing)
    if isinstance(condition, Below | Above):
        return _crossed(condition, observed)
    if isinstance(condition, Plateau):
        return _improved(condition, observed)
    return replace(observed, holds=bool(condition.function(observed.mean)))


def after_firing(condition: Condition, observed: Observed) -> Observed:
    """A condition's state after its trigger has fired."""
    return replace(observed, count=0, holds=False) if isinstance(condition, Plateau) else observed


def _smoothed(observed: Observed, value: float | int, smoothing: float) -> Observed:
    weight = smoothing * observed.weight + 1.0
    # without smoothing the mean is the measurement, to the last bit
    mean = value if weight == 1.0 else observed.mean + (value - observed.mean) / weight
    return replace(observed, mean=mean, weight=weight)


def _crossed(condition: Below | Above, observed: Observed) -> Observed:
    sign = 1.0 if isinstance(condition, Below) else -1.0
    clear = condition.threshold if condition.clear is None else condition.clear
    count = observed.count + 1 if sign * observed.mean < sign * condition.threshold else 0
    cleared = sign * observed.mean > sign * clear
    holds = not cleared if observed.holds else count >= condition.patience
    return replace(observed, count=count, holds=holds)


def _improved(condition: Plateau, observed: Observed) -> Observed:
    sign = 1.0 if condition.better == "lower" else -1.0
    if observed.best is None or sign * observed.mean < sign * observed.best - condition.margin:
        return replace(observed, best=observed.mean, count=0, holds=False)
    count = observed.count + 1
    return replace(observed, count=count, holds=count >= condition.patience)
