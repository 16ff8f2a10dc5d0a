"""Pictures of plain squares, whose places are known."""

import torch
from torch import Tensor

from latent_anchors.colorspace import hsv_to_rgb


def squares(*hues: float, saturation: float = 1.0) -> Tensor:
    """A picture of two by two places for each hue in degrees: one place of it, three white."""
    hsv = torch.tensor([[hue / 360, saturation, 1.0] for hue in hues])
    pictures = torch.ones(len(hues), 3, 8, 8)
    pictures[:, :, :4, :4] = hsv_to_rgb(hsv)[:, :, None, None]
    return pictures
