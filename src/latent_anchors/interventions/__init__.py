"""What if the concept were not there.

An edit maps latents to latents; :func:`intervene` puts it in force at a site for the length of a
block, :func:`attach` until its handle is removed.
"""

from latent_anchors._hooks import Edit as Edit
from latent_anchors._hooks import Handle as Handle
from latent_anchors.interventions._falloffs import bounded_falloff as bounded_falloff
from latent_anchors.interventions._intervening import attach as attach
from latent_anchors.interventions._intervening import intervene as intervene
from latent_anchors.interventions._suppression import Suppression as Suppression
from latent_anchors.interventions._suppression import suppress as suppress

__all__ = ["Edit", "Handle", "Suppression", "attach", "bounded_falloff", "intervene", "suppress"]
