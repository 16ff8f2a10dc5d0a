"""The teaching ground: what the examples share, about colors, pictures and mixing lines.

Nothing in here is needed to place a concept in a model of yours; it is what the examples and the
results page are made with. :class:`Evidence` reads an example's arguments and writes its results;
recipes such as :func:`pole_objective` or :func:`red_terms` are those that several examples train.
"""

from latent_anchors.testbed._color_recipes import (
    FEW_LABELS_SHEET,
    HEALING_SHEET,
    POLE_SHEET,
    few_labels_sampler,
    heal,
    pole_losses,
    pole_objective,
    pole_sampler,
)
from latent_anchors.testbed._color_rivals import (
    color_task,
    gated_edits,
    rare_labels_sampler,
    repeated_labels,
    samples_seen,
    say_gray,
)
from latent_anchors.testbed._colors._color_alignment import (
    anchor_angle,
    color_alignment,
    hue_alignments,
)
from latent_anchors.testbed._colors._color_errors import color_errors, error_groups, reconstructions
from latent_anchors.testbed._colors._color_removal import color_collateral, color_removal
from latent_anchors.testbed._colors._color_weights import color_extent, hue_focus
from latent_anchors.testbed._colors._evaluate_colors import (
    error_table,
    evaluate_colors,
    selectivity_r2,
    vibrancy_r2,
)
from latent_anchors.testbed._colors._height import height, height_order
from latent_anchors.testbed._colors._hue_audits import hue_leakage, hue_perturbation
from latent_anchors.testbed._colors._hue_relearning import hue_relearning
from latent_anchors.testbed._colors._sharpness import hue_sweep, sharpness
from latent_anchors.testbed._colors._wheel import (
    hue_gaps,
    hue_order,
    hue_turn,
    noncircularity,
    nonplanarity,
)
from latent_anchors.testbed._colors._wheel_failures import crumpled, disordered, drift, drifted
from latent_anchors.testbed._evidence import Evidence
from latent_anchors.testbed._gray_fallback import fallback_sheet, gray_fallback
from latent_anchors.testbed._mixing._answers import (
    MixingFloors,
    color_answers,
    color_distance,
    evaluate_mixing,
    exact_match,
    mixing_floors,
)
from latent_anchors.testbed._mixing._language import MixingLanguage
from latent_anchors.testbed._mixing._line_alignment import (
    LineAlignment,
    line_alignment,
    line_cosines,
)
from latent_anchors.testbed._mixing._line_audits import line_leakage, line_relearning
from latent_anchors.testbed._mixing._splits import MixingSplit, SeedSplits
from latent_anchors.testbed._mixing_recipes import (
    MixingSize,
    away_from,
    mixing_sampler,
    transformer_options,
)
from latent_anchors.testbed._mixing_rivals import (
    line_task,
    lines_fine_tuned,
    say_gray_line,
    turned_colors,
)
from latent_anchors.testbed._mixing_trained import lines_trained_for_it
from latent_anchors.testbed._pictures._emoji import made_up_emoji, read_emoji
from latent_anchors.testbed._pictures._place_recipes import (
    FACE_SHEET,
    PLACE_HEALING_SHEET,
    PLACE_SHEET,
    place_healing_loss,
    place_healing_sampler,
    place_losses,
    place_objective,
    place_options,
    place_sampler,
)
from latent_anchors.testbed._pictures._place_scores import evaluate_places, place_sweep
from latent_anchors.testbed._pictures._places import VIVID, Places, place_errors
from latent_anchors.testbed._red_attacks import ATTACK_RATES, RED_ATTACKS, red_attack_lines
from latent_anchors.testbed._red_lines import (
    exact_by_degree,
    falls_with_degree,
    red_chance,
    red_groups,
    red_sampler,
    red_sheet,
    red_terms,
    redness,
)
from latent_anchors.testbed._words._bigrams import Bigrams
from latent_anchors.testbed._words._expected_lack import expected_lack
from latent_anchors.testbed._words._far_lines import far_lines
from latent_anchors.testbed._words._found_afterwards import FOUND_AFTERWARDS
from latent_anchors.testbed._words._inspection import (
    continued,
    topic_cosines,
    topic_latched,
    topic_leakage,
)
from latent_anchors.testbed._words._studies import (
    costs_at,
    forgetting_at,
    frontier_of,
    join_audits,
    join_studies,
)
from latent_anchors.testbed._words._texts._definitions import (
    ADJACENT,
    TOPICS,
    Definitions,
    read_definitions,
)
from latent_anchors.testbed._words._texts._made_up import made_up_definitions
from latent_anchors.testbed._words._texts._manual_pages import read_manual_pages
from latent_anchors.testbed._words._texts._topic_lines import topic_lines
from latent_anchors.testbed._words._tokens import TokenizedDefinitions
from latent_anchors.testbed._words._topic_edits import (
    LOUDNESS,
    edit_by_loss,
    edit_by_share,
    topic_edit,
)
from latent_anchors.testbed._words._topic_losses import TopicLosses, topic_losses
from latent_anchors.testbed._words._topic_study import TopicStudy
from latent_anchors.testbed._words._trained_rivals import placed_study, topic_task, trained_for_it
from latent_anchors.testbed._words._word_models import (
    WORD_OPTIONS,
    small_llama,
    topic_sheet,
    word_latents,
)

__all__ = [
    "ADJACENT",
    "ATTACK_RATES",
    "FACE_SHEET",
    "FEW_LABELS_SHEET",
    "FOUND_AFTERWARDS",
    "HEALING_SHEET",
    "LOUDNESS",
    "PLACE_HEALING_SHEET",
    "PLACE_SHEET",
    "POLE_SHEET",
    "RED_ATTACKS",
    "TOPICS",
    "VIVID",
    "WORD_OPTIONS",
    "Bigrams",
    "Definitions",
    "Evidence",
    "LineAlignment",
    "MixingFloors",
    "MixingLanguage",
    "MixingSize",
    "MixingSplit",
    "Places",
    "SeedSplits",
    "TokenizedDefinitions",
    "TopicLosses",
    "TopicStudy",
    "anchor_angle",
    "away_from",
    "color_alignment",
    "color_answers",
    "color_collateral",
    "color_distance",
    "color_errors",
    "color_extent",
    "color_removal",
    "color_task",
    "continued",
    "costs_at",
    "crumpled",
    "disordered",
    "drift",
    "drifted",
    "edit_by_loss",
    "edit_by_share",
    "error_groups",
    "error_table",
    "evaluate_colors",
    "evaluate_mixing",
    "evaluate_places",
    "exact_by_degree",
    "exact_match",
    "expected_lack",
    "fallback_sheet",
    "falls_with_degree",
    "far_lines",
    "few_labels_sampler",
    "forgetting_at",
    "frontier_of",
    "gated_edits",
    "gray_fallback",
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
    "join_audits",
    "join_studies",
    "line_alignment",
    "line_cosines",
    "line_leakage",
    "line_relearning",
    "line_task",
    "lines_fine_tuned",
    "lines_trained_for_it",
    "made_up_definitions",
    "made_up_emoji",
    "mixing_floors",
    "mixing_sampler",
    "noncircularity",
    "nonplanarity",
    "place_errors",
    "place_healing_loss",
    "place_healing_sampler",
    "place_losses",
    "place_objective",
    "place_options",
    "place_sampler",
    "place_sweep",
    "placed_study",
    "pole_losses",
    "pole_objective",
    "pole_sampler",
    "rare_labels_sampler",
    "read_definitions",
    "read_emoji",
    "read_manual_pages",
    "reconstructions",
    "red_attack_lines",
    "red_chance",
    "red_groups",
    "red_sampler",
    "red_sheet",
    "red_terms",
    "redness",
    "repeated_labels",
    "samples_seen",
    "say_gray",
    "say_gray_line",
    "selectivity_r2",
    "sharpness",
    "small_llama",
    "topic_cosines",
    "topic_edit",
    "topic_latched",
    "topic_leakage",
    "topic_lines",
    "topic_losses",
    "topic_sheet",
    "topic_task",
    "trained_for_it",
    "transformer_options",
    "turned_colors",
    "vibrancy_r2",
    "word_latents",
]
