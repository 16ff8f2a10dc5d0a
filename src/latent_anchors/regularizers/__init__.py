"""Penalties that say where latents lie, and the terms that apply them.

A penalty maps latents ``(..., dim)`` to one non-negative number per sample ``(...)``; a coupling
also compares the members of a set. Each is a function and a thin module that carries its tensors.
A pooling makes one value of a line's, one per position. A :class:`Term` says where a penalty acts
and on whom; the mean is taken in one place. Try a penalty of yours with :func:`check`
first.
"""

from latent_anchors.regularizers._anchors import Anchor as Anchor
from latent_anchors.regularizers._anchors import AntiAnchor as AntiAnchor
from latent_anchors.regularizers._anchors import EuclideanAnchor as EuclideanAnchor
from latent_anchors.regularizers._anchors import anchor as anchor
from latent_anchors.regularizers._anchors import anti_anchor as anti_anchor
from latent_anchors.regularizers._anchors import euclidean_anchor as euclidean_anchor
from latent_anchors.regularizers._contract import check as check
from latent_anchors.regularizers._directions import orthonormal_directions as orthonormal_directions
from latent_anchors.regularizers._norm import unit_norm as unit_norm
from latent_anchors.regularizers._pooling import SoftMinimum as SoftMinimum
from latent_anchors.regularizers._pooling import max_pool as max_pool
from latent_anchors.regularizers._pooling import mean_pool as mean_pool
from latent_anchors.regularizers._pooling import min_pool as min_pool
from latent_anchors.regularizers._pooling import soft_minimum as soft_minimum
from latent_anchors.regularizers._reduction import Reduction as Reduction
from latent_anchors.regularizers._reduction import mean as mean
from latent_anchors.regularizers._separation import EuclideanSeparation as EuclideanSeparation
from latent_anchors.regularizers._separation import Separation as Separation
from latent_anchors.regularizers._separation import euclidean_separation as euclidean_separation
from latent_anchors.regularizers._separation import separation as separation
from latent_anchors.regularizers._subspaces import AntiSubspace as AntiSubspace
from latent_anchors.regularizers._subspaces import Subspace as Subspace
from latent_anchors.regularizers._subspaces import anti_subspace as anti_subspace
from latent_anchors.regularizers._subspaces import subspace as subspace
from latent_anchors.regularizers._terms import Penalty as Penalty
from latent_anchors.regularizers._terms import Pooling as Pooling
from latent_anchors.regularizers._terms import Term as Term

__all__ = [
    "Anchor",
    "AntiAnchor",
    "AntiSubspace",
    "EuclideanAnchor",
    "EuclideanSeparation",
    "Penalty",
    "Pooling",
    "Reduction",
    "Separation",
    "SoftMinimum",
    "Subspace",
    "Term",
    "anchor",
    "anti_anchor",
    "anti_subspace",
    "check",
    "euclidean_anchor",
    "euclidean_separation",
    "max_pool",
    "mean",
    "mean_pool",
    "min_pool",
    "orthonormal_directions",
    "separation",
    "soft_minimum",
    "subspace",
    "unit_norm",
]
