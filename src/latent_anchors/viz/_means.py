"""Means over seeds with their 95 % intervals: of several measures, in several rows."""

from collections.abc import Collection, Mapping, Sequence
from math import isfinite, nan

import numpy as np
from numpy.typing import ArrayLike

from latent_anchors._checks import check_count, check_name
from latent_anchors.evaluation import Metric, summarize
from latent_anchors.viz._arrays import Array, least_to_most
from latent_anchors.viz._seeds import as_seeds, reach

MEAN, BAR = 5.0, 2.4
"""Points: across the dot at a mean, and of the thickness of its interval."""


def as_metrics(
    values: Mapping[str, ArrayLike], rows: int, shares: Collection[str]
) -> dict[str, list[Metric]]:
    """Of measures ``(rows, runs)`` what there is over runs, row by row; None and NaN are none."""
    check_count("number of rows", rows)
    check_count("number of measures", len(values))
    for name in shares:
        check_name("measure in shares", name, [*values])
    seeds = {name: as_seeds(name, given, rows) for name, given in values.items()}
    return {
        name: [summarize([*row], share=name in shares) for row in given]
        for name, given in seeds.items()
    }


def seeds_of(metric: Metric) -> Array:
    """The values that exist."""
    return np.array([value for value in metric.per_seed if value is not None], dtype=np.float64)


def means_of(metrics: Sequence[Metric]) -> Array:
    """NaN where no run has a value."""
    return np.array([nan if metric.mean is None else metric.mean for metric in metrics])


def intervals_of(metrics: Sequence[Metric]) -> Array:
    """``(rows, 2)``; NaN where there are too few runs to tell."""
    return np.array([(nan, nan) if metric.ci95 is None else metric.ci95 for metric in metrics])


def ends_of(metrics: Sequence[Metric]) -> tuple[float, float]:
    """Of an axis that holds every seed and every interval."""
    seeds = [seeds_of(metric) for metric in metrics]
    return reach(np.concatenate([*seeds, intervals_of(metrics).ravel()]), "linear")


def words_of_runs(metrics: Mapping[str, Sequence[Metric]]) -> str:
    """What is drawn, and how many runs each mean has where some failed."""
    every = [metric for rows in metrics.values() for metric in rows]
    n, there = max(len(metric.per_seed) for metric in every), {metric.n for metric in every}
    some = f"{least_to_most(there)} of {n}" if min(there) < n else f"{n}"
    return f"mean and 95 % interval of {some} runs" if n > 1 else "a single run"


def words_of_failures(metrics: Mapping[str, Sequence[Metric]]) -> str:
    """How many values there are not, if any."""
    every = [metric for rows in metrics.values() for metric in rows]
    asked, there = sum(len(metric.per_seed) for metric in every), sum(each.n for each in every)
    return f" {asked - there} of {asked} values failed." if there < asked else ""


def mean_in_words(mean: float) -> str:
    """Three digits, or that no run has a value."""
    return f"{mean:.3g}" if isfinite(mean) else "none"
