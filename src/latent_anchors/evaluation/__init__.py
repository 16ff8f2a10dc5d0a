"""Measures of a model or a population: errors by color, selectivity, geometry; one value per run.

Every function takes a model (one run) or a population; an :class:`Evaluation` collects the values
and gives their statistics. Models that mix colors in
lines of tokens are measured pair by pair and position by position.
"""

from latent_anchors.evaluation._alignment import alignment as alignment
from latent_anchors.evaluation._correlation import correlation as correlation
from latent_anchors.evaluation._correlation import squared_correlation as squared_correlation
from latent_anchors.evaluation._displacement import displacement as displacement
from latent_anchors.evaluation._dose import DoseBin as DoseBin
from latent_anchors.evaluation._dose import dose_response as dose_response
from latent_anchors.evaluation._dose import is_monotone_decreasing as is_monotone_decreasing
from latent_anchors.evaluation._intervals import t_interval as t_interval
from latent_anchors.evaluation._intervals import wilson_interval as wilson_interval
from latent_anchors.evaluation._latents import latents as latents
from latent_anchors.evaluation._latents import latents_by_site as latents_by_site
from latent_anchors.evaluation._latents import predictions as predictions
from latent_anchors.evaluation._margins import auc as auc
from latent_anchors.evaluation._margins import margin as margin
from latent_anchors.evaluation._metrics import Evaluation as Evaluation
from latent_anchors.evaluation._metrics import Metric as Metric
from latent_anchors.evaluation._metrics import metric_table as metric_table
from latent_anchors.evaluation._metrics import summarize as summarize

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
