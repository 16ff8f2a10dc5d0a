"""Measures of a model or a population: errors by color, selectivity, geometry; one value per run.

Every function takes a model (one run) or a population; an :class:`Evaluation` collects the values
and gives their statistics. Models that mix colors in
lines of tokens are measured pair by pair and position by position. :func:`dose_response` measures
what an edit does at several strengths, :func:`frontier` what several methods remove, and cost.
"""

from latent_anchors.evaluation._alignment import alignment, displacement
from latent_anchors.evaluation._dose_response import DoseResponse, dose_response
from latent_anchors.evaluation._frontier_record import Frontier
from latent_anchors.evaluation._intervals import t_interval, wilson_interval
from latent_anchors.evaluation._latching import latched, opening_angles
from latent_anchors.evaluation._latents import latents, latents_by_site, predictions
from latent_anchors.evaluation._margins import auc, correlation, margin, squared_correlation
from latent_anchors.evaluation._metrics import (
    Evaluation,
    Metric,
    metric_table,
    summarize,
    summarize_ratios,
)
from latent_anchors.evaluation._removal_frontier import frontier
from latent_anchors.evaluation._response_by_degree import (
    DegreeBin,
    is_monotone_decreasing,
    response_by_degree,
)

__all__ = [
    "DegreeBin",
    "DoseResponse",
    "Evaluation",
    "Frontier",
    "Metric",
    "alignment",
    "auc",
    "correlation",
    "displacement",
    "dose_response",
    "frontier",
    "is_monotone_decreasing",
    "latched",
    "latents",
    "latents_by_site",
    "margin",
    "metric_table",
    "opening_angles",
    "predictions",
    "response_by_degree",
    "squared_correlation",
    "summarize",
    "summarize_ratios",
    "t_interval",
    "wilson_interval",
]
