"""Measures of a model or a population: errors by color, selectivity, geometry; one value per run.

Every function takes a model (one run) or a population; an :class:`Evaluation` collects the values
and gives their statistics. Models that mix colors in
lines of tokens are measured pair by pair and position by position.
"""

from latent_anchors.evaluation._alignment import alignment as alignment
from latent_anchors.evaluation._angles import anchor_angle as anchor_angle
from latent_anchors.evaluation._crumpling import crumpled as crumpled
from latent_anchors.evaluation._crumpling import disordered as disordered
from latent_anchors.evaluation._dose import DoseBin as DoseBin
from latent_anchors.evaluation._dose import dose_response as dose_response
from latent_anchors.evaluation._dose import never_rises as never_rises
from latent_anchors.evaluation._drift import drift as drift
from latent_anchors.evaluation._drift import drifted as drifted
from latent_anchors.evaluation._errors import color_errors as color_errors
from latent_anchors.evaluation._errors import error_groups as error_groups
from latent_anchors.evaluation._errors import reconstructions as reconstructions
from latent_anchors.evaluation._evaluate import evaluate_colors as evaluate_colors
from latent_anchors.evaluation._gaps import hue_gaps as hue_gaps
from latent_anchors.evaluation._height import height as height
from latent_anchors.evaluation._height import height_order as height_order
from latent_anchors.evaluation._intervals import mean_interval as mean_interval
from latent_anchors.evaluation._intervals import share_interval as share_interval
from latent_anchors.evaluation._latents import latents as latents
from latent_anchors.evaluation._latents import latents_by_site as latents_by_site
from latent_anchors.evaluation._line_alignment import LineAlignment as LineAlignment
from latent_anchors.evaluation._line_alignment import line_alignment as line_alignment
from latent_anchors.evaluation._line_cosines import line_cosines as line_cosines
from latent_anchors.evaluation._line_latents import line_latents as line_latents
from latent_anchors.evaluation._margins import auc as auc
from latent_anchors.evaluation._margins import margin as margin
from latent_anchors.evaluation._metrics import Evaluation as Evaluation
from latent_anchors.evaluation._metrics import Metric as Metric
from latent_anchors.evaluation._metrics import summarize as summarize
from latent_anchors.evaluation._mixing import color_answers as color_answers
from latent_anchors.evaluation._mixing import color_distance as color_distance
from latent_anchors.evaluation._mixing import evaluate_mixing as evaluate_mixing
from latent_anchors.evaluation._mixing import exact_match as exact_match
from latent_anchors.evaluation._mixing_floors import MixingFloors as MixingFloors
from latent_anchors.evaluation._mixing_floors import mixing_floors as mixing_floors
from latent_anchors.evaluation._planarity import nonplanarity as nonplanarity
from latent_anchors.evaluation._prediction import Agreement as Agreement
from latent_anchors.evaluation._prediction import agreement as agreement
from latent_anchors.evaluation._prediction import displacement as displacement
from latent_anchors.evaluation._selectivity import correlation as correlation
from latent_anchors.evaluation._selectivity import explained as explained
from latent_anchors.evaluation._selectivity import selectivity_r2 as selectivity_r2
from latent_anchors.evaluation._selectivity import vibrancy_r2 as vibrancy_r2
from latent_anchors.evaluation._sharpness import hue_sweep as hue_sweep
from latent_anchors.evaluation._sharpness import sharpness as sharpness
from latent_anchors.evaluation._tables import error_table as error_table
from latent_anchors.evaluation._tables import metric_table as metric_table
from latent_anchors.evaluation._wheel import hue_order as hue_order
from latent_anchors.evaluation._wheel import hue_turn as hue_turn
from latent_anchors.evaluation._wheel import noncircularity as noncircularity

__all__ = [
    "Agreement",
    "DoseBin",
    "Evaluation",
    "LineAlignment",
    "Metric",
    "MixingFloors",
    "agreement",
    "alignment",
    "anchor_angle",
    "auc",
    "color_answers",
    "color_distance",
    "color_errors",
    "correlation",
    "crumpled",
    "disordered",
    "displacement",
    "dose_response",
    "drift",
    "drifted",
    "error_groups",
    "error_table",
    "evaluate_colors",
    "evaluate_mixing",
    "exact_match",
    "explained",
    "height",
    "height_order",
    "hue_gaps",
    "hue_order",
    "hue_sweep",
    "hue_turn",
    "latents",
    "latents_by_site",
    "line_alignment",
    "line_cosines",
    "line_latents",
    "margin",
    "mean_interval",
    "metric_table",
    "mixing_floors",
    "never_rises",
    "noncircularity",
    "nonplanarity",
    "reconstructions",
    "selectivity_r2",
    "share_interval",
    "sharpness",
    "summarize",
    "vibrancy_r2",
]
