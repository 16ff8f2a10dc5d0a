"""A number over many runs: every run's own, and an aggregate that carries n and an interval."""

import statistics
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

from jaxtyping import Float
from torch import Tensor

from latent_anchors._checks import unknown
from latent_anchors._numerics import as_floats
from latent_anchors.evaluation._intervals import mean_interval, share_interval

SHARES = {"at_band", "at_least_one", "censored", "crumpled", "disordered", "drifted", "latched"}
"""Parts of the names of metrics that are 0 or 1 in each run, whose interval is Wilson's."""


@dataclass(frozen=True)
class Metric:
    """One measure over runs.

    Attributes:
        per_seed: In the order of the seeds; None where a value does not exist.
        mean: Of those that exist, as are the rest.
        std: Dividing by n - 1; 0 for a single value.
        min: The least.
        max: The greatest.
        n: How many exist.
        ci95: Of the mean; None where n is too small to tell.

    Examples:
        >>> metric = summarize([0.1, None, 0.3])
        >>> metric.n, metric.mean, metric.max
        (2, 0.2, 0.3)
    """

    per_seed: tuple[float | None, ...]
    mean: float | None
    std: float | None
    min: float | None
    max: float | None
    n: int
    ci95: tuple[float, float] | None


def summarize(per_seed: Sequence[float | None], share: bool = False) -> Metric:
    """Mean, spread and 95 % interval over runs.

    Args:
        per_seed: One value per run; None, NaN and infinities do not exist.
        share: Whether values are 0 or 1, so that the interval is Wilson's.

    Examples:
        >>> summarize([1.0, 0.0], share=True).mean
        0.5
    """
    values = tuple(None if v is None or not isfinite(v) else float(v) for v in per_seed)
    there = [value for value in values if value is not None]
    if not there:
        return Metric(values, None, None, None, None, 0, None)
    mean, n = statistics.fmean(there), len(there)
    std = statistics.stdev(there) if n > 1 else 0.0
    interval = share_interval(mean, n) if share else mean_interval(mean, std, n)
    return Metric(values, mean, std, min(there), max(there), n, interval)


class Evaluation(Mapping[str, Float[Tensor, " runs"]]):
    """What was measured, by name, run by run.

    Args:
        values: By name ``(runs,)``.

    Raises:
        KeyError: If a name is asked for that was not measured.

    Examples:
        >>> import torch
        >>> found = Evaluation({"a": torch.tensor([1.0, 3.0])}) | Evaluation({"b": torch.ones(2)})
        >>> found.metrics()["a"].mean, list(found)
        (2.0, ['a', 'b'])
    """

    def __init__(self, values: Mapping[str, Tensor]) -> None:
        self._values = dict(values)

    def __getitem__(self, name: str) -> Float[Tensor, " runs"]:
        if name not in self._values:
            raise KeyError(unknown("measure", name, self._values))
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __or__(self, other: Mapping[str, Tensor]) -> "Evaluation":
        return Evaluation({**self, **other})

    def metrics(self, failed: Collection[int] = ()) -> dict[str, Metric]:
        """Each measure over runs.

        Args:
            failed: Runs whose values do not exist.

        Examples:
            >>> import torch
            >>> Evaluation({"a": torch.tensor([1.0, 3.0])}).metrics(failed=[1])["a"].per_seed
            (1.0, None)
        """
        return {
            name: summarize(
                [None if run in failed else value for run, value in enumerate(as_floats(values))],
                share=not SHARES.isdisjoint(name.split("/")),
            )
            for name, values in self._values.items()
        }
