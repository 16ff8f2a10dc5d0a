"""Mute or remove a concept: edits of latents, and surgery on weights.

An edit maps latents to latents; :func:`intervene` applies it at one site or several for the length
of a block, :func:`attach` until its handle is removed. A falloff maps a latent's alignment with the
concept to the strength of the edit; a mapper maps alignment before a repulsion to alignment after
it. If the concept was not placed during training, an eraser can be fitted on labeled latents.

Surgery changes the weights around a site, or all those that write into a residual stream, and
returns a new model: :func:`ablate`, :func:`prune`, :func:`rescale_direction`,
:func:`orthogonalize`, and :func:`edit_embedding` for an embedding; :func:`apply_surgery` takes a
function of the parameters that you write. :func:`part_along` gives the part of each weight that
writes or reads along directions.
"""

from latent_anchors._hooks import Edit, Handle, Onwards, clear, in_force
from latent_anchors.interventions._edits import Composition, EditModule, NormKeeping
from latent_anchors.interventions._erasers.erasure import Erasure, erase
from latent_anchors.interventions._erasers.fitted_directions import fit_cav, fit_mean_difference
from latent_anchors.interventions._erasers.leace import fit_leace
from latent_anchors.interventions._falloffs import (
    BezierFalloff,
    BoundedFalloff,
    ConeFalloff,
    Falloff,
    constant_falloff,
)
from latent_anchors.interventions._intervening import attach, intervene
from latent_anchors.interventions._mappers import BezierMapper, LinearMapper, Mapper
from latent_anchors.interventions._projection import Projection, project_out
from latent_anchors.interventions._redirection import Redirection, redirect
from latent_anchors.interventions._repulsion import Repulsion, repel
from latent_anchors.interventions._steering import Amplification, Steering, amplify, steer
from latent_anchors.interventions._suppression import Suppression, suppress
from latent_anchors.interventions._surgery._stream.part_along import part_along
from latent_anchors.interventions._surgery.ablate import ablate
from latent_anchors.interventions._surgery.apply_surgery import apply_surgery
from latent_anchors.interventions._surgery.edit_embedding import edit_embedding
from latent_anchors.interventions._surgery.find_layers import find_layers
from latent_anchors.interventions._surgery.orthogonalize import orthogonalize
from latent_anchors.interventions._surgery.prune import prune
from latent_anchors.interventions._surgery.rescale_direction import rescale_direction
from latent_anchors.interventions._surgery.site_layers import SiteLayers
from latent_anchors.interventions._zero_ablation import ZeroAblation, zero_dims

__all__ = [
    "Amplification",
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
    "NormKeeping",
    "Onwards",
    "Projection",
    "Redirection",
    "Repulsion",
    "SiteLayers",
    "Steering",
    "Suppression",
    "ZeroAblation",
    "ablate",
    "amplify",
    "apply_surgery",
    "attach",
    "clear",
    "constant_falloff",
    "edit_embedding",
    "erase",
    "find_layers",
    "fit_cav",
    "fit_leace",
    "fit_mean_difference",
    "in_force",
    "intervene",
    "orthogonalize",
    "part_along",
    "project_out",
    "prune",
    "redirect",
    "repel",
    "rescale_direction",
    "steer",
    "suppress",
    "zero_dims",
]
