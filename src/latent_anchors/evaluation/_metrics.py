"""A number over many runs: every run's own, and an aggregate that carries n and an interval."""

import statistics
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import exp, inf, isfinite, log
from operator import index
from typing import SupportsIndex

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from latent_anchors._checks import check_name, unknown
from latent_anchors._numerics import as_floats
from latent_anchors.evaluation._intervals import t_interval, wilson_interval

Measured = Float[Tensor, " runs"] | Bool[Tensor, " runs"]
"""A number for each run; or whether something holds of it, of which the share is asked."""


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


class RatioMetric(Metric):
    """Of ratios: ``mean`` is geometric, and ``std`` the factor of the spread, at least 1."""


def summarize(per_seed: Sequence[float | None], share: bool = False) -> Metric:
    """Mean, spread and 95 % interval over runs.

    Args:
        per_seed: One value per run; None, NaN and infinities do not exist.
        share: Whether values are 0 or 1, so that the interval is Wilson's.

    Raises:
        ValueError: If one of a share is neither 0 nor 1.

    Examples:
        >>> summarize([1.0, 0.0], share=True).mean
        0.5
    """
    values = tuple(None if v is None or not isfinite(v) else float(v) for v in per_seed)
    there = [value for value in values if value is not None]
    if not there:
        return Metric(values, None, None, None, None, 0, None)
    if share and not {*there} <= {0.0, 1.0}:
        raise ValueError(
            f"The values of a share run from {min(there):g} to {max(there):g}; expected 0 or 1 for "
            "each run, whether something holds. Of accuracies take the mean: share=False."
        )
    mean, n = statistics.fmean(there), len(there)
    std = statistics.stdev(there) if n > 1 else 0.0
    interval = wilson_interval(mean, n) if share else t_interval(mean, std, n)
    return Metric(values, mean, std, min(there), max(there), n, interval)


MOST = log(sys.float_info.max)
"""The logarithm of the largest number."""


def summarize_ratios(per_seed: Sequence[float | None]) -> Metric:
    r"""Geometric mean, factor of spread and 95 % interval of ratios over runs.

    .. math:: \bar x = \exp \overline{\ln x}, \qquad s = \exp \mathrm{std}(\ln x)

    Ratios are skewed: of 4 and 1/4 the arithmetic mean is above 2, the geometric one 1. In the
    record ``std`` is the factor :math:`s`, at least 1, and ``ci95`` Student's interval of the
    logarithms, as ratios; None if it goes beyond the largest number. Where a ratio is not positive
    there is no geometric mean: ``mean``, ``std`` and ``ci95`` are None.

    Args:
        per_seed: One ratio per run; None, NaN and infinities do not exist.

    References:
        Fleming and Wallace, "How not to lie with statistics: the correct way to summarize benchmark
        results", CACM, 1986.

    Examples:
        >>> found = summarize_ratios([4.0, 0.25, None])
        >>> found.mean, found.n, found.max
        (1.0, 2, 4.0)
    """
    plain = summarize(per_seed)
    if plain.min is None or plain.min <= 0:
        return RatioMetric(plain.per_seed, None, None, plain.min, plain.max, plain.n, None)
    logs = summarize([None if ratio is None else log(ratio) for ratio in plain.per_seed])
    low, high = logs.ci95 or (0.0, inf)
    ends = (exp(low), exp(high)) if high < MOST else None
    mean, spread = (exp(each or 0.0) for each in (logs.mean, logs.std))
    return RatioMetric(plain.per_seed, mean, spread, plain.min, plain.max, plain.n, ends)


class Evaluation(Mapping[str, Tensor]):
    """What was measured, by name, run by run.

    What is boolean is summarized as a share, with Wilson's interval; numbers by their mean, with
    Student's. A run of which no number is finite has failed: nothing of it counts.

    Args:
        values: By name ``(runs,)``, numbers or booleans.

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

    def __getitem__(self, name: str) -> Measured:
        if name not in self._values:
            raise KeyError(unknown("measure", name, self._values))
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __or__(self, other: Mapping[str, Tensor]) -> "Evaluation":
        return Evaluation({**self, **other})

    def failed(self) -> tuple[int, ...]:
        """Runs of which no number is finite.

        Examples:
            >>> import torch
            >>> Evaluation({"a": torch.tensor([1.0, torch.nan])}).failed()
            (1,)
        """
        numbers = [values for values in self._values.values() if values.dtype != torch.bool]
        if not numbers:
            return ()
        finite = torch.stack([values.isfinite().cpu() for values in numbers]).any(0)
        return tuple(run for run, there in enumerate(finite) if not there)

    def metrics(
        self, failed: Collection[int] = (), ratios: Collection[str] = ()
    ) -> dict[str, Metric]:
        """Each measure over runs.

        Args:
            failed: Numbers of runs, from 0, whose values do not exist, beside those that
                :meth:`failed` finds.
            ratios: Measures that are ratios, which :func:`summarize_ratios` summarizes.

        Raises:
            ValueError: If a ratio was not measured, or there is no such run.
            TypeError: If the number of a run is not whole.

        Examples:
            >>> import torch
            >>> Evaluation({"a": torch.tensor([1.0, 3.0])}).metrics(failed=[1])["a"].per_seed
            (1.0, None)
        """
        skewed = [*ratios]
        for name in skewed:
            check_name("measure", name, [*self])
        without = {*(self._run(each) for each in failed), *self.failed()}
        there = {
            name: [None if run in without else each for run, each in enumerate(as_floats(values))]
            for name, values in self._values.items()
        }
        shares = {name for name, values in self._values.items() if values.dtype == torch.bool}
        plain = {name: summarize(each, name in shares) for name, each in there.items()}
        return plain | {name: summarize_ratios(plain[name].per_seed) for name in skewed}

    def _run(self, number: object) -> int:
        """The number of a run, checked: a mask would name other runs."""
        kind = getattr(number, "dtype", type(number))
        if kind in (bool, torch.bool) or not isinstance(number, SupportsIndex):
            raise TypeError(
                f"failed holds {number!r}; expected numbers of runs, from 0. Of a mask write "
                "[run for run, lost in enumerate(mask) if lost]."
            )
        run, runs = index(number), max(map(len, self._values.values()), default=0)
        if not 0 <= run < runs:
            raise ValueError(
                f"failed names run {run}, and there are {runs}; expected numbers from 0."
            )
        return run


def metric_table(metrics: Mapping[str, Metric], names: Sequence[str]) -> str:
    """Some measures over all runs: mean, standard deviation, least and greatest, 95 % interval.

    Of ratios the mean is geometric, and a factor stands for the deviation.

    Args:
        metrics: By name.
        names: Rows.

    Raises:
        KeyError: If one of them was not measured.

    Examples:
        >>> from latent_anchors.evaluation import summarize
        >>> print(metric_table({"labels": summarize([80.0, 84.0])}, ["labels"]))
        labels: 82 (std 2.828, min 80, max 84, n 2, 95 % interval of the mean 56.59 to 107.4)
    """
    return "\n".join(f"{name}: {_summary(metrics[name])}" for name in names)


def _summary(metric: Metric) -> str:
    if not metric.n:
        return "no value"
    extent = f"min {metric.min:.4g}, max {metric.max:.4g}, n {metric.n}"
    if metric.mean is None:
        return f"no geometric mean ({extent})"
    spread = "factor" if isinstance(metric, RatioMetric) else "std"
    ends = "" if metric.ci95 is None else ", 95 % interval of the mean {:.4g} to {:.4g}"
    said = ends.format(*metric.ci95 or ())
    return f"{metric.mean:.4g} ({spread} {metric.std:.4g}, {extent}{said})"
