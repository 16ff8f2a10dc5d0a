"""Type aliases for shapes. Leading axes are free: samples, positions, runs."""

from collections.abc import Mapping
from typing import TypeAlias

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

Inputs: TypeAlias = Tensor | tuple[Tensor, ...] | Mapping[str, Tensor]
"""What a model takes: a tensor, a tuple of arguments, or arguments by name."""
