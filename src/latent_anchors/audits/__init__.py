"""What survives an edit: everything that must be trained, probed or shaken in order to know.

:func:`relearning` counts the steps until a removed concept is back.
"""

from latent_anchors.audits._relearning import Relearning as Relearning
from latent_anchors.audits._relearning import relearning as relearning

__all__ = ["Relearning", "relearning"]
