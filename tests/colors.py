"""What the tests of conversions share: all of them, and colors that are hard to convert."""

import torch

from latent_anchors import colorspace

SPACES = ("hsv", "hsl", "linear", "xyz", "lab", "lch", "oklab", "oklch")
THERE = {f"rgb_to_{space}": getattr(colorspace, f"rgb_to_{space}") for space in SPACES}
BACK = {f"{space}_to_rgb": getattr(colorspace, f"{space}_to_rgb") for space in SPACES}


def hard_colors(dtype):
    """Grays, corners, whatever lies close to a kink, and colors that no screen can show."""
    grays = [(x, x, x) for x in (0.0, 1e-12, 1e-3, 0.04045, 0.5, 1.0, -0.2, 1.3)]
    corners = [tuple(corner) for corner in colorspace.rgb_grid(2).tolist()]
    tiny = [(1e-30, 0.0, 0.0), (1e-8, 0.0, 1e-9), (1.0, 1.0, 1 - 1e-7), (0.5, 0.5, 0.5 + 1e-7)]
    outside = [(-0.1, 0.2, 0.3), (1.2, 0.5, -0.3), (0.0, -0.5, -0.5), (2.0, 0.0, 0.0), (-1, -2, -3)]
    return torch.tensor(grays + corners + tiny + outside, dtype=dtype)


def argument(name, rgb):
    """The colors as this conversion wants them."""
    return rgb if name in THERE else THERE[f"rgb_to_{name.removesuffix('_to_rgb')}"](rgb)


def same(colors, others):
    """Up to rounding, which far out of gamut leaves a digit less of a and b."""
    rtol = 2e-5 if colors.dtype is torch.float32 else 1e-7
    torch.testing.assert_close(colors, others, rtol=rtol, atol=rtol)
