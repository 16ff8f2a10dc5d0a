"""What a run sees: labeled batches, samplers with replacement, label draws and their count.

A draw is a pure function of the seed and the step.
"""

from latent_anchors.data._batches import LabeledBatch as LabeledBatch
from latent_anchors.data._counts import LabelCount as LabelCount
from latent_anchors.data._counts import count_labels as count_labels
from latent_anchors.data._labels import Bernoulli as Bernoulli
from latent_anchors.data._labels import LabelDraw as LabelDraw
from latent_anchors.data._labels import Soft as Soft
from latent_anchors.data._samplers import Sampler as Sampler

__all__ = [
    "Bernoulli",
    "LabelCount",
    "LabelDraw",
    "LabeledBatch",
    "Sampler",
    "Soft",
    "count_labels",
]
