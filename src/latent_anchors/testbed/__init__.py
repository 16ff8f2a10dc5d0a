"""The teaching ground: what the examples share and what is about colors or mixing lines.

Nothing in here is needed to place a concept in a model of yours; it is what the examples and the
results page are made with. :class:`Evidence` reads an example's arguments and writes its results.
"""

from latent_anchors.testbed._colors._color_alignment import anchor_angle as anchor_angle
from latent_anchors.testbed._colors._color_alignment import color_alignment as color_alignment
from latent_anchors.testbed._colors._color_alignment import hue_alignments as hue_alignments
from latent_anchors.testbed._colors._color_errors import color_errors as color_errors
from latent_anchors.testbed._colors._color_errors import error_groups as error_groups
from latent_anchors.testbed._colors._color_errors import reconstructions as reconstructions
from latent_anchors.testbed._colors._color_weights import color_extent as color_extent
from latent_anchors.testbed._colors._color_weights import hue_focus as hue_focus
from latent_anchors.testbed._colors._evaluate_colors import error_table as error_table
from latent_anchors.testbed._colors._evaluate_colors import evaluate_colors as evaluate_colors
from latent_anchors.testbed._colors._height import height as height
from latent_anchors.testbed._colors._height import height_order as height_order
from latent_anchors.testbed._colors._hue_leakage import hue_leakage as hue_leakage
from latent_anchors.testbed._colors._hue_perturbation import hue_perturbation as hue_perturbation
from latent_anchors.testbed._colors._hue_relearning import hue_relearning as hue_relearning
from latent_anchors.testbed._colors._hue_selectivity import selectivity_r2 as selectivity_r2
from latent_anchors.testbed._colors._hue_selectivity import vibrancy_r2 as vibrancy_r2
from latent_anchors.testbed._colors._sharpness import hue_sweep as hue_sweep
from latent_anchors.testbed._colors._sharpness import sharpness as sharpness
from latent_anchors.testbed._colors._wheel import hue_gaps as hue_gaps
from latent_anchors.testbed._colors._wheel import hue_order as hue_order
from latent_anchors.testbed._colors._wheel import hue_turn as hue_turn
from latent_anchors.testbed._colors._wheel import noncircularity as noncircularity
from latent_anchors.testbed._colors._wheel import nonplanarity as nonplanarity
from latent_anchors.testbed._colors._wheel_failures import crumpled as crumpled
from latent_anchors.testbed._colors._wheel_failures import disordered as disordered
from latent_anchors.testbed._colors._wheel_failures import drift as drift
from latent_anchors.testbed._colors._wheel_failures import drifted as drifted
from latent_anchors.testbed._evidence import Evidence as Evidence
from latent_anchors.testbed._mixing._answers import MixingFloors as MixingFloors
from latent_anchors.testbed._mixing._answers import color_answers as color_answers
from latent_anchors.testbed._mixing._answers import color_distance as color_distance
from latent_anchors.testbed._mixing._answers import evaluate_mixing as evaluate_mixing
from latent_anchors.testbed._mixing._answers import exact_match as exact_match
from latent_anchors.testbed._mixing._answers import mixing_floors as mixing_floors
from latent_anchors.testbed._mixing._language import MixingLanguage as MixingLanguage
from latent_anchors.testbed._mixing._line_alignment import LineAlignment as LineAlignment
from latent_anchors.testbed._mixing._line_alignment import line_alignment as line_alignment
from latent_anchors.testbed._mixing._line_alignment import line_cosines as line_cosines
from latent_anchors.testbed._mixing._line_leakage import line_leakage as line_leakage
from latent_anchors.testbed._mixing._line_relearning import line_relearning as line_relearning
from latent_anchors.testbed._mixing._splits import MixingSplit as MixingSplit

__all__ = [
    "Evidence",
    "LineAlignment",
    "MixingFloors",
    "MixingLanguage",
    "MixingSplit",
    "anchor_angle",
    "color_alignment",
    "color_answers",
    "color_distance",
    "color_errors",
    "color_extent",
    "crumpled",
    "disordered",
    "drift",
    "drifted",
    "error_groups",
    "error_table",
    "evaluate_colors",
    "evaluate_mixing",
    "exact_match",
    "height",
    "height_order",
    "hue_alignments",
    "hue_focus",
    "hue_gaps",
    "hue_leakage",
    "hue_order",
    "hue_perturbation",
    "hue_relearning",
    "hue_sweep",
    "hue_turn",
    "line_alignment",
    "line_cosines",
    "line_leakage",
    "line_relearning",
    "mixing_floors",
    "noncircularity",
    "nonplanarity",
    "reconstructions",
    "selectivity_r2",
    "sharpness",
    "vibrancy_r2",
]
