"""Measures of a model or a population: errors by color, selectivity, geometry; one value per run.

Every function takes a model (one run) or a population; an :class:`Evaluation` collects the values
and gives their statistics. Models that mix colors in
lines of tokens are measured pair by pair and position by position.
"""

from latent_anchors.evaluation._alignment import alignment, displacement
from latent_anchors.evaluation._dose import DoseBin, dose_response, is_monotone_decreasing
from latent_anchors.evaluation._intervals import t_interval, wilson_interval
from latent_anchors.evaluation._latents import latents, latents_by_site, predictions
from latent_anchors.evaluation._margins import auc, correlation, margin, squared_correlation
from latent_anchors.evaluation._metrics import Evaluation, Metric, metric_table, summarize

__all__ = [
    "DoseBin",
    "Evaluation",
    "Metric",
    "alignment",
    "auc",
    "correlation",
    "displacement",
    "dose_response",
    "is_monotone_decreasing",
    "latents",
    "latents_by_site",
    "margin",
    "metric_table",
    "predictions",
    "squared_correlation",
    "summarize",
    "t_interval",
    "wilson_interval",
]
