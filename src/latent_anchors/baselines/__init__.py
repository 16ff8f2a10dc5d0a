"""Rivals: other ways to find, place or remove a concept, to compare an anchor with.

Found afterwards, on recorded latents of a model that was trained without anchors:
:func:`mean_difference`, :func:`logistic_probe` and :func:`leace`. Each gives a :class:`Found`: a
direction, the method's own edit, and a gate.

Behind one contract, :class:`Baseline`: each takes a network and a :class:`Task`, the loss, batches,
labels, steps and seed that are the same for all, and gives :class:`Placed`: a model, how the
concept is taken out of it, and the :class:`Cost`. :class:`Finding` is found afterwards;
:class:`GradientRouting` and :class:`SelectiveMasking` are trained for it; :class:`FineTuning` and
:class:`Undo` remove afterwards; :class:`KnownEdits` is an anchor's.
"""

from latent_anchors.baselines._directions._found import Found
from latent_anchors.baselines._directions._leace import leace
from latent_anchors.baselines._directions._logistic_probe import logistic_probe
from latent_anchors.baselines._directions._mean_difference import mean_difference
from latent_anchors.baselines._finding import Finding
from latent_anchors.baselines._fine_tuning import FineTuning
from latent_anchors.baselines._gradient_routing import GradientRouting
from latent_anchors.baselines._known_edits import KnownEdits
from latent_anchors.baselines._reserved_units import reserved_units
from latent_anchors.baselines._rival_contract import (
    Baseline,
    BatchLoss,
    Cost,
    Placed,
    Task,
)
from latent_anchors.baselines._selective_masking import SelectiveMasking
from latent_anchors.baselines._undo import Undo

__all__ = [
    "Baseline",
    "BatchLoss",
    "Cost",
    "Finding",
    "FineTuning",
    "Found",
    "GradientRouting",
    "KnownEdits",
    "Placed",
    "SelectiveMasking",
    "Task",
    "Undo",
    "leace",
    "logistic_probe",
    "mean_difference",
    "reserved_units",
]
