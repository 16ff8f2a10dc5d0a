"""Autoencoders with the sites ``encoder``, ``latent`` and ``decoder``."""

from itertools import chain, pairwise, repeat

from jaxtyping import Float
from torch import Tensor, nn
from typing_extensions import override

from latent_anchors._checks import check_count
from latent_anchors._numerics import unit


class Normalize(nn.Module):
    r"""Scale latents ``(..., dim)`` to length 1.

    .. math:: \hat z = z / \lVert z \rVert_2

    The zero vector stays zero; what is infinite, or so long that its square is, becomes NaN.

    Args:
        axis: The axis that holds the channels: 1 for convolutions.

    References:
        The bottleneck of the anchored color autoencoders of ``ex-preppy`` (2025).

    Examples:
        >>> import torch
        >>> Normalize()(torch.tensor([3.0, 4.0]))
        tensor([0.6000, 0.8000])
    """

    def __init__(self, axis: int = -1) -> None:
        super().__init__()
        self.axis: int = axis

    @override
    def forward(self, z: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        """Latents ``(..., dim)`` of length 1, or of the same shape with the channels elsewhere."""
        return unit(z) if self.axis == -1 else unit(z.movedim(self.axis, -1)).movedim(-1, self.axis)

    @override
    def extra_repr(self) -> str:
        return "" if self.axis == -1 else f"axis={self.axis}"


class SphericalAutoencoder(nn.Module):
    """An autoencoder whose latents lie on the unit sphere.

    Encoder and decoder are multilayer perceptrons with exact GELU. The output is linear in training
    mode, so that 0 and 1 can be reached, and clamped to [0, 1] in evaluation mode only. Sites:
    ``"encoder"`` (before the normalization), ``"latent"``, ``"decoder"``.

    Args:
        channels: Width of inputs and outputs; 3 for colors.
        latent_dim: Dimensions of the latent space.
        hidden: Width of the hidden layers.
        depth: Hidden layers of the encoder, and of the decoder.

    Raises:
        ValueError: If a size is less than 1.
        TypeError: If a size is not a whole number.

    Examples:
        >>> model = SphericalAutoencoder(channels=3, latent_dim=4)
        >>> sum(parameter.numel() for parameter in model.parameters())
        263
    """

    def __init__(
        self, channels: int = 3, latent_dim: int = 4, hidden: int = 16, depth: int = 1
    ) -> None:
        super().__init__()
        self.channels: int = channels
        self.latent_dim: int = latent_dim
        self.hidden: int = hidden
        self.depth: int = depth
        self.encoder: nn.Sequential = mlp(channels, hidden, depth, latent_dim)
        self.latent: nn.Module = Normalize()
        self.decoder: nn.Sequential = mlp(latent_dim, hidden, depth, channels)

    @override
    def forward(self, x: Float[Tensor, "*batch channels"]) -> Float[Tensor, "*batch channels"]:
        """Reconstructions ``(..., channels)`` of inputs in [0, 1]."""
        y = self.decoder(self.latent(self.encoder(x)))
        return y if self.training else y.clamp(0.0, 1.0)


class PlainAutoencoder(nn.Module):
    """An autoencoder with unconstrained latents and a sigmoid at the end.

    Sites: ``"encoder"``, ``"latent"`` (the same values), ``"decoder"`` (before the sigmoid).

    Args:
        channels: Width of inputs and outputs; 3 for colors.
        latent_dim: Dimensions of the latent space.
        hidden: Width of the hidden layers.
        depth: Hidden layers of the encoder, and of the decoder.
        normalize: Whether latents are scaled to length 1.

    Raises:
        ValueError: If a size is less than 1.
        TypeError: If a size is not a whole number.

    Examples:
        >>> model = PlainAutoencoder(channels=3, latent_dim=2)
        >>> sum(parameter.numel() for parameter in model.parameters())
        197
    """

    def __init__(
        self,
        channels: int = 3,
        latent_dim: int = 4,
        hidden: int = 16,
        depth: int = 1,
        normalize: bool = False,
    ) -> None:
        super().__init__()
        self.channels: int = channels
        self.latent_dim: int = latent_dim
        self.hidden: int = hidden
        self.depth: int = depth
        self.normalize: bool = normalize
        self.encoder: nn.Sequential = mlp(channels, hidden, depth, latent_dim)
        self.latent: nn.Module = Normalize() if normalize else nn.Identity()
        self.decoder: nn.Sequential = mlp(latent_dim, hidden, depth, channels)

    @override
    def forward(self, x: Float[Tensor, "*batch channels"]) -> Float[Tensor, "*batch channels"]:
        """Reconstructions ``(..., channels)``, from 0 to 1."""
        return self.decoder(self.latent(self.encoder(x))).sigmoid()


def mlp(inputs: int, hidden: int, depth: int, outputs: int) -> nn.Sequential:
    """Linear layers with GELU between them: ``depth`` hidden layers of width ``hidden``."""
    for name, size in {"channels": inputs, "hidden": hidden, "latent_dim": outputs}.items():
        check_count(name, size)
    check_count("depth", depth)
    widths = chain([inputs], repeat(hidden, depth), [outputs])
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.Linear(before, after), nn.GELU()]
    return nn.Sequential(*layers[:-1])
