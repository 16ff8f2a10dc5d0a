"""Cones round a direction, as they are seen from one side of the sphere."""

from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from latent_anchors._checks import check_between
from latent_anchors._vectors import as_direction
from latent_anchors.viz._arrays import Array, as_array
from latent_anchors.viz._themes import SMALL, Theme, halo

Cone = tuple[ArrayLike, float]

AROUND = np.linspace(0, 2 * np.pi, 361)


def as_cone(cone: Cone, dim: int) -> tuple[Array, float]:
    """A unit vector ``(dim,)``, and the angle between axis and side in degrees."""
    direction, degrees = cone
    check_between("The cone's angle", degrees, 0.0, 180.0)
    given = torch.from_numpy(as_array("the cone's direction", direction, dim))
    return as_direction(given).numpy(), degrees


def rim(axis: Array, degrees: float) -> Array:
    """Where a cone meets the unit sphere of three dimensions, ``(n, 3)``; nothing if it does not.

    The axis is that of a cone in more dimensions, as much of it as there is in these three.
    """
    length = float(np.linalg.norm(axis))
    height = float(np.cos(np.radians(degrees)))
    if length <= abs(height) or length == 0:
        return np.empty((0, 3))
    up = axis / length
    first = np.cross(up, np.eye(3)[np.abs(up).argmin()])
    first /= np.linalg.norm(first)
    second = np.cross(up, first)
    level, radius = height / length, np.sqrt(1 - (height / length) ** 2)
    turning = np.cos(AROUND)[:, None] * first + np.sin(AROUND)[:, None] * second
    return level * up + radius * turning


def silhouette(edge: Array) -> Array:
    """The outline ``(m, 2)`` of a cone with its tip at the origin, whose rim is seen as ``edge``.

    From the tip to one side, along the far part of the rim, and back; the rim alone where the tip
    is seen within it.
    """
    x, y = edge.T
    across = np.unwrap(np.arctan2(y, x))
    if np.ptp(across) > np.pi + 1e-3:
        return edge
    return np.concatenate([[edge[across.argmin()]], [[0.0, 0.0]], [edge[across.argmax()]]])


def draw_cone(
    axes: Axes, inks: Theme, direction: Array, degrees: float, view: tuple[int, int, int]
) -> None:
    """Rim and sides in front of the points, and the angle."""
    points = rim(direction[[*view]], degrees)
    if not len(points):
        return
    style: dict[str, Any] = {"color": inks.ink, "zorder": 2.5, "path_effects": halo(inks)}
    seen = points[:, :2]
    for line in (silhouette(seen), seen):
        axes.plot(*line.T, linewidth=1.2, solid_joinstyle="round", **style)
    corner = seen[(seen @ [1.0, 0.6]).argmax()]
    words: dict[str, Any] = {"textcoords": "offset points", "fontsize": SMALL}
    axes.annotate(f"{degrees:g}°", (corner[0], corner[1]), (5, 3), **style, **words)
