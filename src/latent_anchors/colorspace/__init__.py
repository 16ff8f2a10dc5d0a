"""What a color is: conversions, hue arithmetic, degrees, names, grids, similarity, differences.

Colors are tensors with three channels last. RGB is sRGB from 0 to 1, hue is in turns in [0, 1),
and every function has finite gradients everywhere, on grays and out of gamut too. NaN in, NaN out:
a color with a channel that is NaN has no other channel, difference or degree. What is given in half
precision is computed in float32 and rounded once, so that only the type given limits the digits.
"""

from latent_anchors.colorspace._ciede2000 import delta_e_2000 as delta_e_2000
from latent_anchors.colorspace._degrees import grayness as grayness
from latent_anchors.colorspace._degrees import hue_degree as hue_degree
from latent_anchors.colorspace._degrees import vibrancy as vibrancy
from latent_anchors.colorspace._distances import delta_e_76 as delta_e_76
from latent_anchors.colorspace._distances import delta_e_ok as delta_e_ok
from latent_anchors.colorspace._grids import HsvGrid as HsvGrid
from latent_anchors.colorspace._grids import hsv_grid as hsv_grid
from latent_anchors.colorspace._grids import rgb_grid as rgb_grid
from latent_anchors.colorspace._grids import rgb_midpoints as rgb_midpoints
from latent_anchors.colorspace._hsl import hsl_to_rgb as hsl_to_rgb
from latent_anchors.colorspace._hsl import rgb_to_hsl as rgb_to_hsl
from latent_anchors.colorspace._hsv import hsv_to_rgb as hsv_to_rgb
from latent_anchors.colorspace._hsv import rgb_to_hsv as rgb_to_hsv
from latent_anchors.colorspace._hue_names import COLOR_NAMES as COLOR_NAMES
from latent_anchors.colorspace._hue_names import GRAYS as GRAYS
from latent_anchors.colorspace._hue_names import HUES as HUES
from latent_anchors.colorspace._hue_names import hue_of as hue_of
from latent_anchors.colorspace._hue_names import named_colors as named_colors
from latent_anchors.colorspace._hues import hue_between as hue_between
from latent_anchors.colorspace._hues import hue_difference as hue_difference
from latent_anchors.colorspace._hues import hue_distance as hue_distance
from latent_anchors.colorspace._hues import hue_mean as hue_mean
from latent_anchors.colorspace._lab import lab_to_rgb as lab_to_rgb
from latent_anchors.colorspace._lab import rgb_to_lab as rgb_to_lab
from latent_anchors.colorspace._lch import lch_to_rgb as lch_to_rgb
from latent_anchors.colorspace._lch import oklch_to_rgb as oklch_to_rgb
from latent_anchors.colorspace._lch import rgb_to_lch as rgb_to_lch
from latent_anchors.colorspace._lch import rgb_to_oklch as rgb_to_oklch
from latent_anchors.colorspace._linear import linear_to_rgb as linear_to_rgb
from latent_anchors.colorspace._linear import rgb_to_linear as rgb_to_linear
from latent_anchors.colorspace._oklab import oklab_to_rgb as oklab_to_rgb
from latent_anchors.colorspace._oklab import rgb_to_oklab as rgb_to_oklab
from latent_anchors.colorspace._similarity import hsv_similarity as hsv_similarity
from latent_anchors.colorspace._xyz import rgb_to_xyz as rgb_to_xyz
from latent_anchors.colorspace._xyz import xyz_to_rgb as xyz_to_rgb

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
