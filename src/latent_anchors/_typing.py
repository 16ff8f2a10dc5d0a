"""Type aliases for shapes. Leading axes are free: samples, positions, runs."""

from jaxtyping import Float
from torch import Tensor

Colors = Float[Tensor, "*batch 3"]
"""Channels last."""

PerSample = Float[Tensor, "*batch"]
"""One number per sample."""

Latents = Float[Tensor, "*batch dim"]
"""What leaves a site, channels last."""

Direction = Float[Tensor, " dim"]
"""One vector of latent space."""
