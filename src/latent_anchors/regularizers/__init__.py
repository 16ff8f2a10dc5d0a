"""Penalties that say where latents lie, and the terms that apply them.

A penalty maps latents ``(..., dim)`` to one non-negative number per sample ``(...)``; a set penalty
also compares the members of a set. Each is a function and a thin module that carries its tensors.
A pooling makes one value of a line's, one per position. A :class:`Term` says where a penalty acts
and on whom; the mean is taken in one place. Try a penalty of yours with :func:`check`
first.
"""

from latent_anchors.regularizers._anchors import (
    Anchor,
    AntiAnchor,
    EuclideanAnchor,
    anchor,
    anti_anchor,
    euclidean_anchor,
    orthonormal_directions,
)
from latent_anchors.regularizers._contract import check
from latent_anchors.regularizers._counting import Reduction, mean
from latent_anchors.regularizers._many_terms import reduce_terms
from latent_anchors.regularizers._pooling import (
    SoftMinimum,
    max_pool,
    mean_pool,
    min_pool,
    soft_minimum,
)
from latent_anchors.regularizers._separation import (
    EuclideanSeparation,
    Separation,
    euclidean_separation,
    separation,
)
from latent_anchors.regularizers._subspaces import (
    AntiSubspace,
    Subspace,
    anti_subspace,
    subspace,
    unit_norm,
)
from latent_anchors.regularizers._terms import Penalty, Pooling, Term

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
    "reduce_terms",
    "separation",
    "soft_minimum",
    "subspace",
    "unit_norm",
]
