"""What it looks like: latent sphere, reconstructions, pictures, errors, edits, seeds, timelines.

Every function takes plain numbers (tensors, arrays or lists), edits or a timeline, and returns a
figure that pyplot knows, for a light or a dark page; :func:`redraw` makes the one of the other, and
the global style is left alone. A figure's label, ``figure.get_label()``, says in words what its
data show, for those who cannot see it; :func:`save_figures` writes it into the file.

Colors on a figure are the data's own, so nothing else is shown by color; only where no color is the
data's, as on a timeline, lines have colors of their own, which people of every color vision can
tell, and names.
"""

from latent_anchors.viz._ablation_table import plot_ablation_table
from latent_anchors.viz._before_after import plot_before_after
from latent_anchors.viz._dose_curves import plot_dose_response
from latent_anchors.viz._edit_polar import plot_edit_polar
from latent_anchors.viz._error_against import plot_error_against
from latent_anchors.viz._frontier import plot_frontier
from latent_anchors.viz._hue_errors import plot_error_by_hue
from latent_anchors.viz._motion import Motion, animate_latents
from latent_anchors.viz._picture_rows import plot_pictures
from latent_anchors.viz._plot_alignment import plot_alignment
from latent_anchors.viz._plot_latents import plot_latents
from latent_anchors.viz._plot_relearning import plot_relearning
from latent_anchors.viz._plot_snapshots import plot_snapshots, plot_unfolding
from latent_anchors.viz._reconstructions import plot_reconstructions, plot_swatches
from latent_anchors.viz._redrawing import redraw
from latent_anchors.viz._responses import plot_response
from latent_anchors.viz._save_figures import save_figures
from latent_anchors.viz._scores import plot_scores
from latent_anchors.viz._seeds import plot_seeds
from latent_anchors.viz._timelines import plot_timeline, plot_values
from latent_anchors.viz._wheels import plot_wheels

__all__ = [
    "Motion",
    "animate_latents",
    "plot_ablation_table",
    "plot_alignment",
    "plot_before_after",
    "plot_dose_response",
    "plot_edit_polar",
    "plot_error_against",
    "plot_error_by_hue",
    "plot_frontier",
    "plot_latents",
    "plot_pictures",
    "plot_reconstructions",
    "plot_relearning",
    "plot_response",
    "plot_scores",
    "plot_seeds",
    "plot_snapshots",
    "plot_swatches",
    "plot_timeline",
    "plot_unfolding",
    "plot_values",
    "plot_wheels",
    "redraw",
    "save_figures",
]
