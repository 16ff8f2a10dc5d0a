"""The teaching ground: what the examples share and what is about colors or mixing lines.

Nothing in here is needed to place a concept in a model of yours; it is what the examples and the
results page are made with. :class:`Evidence` reads an example's arguments and writes its results.
"""

from latent_anchors.testbed._color_alignment import color_alignment as color_alignment
from latent_anchors.testbed._color_alignment import hue_alignments as hue_alignments
from latent_anchors.testbed._evidence import Evidence as Evidence

__all__ = ["Evidence", "color_alignment", "hue_alignments"]
