"""What if the concept were not there.

An edit maps latents to latents; :func:`intervene` puts it in force at a site for the length of a
block, :func:`attach` until its handle is removed. Surgery bakes an edit into the linear layers
around a site and gives a new model: :func:`ablate`, :func:`prune`, :func:`redirect`,
:func:`orthogonalize`, and :func:`operate` for a rule of one's own.
"""

from latent_anchors._hooks import Edit as Edit
from latent_anchors._hooks import Handle as Handle
from latent_anchors.interventions._ablating import ablate as ablate
from latent_anchors.interventions._falloffs import bounded_falloff as bounded_falloff
from latent_anchors.interventions._intervening import attach as attach
from latent_anchors.interventions._intervening import intervene as intervene
from latent_anchors.interventions._layers import Layers as Layers
from latent_anchors.interventions._orthogonalizing import orthogonalize as orthogonalize
from latent_anchors.interventions._pruning import prune as prune
from latent_anchors.interventions._redirecting import redirect as redirect
from latent_anchors.interventions._suppression import Suppression as Suppression
from latent_anchors.interventions._suppression import suppress as suppress
from latent_anchors.interventions._surgery import operate as operate
from latent_anchors.interventions._tracing import find_layers as find_layers

__all__ = [
    "Edit",
    "Handle",
    "Layers",
    "Suppression",
    "ablate",
    "attach",
    "bounded_falloff",
    "find_layers",
    "intervene",
    "operate",
    "orthogonalize",
    "prune",
    "redirect",
    "suppress",
]
