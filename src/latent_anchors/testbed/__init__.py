"""The teaching ground: what the examples share and what is about colors or mixing lines.

Nothing in here is needed to place a concept in a model of yours; it is what the examples and the
results page are made with. :class:`Evidence` reads an example's arguments and writes its results;
recipes such as :func:`pole_objective` or :func:`red_terms` are those that several examples train.
"""

from latent_anchors.testbed._color_alignment import color_alignment as color_alignment
from latent_anchors.testbed._color_alignment import hue_alignments as hue_alignments
from latent_anchors.testbed._color_recipes import FEW_LABELS_SHEET as FEW_LABELS_SHEET
from latent_anchors.testbed._color_recipes import HEALING_SHEET as HEALING_SHEET
from latent_anchors.testbed._color_recipes import POLE_SHEET as POLE_SHEET
from latent_anchors.testbed._color_recipes import few_labels_sampler as few_labels_sampler
from latent_anchors.testbed._color_recipes import heal as heal
from latent_anchors.testbed._color_recipes import pole_losses as pole_losses
from latent_anchors.testbed._color_recipes import pole_objective as pole_objective
from latent_anchors.testbed._color_recipes import pole_sampler as pole_sampler
from latent_anchors.testbed._evidence import Evidence as Evidence
from latent_anchors.testbed._mixing_recipes import MixingSize as MixingSize
from latent_anchors.testbed._mixing_recipes import mixing_sampler as mixing_sampler
from latent_anchors.testbed._mixing_recipes import red_chance as red_chance
from latent_anchors.testbed._mixing_recipes import red_terms as red_terms
from latent_anchors.testbed._mixing_recipes import transformer_options as transformer_options
from latent_anchors.testbed._seed_splits import SeedSplits as SeedSplits

__all__ = [
    "FEW_LABELS_SHEET",
    "HEALING_SHEET",
    "POLE_SHEET",
    "Evidence",
    "MixingSize",
    "SeedSplits",
    "color_alignment",
    "few_labels_sampler",
    "heal",
    "hue_alignments",
    "mixing_sampler",
    "pole_losses",
    "pole_objective",
    "pole_sampler",
    "red_chance",
    "red_terms",
    "transformer_options",
]
