"""A convolutional autoencoder of pictures, with the sites of those of colors."""

from jaxtyping import Float
from torch import Tensor, nn
from typing_extensions import override

from latent_anchors._checks import check_count
from latent_anchors.models._autoencoders import Normalize


class PatchAutoencoder(nn.Module):
    """A convolutional autoencoder of pictures, with latents of length 1 at every place.

    A place is a square of pixels. Its latents are decoded without its neighbors', so that an edit
    at a place is seen in its square and nowhere else; with ``context`` the encoder sees its
    neighbors all the same. Encoder and decoder are a linear map beside a hidden layer with exact
    GELU, which learns several times as fast as two hidden layers do. The output is linear in
    training mode, so that 0 and 1 can be reached, and clamped to [0, 1] in evaluation mode only.

    Sites: ``"encoder"`` (before the normalization), ``"latent"`` and ``"decoder"``, with channels
    second: ``Site("latent", axis=1)``.

    Args:
        channels: Of the pictures; 3 for colors.
        latent_dim: Dimensions of the latent space.
        hidden: Channels of the hidden layers.
        patch: Pixels along a square's side.
        context: How many places to each side the encoder sees besides a place's own.

    Raises:
        ValueError: If a size is less than 1, or the context less than 0.
        TypeError: If a size is not a whole number.

    Examples:
        >>> import torch
        >>> from latent_anchors.models import Site, record
        >>> model, site = PatchAutoencoder(latent_dim=24, patch=4), Site("latent", axis=1)
        >>> with record(model, site) as latents:
        ...     output = model(torch.rand(5, 3, 32, 32))
        >>> output.shape, latents[site].shape
        (torch.Size([5, 3, 32, 32]), torch.Size([5, 8, 8, 24]))
    """

    def __init__(
        self,
        channels: int = 3,
        latent_dim: int = 24,
        hidden: int = 64,
        patch: int = 4,
        context: int = 0,
    ) -> None:
        super().__init__()
        sizes = {"channels": channels, "latent_dim": latent_dim, "hidden": hidden, "patch": patch}
        for name, size in sizes.items():
            check_count(name, size)
        check_count("context", context, least=0)
        self.channels: int = channels
        self.latent_dim: int = latent_dim
        self.hidden: int = hidden
        self.patch: int = patch
        self.context: int = context
        around = [layer for _ in range(context) for layer in _around(hidden)]
        self.encoder: nn.Module = Beside(
            nn.Conv2d(channels, latent_dim, patch, stride=patch),
            nn.Sequential(
                nn.Conv2d(channels, hidden, patch, stride=patch),
                nn.GELU(),
                *around,
                nn.Conv2d(hidden, latent_dim, 1),
            ),
        )
        self.latent: nn.Module = Normalize(axis=1)
        self.decoder: nn.Module = Beside(
            nn.ConvTranspose2d(latent_dim, channels, patch, stride=patch),
            nn.Sequential(
                nn.Conv2d(latent_dim, hidden, 1),
                nn.GELU(),
                nn.ConvTranspose2d(hidden, channels, patch, stride=patch),
            ),
        )

    @override
    def forward(
        self, x: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch channels height width"]:
        """Reconstructions ``(batch, channels, height, width)`` of pictures in [0, 1].

        Raises:
            ValueError: If there is no axis of pictures, or sides are no multiples of the patch.
        """
        if x.ndim != 4 or x.shape[2] % self.patch or x.shape[3] % self.patch:
            raise ValueError(
                f"The pictures have shape {tuple(x.shape)}; expected (batch, {self.channels}, "
                f"height, width), with sides that are multiples of the patch, {self.patch}. Crop "
                "or pad them; of one picture, give x.unsqueeze(0)."
            )
        y = self.decoder(self.latent(self.encoder(x)))
        return y if self.training else y.clamp(0.0, 1.0)


class Beside(nn.Module):
    """The sum of two branches."""

    def __init__(self, straight: nn.Module, bent: nn.Module) -> None:
        super().__init__()
        self.straight: nn.Module = straight
        self.bent: nn.Module = bent

    @override
    def forward(self, x: Tensor) -> Tensor:
        """What both say of the same, added up."""
        return self.straight(x) + self.bent(x)


def _around(hidden: int) -> list[nn.Module]:
    """A convolution that sees the next places to each side, and keeps height and width."""
    return [nn.Conv2d(hidden, hidden, 3, padding=1), nn.GELU()]
