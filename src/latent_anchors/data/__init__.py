"""What a run sees: labeled batches, samplers with replacement, label draws and their count.

A draw is a pure function of the seed and the step. What is sampled can be scheduled: weights are
then a function of a row of a timeline, of a user's own or made from `color_extent` and `focus`.
`MixingLanguage` is data of another kind: lines of colors that mix.
"""

from latent_anchors.data._batches import LabeledBatch
from latent_anchors.data._counts import LabelCount, count_labels
from latent_anchors.data._focus import focus, levels
from latent_anchors.data._labels import BernoulliLabels, LabelDraw, SoftLabels, noisy_or
from latent_anchors.data._rare_labels import RareLabels
from latent_anchors.data._samplers import Sampler
from latent_anchors.data._scheduled import ScheduledWeights

__all__ = [
    "BernoulliLabels",
    "LabelCount",
    "LabelDraw",
    "LabeledBatch",
    "RareLabels",
    "Sampler",
    "ScheduledWeights",
    "SoftLabels",
    "count_labels",
    "focus",
    "levels",
    "noisy_or",
]
