"""Colors channels first, where arithmetic needs no small inner axis; and constants for it."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from latent_anchors.colorspace._precision import Rows

Block = Float[Tensor, "n 3"]
"""Some colors, channels last."""

Channels = Float[Tensor, "3 n"]
"""The same, channels first."""


def apart(block: Block) -> Channels:
    """Channels first, as a copy."""
    channels = block.new_empty(3, block.shape[0])
    channels.t().copy_(block)  # Several times as fast as `block.t().contiguous()`.
    return channels


def together(channels: Channels, out: Block) -> None:
    """Channels last again."""
    out.t().copy_(channels)


@dataclass(frozen=True)
class Constant:
    """Numbers as a tensor of either precision, made once."""

    single: Tensor
    double: Tensor

    def to(self, like: Tensor) -> Tensor:
        """In the precision of this tensor."""
        return self.single if like.dtype is torch.float32 else self.double


def constant(rows: Rows | float, times: float = 1.0) -> Constant:
    """These rows, or a single number without any axis, perhaps scaled."""
    exact = times * torch.tensor(rows, dtype=torch.float64, device="cpu")
    return Constant(exact.float(), exact)


def turned(rows: Rows) -> Rows:
    """The transposed matrix, which takes gradients back."""
    return [list(column) for column in zip(*rows, strict=True)]
