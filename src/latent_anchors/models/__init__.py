"""Small models, recording of latents, and populations of runs.

Autoencoders of colors and of pictures with the sites ``encoder``, ``latent`` and ``decoder``; two
small transformers with the sites ``embedding``, ``blocks.0`` and so on; :func:`record`, which reads
sites for the length of a block; :func:`sites`, which lists them; :func:`functional_forward`, a
forward pass as a pure function; :class:`Population`, many runs as one module; and
:class:`UnitNorm`, weights kept at length 1.
"""

from latent_anchors._sites import Site
from latent_anchors.models._autoencoders import Normalize, PlainAutoencoder, SphericalAutoencoder
from latent_anchors.models._functional_forward import functional_forward
from latent_anchors.models._list_sites import Sites, sites
from latent_anchors.models._normalized_transformer import NormalizedTransformer
from latent_anchors.models._patch_autoencoder import PatchAutoencoder
from latent_anchors.models._populations import Population, stacked_outputs
from latent_anchors.models._prenorm_transformer import PrenormTransformer
from latent_anchors.models._recording import Recording, record
from latent_anchors.models._unit_norm import UnitNorm

__all__ = [
    "Normalize",
    "NormalizedTransformer",
    "PatchAutoencoder",
    "PlainAutoencoder",
    "Population",
    "PrenormTransformer",
    "Recording",
    "Site",
    "Sites",
    "SphericalAutoencoder",
    "UnitNorm",
    "functional_forward",
    "record",
    "sites",
    "stacked_outputs",
]
