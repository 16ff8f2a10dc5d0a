"""The teaching ground: what the examples share and what is about colors or mixing lines.

Nothing in here is needed to place a concept in a model of yours; it is what the examples and the
results page are made with. :class:`Evidence` reads an example's arguments and writes its results;
recipes such as :func:`pole_objective` or :func:`red_terms` are those that several examples train.
"""

from latent_anchors.testbed._color_recipes import FEW_LABELS_SHEET as FEW_LABELS_SHEET
from latent_anchors.testbed._color_recipes import HEALING_SHEET as HEALING_SHEET
from latent_anchors.testbed._color_recipes import POLE_SHEET as POLE_SHEET
from latent_anchors.testbed._color_recipes import few_labels_sampler as few_labels_sampler
from latent_anchors.testbed._color_recipes import heal as heal
from latent_anchors.testbed._color_recipes import pole_losses as pole_losses
from latent_anchors.testbed._color_recipes import pole_objective as pole_objective
from latent_anchors.testbed._color_recipes import pole_sampler as pole_sampler
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
from latent_anchors.testbed._colors._evaluate_colors import selectivity_r2 as selectivity_r2
from latent_anchors.testbed._colors._evaluate_colors import vibrancy_r2 as vibrancy_r2
from latent_anchors.testbed._colors._height import height as height
from latent_anchors.testbed._colors._height import height_order as height_order
from latent_anchors.testbed._colors._hue_leakage import hue_leakage as hue_leakage
from latent_anchors.testbed._colors._hue_perturbation import hue_perturbation as hue_perturbation
from latent_anchors.testbed._colors._hue_relearning import hue_relearning as hue_relearning
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
from latent_anchors.testbed._mixing_recipes import MixingSize as MixingSize
from latent_anchors.testbed._mixing_recipes import away_from as away_from
from latent_anchors.testbed._mixing_recipes import mixing_sampler as mixing_sampler
from latent_anchors.testbed._mixing_recipes import transformer_options as transformer_options
from latent_anchors.testbed._red_lines import exact_by_degree as exact_by_degree
from latent_anchors.testbed._red_lines import falls_with_degree as falls_with_degree
from latent_anchors.testbed._red_lines import red_chance as red_chance
from latent_anchors.testbed._red_lines import red_groups as red_groups
from latent_anchors.testbed._red_lines import red_sampler as red_sampler
from latent_anchors.testbed._red_lines import red_terms as red_terms
from latent_anchors.testbed._red_lines import redness as redness
from latent_anchors.testbed._seed_splits import SeedSplits as SeedSplits

__all__ = [
    "FEW_LABELS_SHEET",
    "HEALING_SHEET",
    "POLE_SHEET",
    "Evidence",
    "LineAlignment",
    "MixingFloors",
    "MixingLanguage",
    "MixingSize",
    "MixingSplit",
    "SeedSplits",
    "anchor_angle",
    "away_from",
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
    "exact_by_degree",
    "exact_match",
    "falls_with_degree",
    "few_labels_sampler",
    "heal",
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
    "mixing_sampler",
    "noncircularity",
    "nonplanarity",
    "pole_losses",
    "pole_objective",
    "pole_sampler",
    "reconstructions",
    "red_chance",
    "red_groups",
    "red_sampler",
    "red_terms",
    "redness",
    "selectivity_r2",
    "sharpness",
    "transformer_options",
    "vibrancy_r2",
]
