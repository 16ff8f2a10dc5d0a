"""Lines and bands that have, piece by piece, the color of the hue they are about."""

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from latent_anchors.colorspace import hsv_to_rgb
from latent_anchors.viz._arrays import Array
from latent_anchors.viz._themes import Theme

OUTLINE = 1.2
"""Points by which a line's outline is wider: yellow is hard to see on white, blue on black."""


FINE = 720
"""Hues in the picture of a band."""


def hue_colors(hues: Array) -> Array:
    """RGB ``(n, 3)`` of hues in turns ``(n,)`` at full saturation and value."""
    hue = torch.from_numpy(hues)
    return hsv_to_rgb(torch.stack([hue, *torch.ones(2, *hue.shape).to(hue)], dim=-1)).numpy()


def around(center: float, hues: Array) -> Array:
    """The same hues in turns, at most half a turn from the center."""
    away = np.abs(hues - center) > 0.5
    return np.where(away, hues - np.floor(hues - center + 0.5), hues)


def between(x: Array) -> Array:
    """Colors of the pieces between neighboring hues ``(n - 1, 3)``."""
    return hue_colors((x[1:] + x[:-1]) / 2)


def draw_line(axes: Axes, inks: Theme, x: Array, y: Array, width: float) -> None:
    """A line whose pieces have their hue's color, with an outline."""
    axes.plot(x, y, color=inks.ink, linewidth=width + OUTLINE, solid_capstyle="round")
    points = np.stack([x, y], axis=-1)
    pieces = np.stack([points[:-1], points[1:]], axis=1)
    axes.add_collection(
        LineCollection([*pieces], colors=between(x), linewidths=width, capstyle="round", zorder=2.1)
    )


def draw_markers(axes: Axes, inks: Theme, x: Array, y: Array, at: Array, marker: str) -> None:
    """Markers on a line, at those of the hues that it reaches."""
    at = at[(at >= x[0]) & (at <= x[-1])]
    axes.scatter(
        at,
        np.interp(at, x, y),
        s=36,
        c=hue_colors(at),
        marker=marker,
        edgecolors=inks.ink,
        linewidths=OUTLINE / 2,
        clip_on=False,
        zorder=2.2,
    )


def draw_band(axes: Axes, x: Array, low: Array, high: Array) -> None:
    """The range between two lines, in a paler version of each hue's color."""
    shape = axes.fill_between(x, low, high, facecolor="none", linewidth=0)
    ends = axes.get_xlim()
    # One picture cut to shape: pieces side by side would show seams.
    picture = axes.imshow(
        hue_colors(np.linspace(*ends, FINE))[None],
        extent=(*ends, *axes.get_ylim()),
        aspect="auto",
        alpha=0.3,
        zorder=1,
    )
    picture.set_clip_path(shape.get_paths()[0], axes.transData)
