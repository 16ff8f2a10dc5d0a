"""Rivals: other ways to find, place or remove a concept, to compare an anchor with.

Found afterwards, on recorded latents of a model that was trained without anchors:
:func:`mean_difference`, :func:`logistic_probe` and :func:`leace`. Each gives a :class:`Found`: a
direction, the method's own edit, and a gate.
"""

from latent_anchors.baselines._found import Found
from latent_anchors.baselines._leace import leace
from latent_anchors.baselines._logistic_probe import logistic_probe
from latent_anchors.baselines._mean_difference import mean_difference

__all__ = [
    "Found",
    "leace",
    "logistic_probe",
    "mean_difference",
]
