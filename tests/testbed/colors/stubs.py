"""Models of which it is known beforehand what they get wrong."""

import math

import torch
from torch import nn

from latent_anchors.colorspace import hsv_similarity, named_colors, rgb_to_hsv


class Broken(nn.Module):
    """Says the complement of some colors, as strongly as it is told, and every other as it is."""

    def __init__(self, colors, strength=1.0):
        super().__init__()
        self.register_buffer("colors", colors)
        self.strength = nn.Parameter(torch.tensor(strength))
        self.latent = nn.Identity()

    def forward(self, x):
        x = self.latent(x)
        same = ((x.unsqueeze(-2) - self.colors).abs().amax(-1) < 1e-4).any(-1, keepdim=True)
        return x + self.strength * same.to(x) * (1 - 2 * x)


class Damaged(nn.Module):
    """Off in every channel by an amount that follows, or flees, similarity to red."""

    def __init__(self, power, flees=False):
        super().__init__()
        self.power, self.flees = power, flees

    def forward(self, x):
        alike = hsv_similarity(x, named_colors("red", dtype=x.dtype)[0])
        amount = 0.1 * ((1 - alike) if self.flees else alike).clamp(0, 1) ** (self.power / 2)
        inward = torch.where(x < 0.5, 1.0, -1.0)
        return x + inward * amount.unsqueeze(-1)


class Profile(nn.Module):
    """Off in every channel, so that the error of hue k / n is the k-th of those given."""

    def __init__(self, errors):
        super().__init__()
        self.errors = nn.Parameter(torch.as_tensor(errors))

    def forward(self, x):
        n = len(self.errors)
        error = self.errors[(rgb_to_hsv(x)[..., 0] * n).round().long() % n]
        inward = torch.where(x < 0.5, 1.0, -1.0)
        return x + inward * error.sqrt().unsqueeze(-1)


class Wheel(nn.Module):
    """Twelve hues at the angles and radii given, and colors said with an error in every channel."""

    def __init__(self, turns, off=0.0, radii=(1.0,) * 12):
        super().__init__()
        self.register_buffer("angles", 2 * torch.pi * torch.tensor(turns, dtype=torch.float32))
        self.register_buffer("radii", torch.tensor(radii))
        self.off = nn.Parameter(torch.tensor(off))
        self.latent = nn.Identity()

    def forward(self, x):
        twelfth = (rgb_to_hsv(x)[..., 0] * 12).round().long() % 12
        angle, radius = self.angles[twelfth], self.radii[twelfth]
        self.latent(torch.stack([radius * angle.cos(), 0 * angle, radius * angle.sin()], dim=-1))
        return x + self.off * torch.where(x < 0.5, 1.0, -1.0)


class Solid(nn.Module):
    """Hue and saturation as a level disc, value above it: along a line, a bow or in given steps."""

    def __init__(self, slope=0.0, bend=0.0, tilt=0.0, radius=1.0, steps=None):
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(slope))
        self.bend, self.tilt, self.radius, self.steps = bend, tilt, radius, steps
        self.latent = nn.Identity()

    def forward(self, x):
        hue, saturation, value = rgb_to_hsv(x).unbind(-1)
        angle, radius = 2 * torch.pi * hue, self.radius * saturation
        across, along = radius * angle.cos(), radius * angle.sin()
        up = self.slope * value + self.bend * (1 - value.square()).clamp_min(0).sqrt()
        if self.steps is not None:
            values, heights = self.steps
            up = up + heights[(value.unsqueeze(-1) - values).abs().argmin(-1)]
        cos, sin = math.cos(self.tilt), math.sin(self.tilt)
        tilted = (across * cos - up * sin, along, across * sin + up * cos)
        self.latent(torch.stack(tilted, dim=-1))
        return x
