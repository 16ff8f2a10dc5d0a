"""What if the concept were not there.

An edit maps latents to latents; :func:`intervene` puts it in force at one site or several for the
length of a block, :func:`attach` until its handle is removed. A falloff says how strongly an edit
acts, from a latent's alignment with the concept; a mapper, what alignment a repulsion leaves. Where
the concept was not placed beforehand, an eraser is fitted on labeled latents.

Surgery bakes an edit into the linear layers around a site and gives a new model: :func:`ablate`,
:func:`prune`, :func:`rescale_direction`, :func:`orthogonalize`, and :func:`edit_embedding` for an
embedding; :func:`apply_surgery` takes a rule that you write.
"""

from latent_anchors._hooks import Edit as Edit
from latent_anchors._hooks import Handle as Handle
from latent_anchors._hooks import clear as clear
from latent_anchors._hooks import in_force as in_force
from latent_anchors.interventions._edits import Composition as Composition
from latent_anchors.interventions._edits import EditModule as EditModule
from latent_anchors.interventions._erasers.erasure import Erasure as Erasure
from latent_anchors.interventions._erasers.erasure import erase as erase
from latent_anchors.interventions._erasers.fitted_directions import fit_cav as fit_cav
from latent_anchors.interventions._erasers.fitted_directions import (
    fit_mean_difference as fit_mean_difference,
)
from latent_anchors.interventions._erasers.leace import fit_leace as fit_leace
from latent_anchors.interventions._falloffs import BezierFalloff as BezierFalloff
from latent_anchors.interventions._falloffs import BoundedFalloff as BoundedFalloff
from latent_anchors.interventions._falloffs import ConeFalloff as ConeFalloff
from latent_anchors.interventions._falloffs import Falloff as Falloff
from latent_anchors.interventions._falloffs import constant_falloff as constant_falloff
from latent_anchors.interventions._intervening import attach as attach
from latent_anchors.interventions._intervening import intervene as intervene
from latent_anchors.interventions._mappers import BezierMapper as BezierMapper
from latent_anchors.interventions._mappers import LinearMapper as LinearMapper
from latent_anchors.interventions._mappers import Mapper as Mapper
from latent_anchors.interventions._projection import Projection as Projection
from latent_anchors.interventions._projection import project_out as project_out
from latent_anchors.interventions._redirection import Redirection as Redirection
from latent_anchors.interventions._redirection import redirect as redirect
from latent_anchors.interventions._repulsion import Repulsion as Repulsion
from latent_anchors.interventions._repulsion import repel as repel
from latent_anchors.interventions._steering import Steering as Steering
from latent_anchors.interventions._steering import steer as steer
from latent_anchors.interventions._suppression import Suppression as Suppression
from latent_anchors.interventions._suppression import suppress as suppress
from latent_anchors.interventions._surgery.ablate import ablate as ablate
from latent_anchors.interventions._surgery.apply_surgery import apply_surgery as apply_surgery
from latent_anchors.interventions._surgery.edit_embedding import edit_embedding as edit_embedding
from latent_anchors.interventions._surgery.find_layers import find_layers as find_layers
from latent_anchors.interventions._surgery.orthogonalize import orthogonalize as orthogonalize
from latent_anchors.interventions._surgery.prune import prune as prune
from latent_anchors.interventions._surgery.rescale_direction import (
    rescale_direction as rescale_direction,
)
from latent_anchors.interventions._surgery.site_layers import SiteLayers as SiteLayers
from latent_anchors.interventions._zero_ablation import ZeroAblation as ZeroAblation
from latent_anchors.interventions._zero_ablation import zero_dims as zero_dims

__all__ = [
    "BezierFalloff",
    "BezierMapper",
    "BoundedFalloff",
    "Composition",
    "ConeFalloff",
    "Edit",
    "EditModule",
    "Erasure",
    "Falloff",
    "Handle",
    "LinearMapper",
    "Mapper",
    "Projection",
    "Redirection",
    "Repulsion",
    "SiteLayers",
    "Steering",
    "Suppression",
    "ZeroAblation",
    "ablate",
    "apply_surgery",
    "attach",
    "constant_falloff",
    "edit_embedding",
    "erase",
    "find_layers",
    "fit_cav",
    "fit_leace",
    "fit_mean_difference",
    "intervene",
    "orthogonalize",
    "project_out",
    "prune",
    "redirect",
    "repel",
    "rescale_direction",
    "steer",
    "suppress",
    "zero_dims",
]
