"""What a run sees: labeled batches, samplers with replacement, label draws and their count.

A draw is a pure function of the seed and the step. What is sampled can be scheduled: weights are
then a function of a row of a timeline, of a user's own or made from `color_extent` and `focus`.
`MixingLanguage` is data of another kind: lines of colors that mix.
"""

from latent_anchors.data._batches import LabeledBatch as LabeledBatch
from latent_anchors.data._counts import LabelCount as LabelCount
from latent_anchors.data._counts import count_labels as count_labels
from latent_anchors.data._focus import focus as focus
from latent_anchors.data._focus import levels as levels
from latent_anchors.data._labels import BernoulliLabels as BernoulliLabels
from latent_anchors.data._labels import LabelDraw as LabelDraw
from latent_anchors.data._labels import SoftLabels as SoftLabels
from latent_anchors.data._labels import noisy_or as noisy_or
from latent_anchors.data._samplers import Sampler as Sampler
from latent_anchors.data._scheduled import ScheduledWeights as ScheduledWeights

__all__ = [
    "BernoulliLabels",
    "LabelCount",
    "LabelDraw",
    "LabeledBatch",
    "Sampler",
    "ScheduledWeights",
    "SoftLabels",
    "count_labels",
    "focus",
    "levels",
    "noisy_or",
]
