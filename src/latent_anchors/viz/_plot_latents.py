"""The latent sphere, slice by slice."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from numpy.typing import ArrayLike

from latent_anchors._checks import check_between, check_count
from latent_anchors._vectors import as_direction
from latent_anchors.viz._arrays import Array, as_array, as_colors, counted, edges
from latent_anchors.viz._redrawing import mathematics, redrawable
from latent_anchors.viz._themes import SMALL, Theme, ThemeName, dress, halo, new_figure

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


View = tuple[int, int, int]
PANEL = 3.0
"""Inches across one look at the sphere."""

ROOM = 1.1
"""Half of a panel's width, where the sphere's radius is 1."""


@redrawable
def plot_latents(
    z: ArrayLike,
    colors: ArrayLike,
    reconstructions: ArrayLike | None = None,
    views: Sequence[View] = ((1, 0, 2), (1, 2, 0), (1, 3, 0)),
    cone: Cone | None = None,
    theme: ThemeName = "light",
    title: str | None = None,
) -> Figure:
    """The latent sphere seen from several sides, each point in its own color.

    A view names three latent dimensions: the first points right, the second up, the third toward
    the viewer; near points hide far ones. The disc is the unit sphere. With an anchor along
    dimension 0, the first of the usual views has it on top and the others look straight at it.

    Args:
        z: Latents of one run, ``(n, dim)``.
        colors: What they are latents of, RGB ``(n, 3)`` from 0 to 1; they fill the points.
        reconstructions: What came out, RGB ``(n, 3)`` from 0 to 1; rings around the points.
        views: Dimensions, from 0 on; a panel each.
        cone: A direction ``(dim,)``, and an angle in degrees from 0 to 180: what lies within that
            angle from it, as much as there is of it in the dimensions of the view.
        theme: Inks for a light or a dark page.
        title: Above all panels.

    Returns:
        The figure, known to pyplot.

    Raises:
        ValueError: A shape does not fit, a number is not finite or no color, a view names a
            dimension twice or one that is not there, there is no view or no such theme, or the
            cone's direction points nowhere or its angle is out of range.

    Examples:
        >>> import matplotlib.pyplot as plt
        >>> figure = plot_latents([[1, 0, 0], [0, 1, 0]], [[1, 0, 0], [0, 1, 1]], views=[(1, 0, 2)])
        >>> len(figure.axes)
        1
        >>> plt.close(figure)
    """
    latents = as_array("z", z, "n", "dim")
    fill = as_colors("colors", colors, len(latents))
    ring = None
    if reconstructions is not None:
        ring = as_colors("reconstructions", reconstructions, len(latents))
    check_count("number of views", len(views))
    for view in views:
        check_view(view, latents.shape[1])
    around = None if cone is None else as_cone(cone, latents.shape[1])
    words = f"{counted(len(latents), 'color')} in latent space, {edges(latents, fill, views[0])}."
    if around is not None and any(len(rim(around[0][[*view]], around[1])) for view in views):
        words += f" A cone of {around[1]:g} degrees is outlined."
    height = PANEL if title is None else PANEL + 0.4
    figure, inks = new_figure(theme, PANEL * len(views), height, title, words)
    for axes, view in zip(figure.subplots(1, len(views), squeeze=False).flat, views, strict=True):
        draw_sphere(axes, inks, latents, fill, ring, view)
        if around is not None:
            draw_cone(axes, inks, *around, view)
    return figure


def check_view(view: View, dim: int) -> None:
    """Refuse a view that does not name three of the dimensions that there are."""
    if len(set(view)) != 3 or not set(view) <= set(range(dim)):
        raise ValueError(
            f"View {view!r} does not fit latents of {dim} dimensions; expected three different "
            f"ones from 0 to {dim - 1}: right, up, and toward the viewer."
        )


def draw_sphere(
    axes: Axes, inks: Theme, z: Array, fill: Array, ring: Array | None, view: View
) -> None:
    """All that there is to one look."""
    draw_disc(axes, inks, reach_of(z, view))
    draw_points(axes, inks, z, fill, ring, view)
    draw_compass(axes, inks, view)


def reach_of(z: Array, view: View) -> float:
    """Half of the width that holds the sphere and all latents ``(..., dim)``."""
    return ROOM * max(1.0, float(np.abs(z[..., view[:2]]).max()))


def draw_disc(axes: Axes, inks: Theme, reach: float) -> None:
    """The sphere's disc behind the points, its outline in front of them."""
    axes.add_patch(Circle((0, 0), 1, facecolor=inks.calm, edgecolor="none", zorder=0))
    axes.add_patch(Circle((0, 0), 1, fill=False, edgecolor=inks.faint, linewidth=0.8, zorder=2))
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", xticks=[], yticks=[])
    dress(axes, inks)


def draw_points(
    axes: Axes,
    inks: Theme,
    z: Array,
    fill: Array,
    ring: Array | None,
    view: View,
    scale: float = 1.0,
) -> None:
    """From the farthest to the nearest."""
    right, up, toward = view
    order = np.argsort(z[:, toward], kind="stable")
    width = scale * point_width(len(z))
    # A ring takes 0.4 of the radius; without one, a hairline keeps like colors apart.
    edge = 0.4 * scale if ring is None else 0.2 * width
    axes.scatter(
        z[order, right],
        z[order, up],
        s=(width - edge) ** 2,
        c=fill[order],
        edgecolors=inks.calm if ring is None else [*ring[order]],
        linewidths=edge,
        clip_on=False,
        zorder=1,
    )


def point_width(n: int) -> float:
    """Points of a diameter, in points, such that many and few both cover the sphere well."""
    return float(np.clip(175 / n**0.5, 4, 16))


def draw_compass(axes: Axes, inks: Theme, view: View) -> None:
    """In the corner: which dimension points right, which up, and which toward the viewer."""
    right, up, toward = view
    below, at, tip, words = 0.005, 0.05, 0.155, 0.2
    line: dict[str, Any] = {"color": inks.faint, "linewidth": 0.8, "transform": axes.transAxes}
    line |= {"clip_on": False, "markerfacecolor": inks.page}
    head: dict[str, Any] = {"markersize": 3.5, "markevery": [1], "markerfacecolor": inks.faint}
    axes.plot([at, tip], [at, at], marker=">", **(line | head))
    axes.plot([at, at], [at, tip], marker="^", **(line | head))
    for width in (5, 1.5):
        axes.plot(at, at, "o", markersize=width, **line)
    style: dict[str, Any] = {"color": inks.faint, "fontsize": SMALL, "ha": "center", "va": "center"}
    style |= {"transform": axes.transAxes}
    for dim, place in ((right, (words, at)), (up, (at, words)), (toward, (below, below))):
        mathematics(axes.text(*place, f"$z_{{{dim}}}$", **style))
