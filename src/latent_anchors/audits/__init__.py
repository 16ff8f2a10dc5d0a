"""What survives an edit: everything that must be trained, probed or shaken in order to know.

:func:`relearning` counts the steps until a removed concept is back, :func:`leakage` asks probes and
a fresh decoder what can still be read off the latents, :func:`perturbation` shakes the weights.
:func:`line_relearning` and :func:`line_leakage` ask a transformer over lines of tokens. The probes
take latents and degrees of any model.
"""

from latent_anchors.audits._leakage import probe_degrees as probe_degrees
from latent_anchors.audits._probes import linear_probe as linear_probe
from latent_anchors.audits._probes import nonlinear_probe as nonlinear_probe
from latent_anchors.audits._probes import r2 as r2
from latent_anchors.audits._relearned import Relearning as Relearning

__all__ = [
    "Relearning",
    "linear_probe",
    "nonlinear_probe",
    "probe_degrees",
    "r2",
]
