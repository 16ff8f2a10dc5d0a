"""What survives an edit, of any model and any data: relearning, leakage, perturbation.

:func:`relearning` counts the steps of fine-tuning until a removed concept is back, :func:`leakage`
asks what probes can still read off latents, :func:`perturbation` measures a network while noise is
added to its weights; :func:`fresh` makes networks for scale. The caller says how to train, what to
measure and what counts as back.
"""

from latent_anchors.audits._fresh import fresh
from latent_anchors.audits._leakage import leakage
from latent_anchors.audits._perturbation import perturbation
from latent_anchors.audits._probes import linear_probe, nonlinear_probe
from latent_anchors.audits._relearning import relearning
from latent_anchors.audits._relearning_record import RATIOS, Relearning

__all__ = [
    "RATIOS",
    "Relearning",
    "fresh",
    "leakage",
    "linear_probe",
    "nonlinear_probe",
    "perturbation",
    "relearning",
]
