"""Lobes: what an edit does to unit vectors at every angle from the concept."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from latent_anchors._checks import check_count
from latent_anchors._typing import Direction, Latents
from latent_anchors._vectors import as_direction
from latent_anchors.interventions import Edit
from latent_anchors.viz._arrays import Array, as_array, joined
from latent_anchors.viz._redrawing import redrawable
from latent_anchors.viz._themes import NORMAL, SMALL, Theme, ThemeName, dress, halo, new_figure
from latent_anchors.viz._track_lines import name_ends

HEIGHT = 3.1
"""Inches of an edit's row."""

DEGREES = np.linspace(-180, 180, 1441)
"""Angles from the concept."""

THREADS = slice(0, -1, 40)
"""Every ten degrees."""

SPOKES = np.arange(-150, 181, 30)

NAMES = ("along the concept, after", "how far it moves", "along the concept, before")
"""Of the lines; the first two have the first two inks."""

TICKS = {
    **{180: "180°\nopposite", 150: "", 120: "120°", 90: "90°\northogonal"},
    **{60: "60°", 30: "30°", 0: "0°\naligned"},
}
"""Angles below the panel; at 150° there is no room for words."""


@redrawable
def plot_edit_polar(
    edits: Mapping[str, Edit],
    direction: ArrayLike,
    theme: ThemeName = "light",
    title: str | None = None,
) -> Figure:
    """What edits do to unit vectors, by their angle from the concept; a row for each edit.

    At the left a plane through the concept, which points up: the circle is what goes in, the shape
    what comes out, with a thread from one to the other every ten degrees; the petal's length is how
    far a vector of that angle moves. At the right the same against alignment, the cosine: how much
    points along the concept before and after, and how far it moves.

    In more than two dimensions the plane holds the concept and the axis farthest from it; what
    leaves the plane is seen from straight above, and moves as far as it does.

    Args:
        edits: By what to call each: latents ``(n, dim)`` to latents of the same shape.
        direction: The concept's ``(dim,)``, of any length but 0.
        theme: Inks for a light or a dark page.
        title: Above all panels.

    Returns:
        The figure, known to pyplot.

    Raises:
        ValueError: There is no edit, one changes the shape or gives what is not finite, the
            direction has fewer than two dimensions or points nowhere, or there is no such theme.

    Examples:
        >>> import matplotlib.pyplot as plt
        >>> from latent_anchors.interventions import Suppression
        >>> figure = plot_edit_polar({"muted": Suppression([1, 0])}, [1, 0])
        >>> [axes.get_ylabel() for axes in figure.axes]
        ['muted', '']
        >>> plt.close(figure)
    """
    check_count("number of edits", len(edits))
    plane = plane_of(as_direction(torch.from_numpy(as_array("direction", direction, "dim"))))
    circle = np.stack([np.sin(np.radians(DEGREES)), np.cos(np.radians(DEGREES))], axis=-1)
    after = {name: through(name, edit, circle, plane) for name, edit in edits.items()}
    height = HEIGHT * len(after) + (0.0 if title is None else 0.4)
    words = f"How far edits move unit vectors, by their angle from the concept. {reaches(after)}"
    figure, inks = new_figure(theme, 9.0, height, title, words)
    rows = figure.subplots(len(after), 2, squeeze=False, width_ratios=(3, 4))
    for (left, right), (name, (out, moved)) in zip(rows, after.items(), strict=True):
        draw_lobe(left, inks, circle, out, moved)
        left.set_ylabel(name, color=inks.ink, fontsize=NORMAL)
        draw_alignment(right, inks, circle[:, 1], out[:, 1], moved)
    return figure


def plane_of(direction: Direction) -> Latents:
    """Two rows: at a right angle to a unit vector, along the axis farthest from it; and itself."""
    if len(direction) < 2:
        raise ValueError(
            f"direction has {len(direction)} dimension; expected two or more, for a plane to look "
            "at. Give the edit that acts on several."
        )
    across = torch.zeros_like(direction)
    across[direction.abs().argmin()] = 1.0
    return torch.stack([as_direction(across - direction @ across * direction), direction])


def through(name: str, edit: Edit, circle: Array, plane: Latents) -> tuple[Array, Array]:
    """What an edit makes of unit vectors in a plane ``(n, 2)``, and how far it moves them."""
    z = (torch.from_numpy(circle) @ plane).to(torch.get_default_dtype())
    with torch.no_grad():
        edited = as_array(f"what edits[{name!r}] gives", edit(z), *z.shape)
    return edited @ plane.numpy().T, np.linalg.norm(edited - z.double().numpy(), axis=1)


def reaches(after: Mapping[str, tuple[Array, Array]]) -> str:
    """How far each edit moves what is aligned, orthogonal and opposite."""
    at = {"aligned": len(DEGREES) // 2, "orthogonal": 3 * len(DEGREES) // 4, "opposite": -1}
    each = {
        name: [f"{moved[k].round(2):g} where {how}" for how, k in at.items()]
        for name, (_, moved) in after.items()
    }
    return " ".join(f"{name}: {joined(parts)}." for name, parts in each.items())


def draw_lobe(axes: Axes, inks: Theme, circle: Array, out: Array, moved: Array) -> None:
    """The circle, what becomes of it, threads between them, and the petal."""
    dress(axes, inks)
    petal = circle * moved[:, None]
    for shape, color in ((out, inks.lines[0]), (petal, inks.lines[1])):
        axes.fill(*shape.T, facecolor=color, alpha=0.16, linewidth=0)
        axes.plot(*shape.T, color=color, linewidth=1.8)
    axes.plot(*circle.T, color=inks.faint, linewidth=0.8, zorder=1.5)
    threads = np.stack([circle[THREADS], out[THREADS]], axis=1)
    axes.add_collection(LineCollection([*threads], colors=inks.ink, linewidths=0.6, alpha=0.7))
    dots: dict[str, Any] = {"edgecolors": inks.page, "linewidths": 0.6, "zorder": 3}
    axes.scatter(*out[THREADS].T, s=14, c=inks.lines[0], **dots)
    reach = max(1.25, 1.05 * float(np.abs([out, petal]).max()))
    style: dict[str, Any] = {"color": inks.faint, "fontsize": SMALL, "ha": "center"}
    style |= {"path_effects": halo(inks), "va": "center"}
    for angle in SPOKES:
        x, y = (1 + 0.12 * reach) * np.array([np.sin(np.radians(angle)), np.cos(np.radians(angle))])
        axes.text(x, y, f"{abs(angle)}°" if angle else "concept", **style)
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", xticks=[], yticks=[])


def draw_alignment(axes: Axes, inks: Theme, before: Array, after: Array, moved: Array) -> None:
    """What is left along the concept and how far vectors move, against their alignment."""
    dress(axes, inks)
    low, high = min(-1.0, float(after.min())), max(1.0, float(moved.max()), float(after.max()))
    axes.set(xlim=(-1, 1), ylim=(low - 0.05, high + 0.05))
    axes.set_xticks(np.cos(np.radians([*TICKS])), [*TICKS.values()])
    axes.grid(color=inks.calm, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.locator_params(axis="y", nbins=5)
    axes.plot([-1, 1], [-1, 1], "--", color=inks.faint, linewidth=1, zorder=1.9)
    for color, line, width in zip(inks.lines, (after, moved), (2.8, 1.6), strict=False):
        axes.plot(before, line, color=color, linewidth=width, clip_on=False)
    middle = len(before) // 2
    ends = {
        name: (1.0, float(line[middle]))
        for name, line in zip(NAMES, (after, moved, before), strict=True)
    }
    name_ends(axes, replace(inks, lines=(*inks.lines[:2], inks.faint)), ends, HEIGHT)
