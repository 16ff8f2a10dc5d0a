"""What a color is: conversions, hue arithmetic, degrees, names, grids, similarity, differences.

Colors are tensors with three channels last. RGB is sRGB from 0 to 1, hue is in turns in [0, 1),
and every function has finite gradients everywhere, on grays and out of gamut too. NaN in, NaN out:
a color with a channel that is NaN has no other channel, difference or degree, but for the two that
convert each channel by itself, to linear and back. What is given in half precision is computed in
float32 and rounded once, so that only the type given limits the digits.
"""

from latent_anchors.colorspace._degrees import grayness, hsv_similarity, hue_degree, vibrancy
from latent_anchors.colorspace._distances import delta_e_76, delta_e_2000, delta_e_ok
from latent_anchors.colorspace._grids import HsvGrid, hsv_grid, rgb_grid, rgb_midpoints
from latent_anchors.colorspace._hsv_hsl import hsl_to_rgb, hsv_to_rgb, rgb_to_hsl, rgb_to_hsv
from latent_anchors.colorspace._hues import (
    COLOR_NAMES,
    GRAYS,
    HUES,
    hue_between,
    hue_difference,
    hue_distance,
    hue_mean,
    hue_of,
    named_colors,
)
from latent_anchors.colorspace._lab import (
    lab_to_rgb,
    lch_to_rgb,
    oklch_to_rgb,
    rgb_to_lab,
    rgb_to_lch,
    rgb_to_oklch,
)
from latent_anchors.colorspace._oklab import oklab_to_rgb, rgb_to_oklab
from latent_anchors.colorspace._xyz import linear_to_rgb, rgb_to_linear, rgb_to_xyz, xyz_to_rgb

__all__ = [
    "COLOR_NAMES",
    "GRAYS",
    "HUES",
    "HsvGrid",
    "delta_e_76",
    "delta_e_2000",
    "delta_e_ok",
    "grayness",
    "hsl_to_rgb",
    "hsv_grid",
    "hsv_similarity",
    "hsv_to_rgb",
    "hue_between",
    "hue_degree",
    "hue_difference",
    "hue_distance",
    "hue_mean",
    "hue_of",
    "lab_to_rgb",
    "lch_to_rgb",
    "linear_to_rgb",
    "named_colors",
    "oklab_to_rgb",
    "oklch_to_rgb",
    "rgb_grid",
    "rgb_midpoints",
    "rgb_to_hsl",
    "rgb_to_hsv",
    "rgb_to_lab",
    "rgb_to_lch",
    "rgb_to_linear",
    "rgb_to_oklab",
    "rgb_to_oklch",
    "rgb_to_xyz",
    "vibrancy",
    "xyz_to_rgb",
]
