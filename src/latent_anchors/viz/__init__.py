"""What it looks like: the latent sphere, reconstructions, errors round the color wheel.

Every function takes plain numbers (tensors, arrays or lists) and returns a figure that pyplot
knows, for a light or a dark page; the global style is left alone. Colors on a figure are the
data's own, so nothing else is told by color.
"""

from latent_anchors.viz._before_after import plot_before_after as plot_before_after
from latent_anchors.viz._hue_errors import plot_error_by_hue as plot_error_by_hue
from latent_anchors.viz._latents import plot_latents as plot_latents
from latent_anchors.viz._presenting import present as present
from latent_anchors.viz._reconstructions import plot_reconstructions as plot_reconstructions

__all__ = [
    "plot_before_after",
    "plot_error_by_hue",
    "plot_latents",
    "plot_reconstructions",
    "present",
]
