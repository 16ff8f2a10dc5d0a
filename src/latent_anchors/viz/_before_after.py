"""A concept before and after it was muted, on one wide figure."""

from collections.abc import Mapping

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike

from latent_anchors._checks import check_count
from latent_anchors._vectors import as_direction
from latent_anchors.colorspace import COLOR_NAMES, hue_of, named_colors
from latent_anchors.viz._arrays import Array, as_array, as_colors, joined
from latent_anchors.viz._hue_errors import as_errors, draw_errors, peaks
from latent_anchors.viz._plot_latents import View, check_view, draw_sphere
from latent_anchors.viz._reconstructions import name_ticks
from latent_anchors.viz._redrawing import redrawable
from latent_anchors.viz._themes import NORMAL, SMALL, Theme, ThemeName, dress, new_figure

MID_GRAY = 0.5

ABOVE = 1.2
"""Room above the sphere, where the anchor is named, as a factor."""

STRIP = 0.55
"""Inches of a row of patches."""

PATCH = 0.46
"""Half of a patch's width and height, where patches are 1 apart."""


@redrawable
def plot_before_after(
    concept: str,
    *,
    anchor: ArrayLike,
    z: ArrayLike,
    colors: ArrayLike,
    outputs: Mapping[str, ArrayLike],
    hues: ArrayLike,
    errors: Mapping[str, ArrayLike],
    view: View = (1, 0, 2),
    theme: ThemeName = "light",
    title: str | None = None,
) -> Figure:
    """Where a concept was put, what comes out with and without it, and the error of every hue.

    At the left the latent sphere, with an arrow at the anchor; at the right the error by hue, the
    concept in the middle, with the error of showing it as mid-gray for comparison; below, the
    seventeen named colors as they come out under each condition, the true color inset. Of several
    runs each named color shows all, as layers.

    Args:
        concept: One of the twelve hues.
        anchor: Its direction ``(dim,)``.
        z: Latents of one run, ``(n, dim)``.
        colors: What they are latents of, RGB ``(n, 3)`` from 0 to 1.
        outputs: By the name of the condition, what comes out for `COLOR_NAMES`, RGB from 0 to 1: of
            one run ``(17, 3)``, or of several ``(runs, 17, 3)``.
        hues: Where the errors were measured, in turns, ``(n,)``.
        errors: By the name of the condition: of one run ``(n,)``, or of several ``(runs, n)``.
        view: Of the sphere, as in `plot_latents`.
        theme: Inks for a light or a dark page.
        title: Above everything: what there is to see.

    Returns:
        The figure, known to pyplot.

    Raises:
        ValueError: A shape does not fit, a number is not finite or no color, or there is no such
            hue, view or theme, or no condition.

    Examples:
        >>> import matplotlib.pyplot as plt
        >>> named = named_colors(*COLOR_NAMES)
        >>> figure = plot_before_after(
        ...     "red",
        ...     anchor=[1, 0, 0],
        ...     z=[[1, 0, 0], [0, 1, 0]],
        ...     colors=[[1, 0, 0], [0, 1, 1]],
        ...     outputs={"as trained": named, "inverted": 1 - named},
        ...     hues=[0, 0.5],
        ...     errors={"as trained": [0, 0], "inverted": [1, 1]},
        ... )
        >>> [axes.get_title() for axes in figure.axes][:2]
        ['Where colors lie', 'Error of each hue']
        >>> plt.close(figure)
    """
    latents = as_array("z", z, "n", "dim")
    fill = as_colors("colors", colors, len(latents))
    direction = as_direction(torch.from_numpy(as_array("anchor", anchor, latents.shape[1]))).numpy()
    check_view(view, latents.shape[1])
    check_count("number of outputs", len(outputs))
    layers = {name: as_layers(f"outputs[{name!r}]", given) for name, given in outputs.items()}
    turns, runs = as_errors(hues, errors)
    center = hue_of(concept)
    words = f"Where {concept} was put on the latent sphere; named colors as they come out "
    words += f"{joined([*layers])}; and errors by hue. {peaks(turns, runs)}"
    figure, inks = new_figure(theme, 9.0, 4.2 + STRIP * len(layers), title, words)
    cells = figure.add_gridspec(2, 2, width_ratios=(2.8, 5), height_ratios=(3, STRIP * len(layers)))
    sphere, wheel = figure.add_subplot(cells[0, 0]), figure.add_subplot(cells[0, 1])
    draw_sphere(sphere, inks, latents, fill, None, view)
    for axes, words in ((sphere, "Where colors lie"), (wheel, "Error of each hue")):
        axes.set_title(words, color=inks.ink, fontsize=NORMAL)
    draw_anchor(sphere, inks, f"{concept} was put here", direction[[*view]])
    reference = f"{concept} shown as mid-gray", distance_to_gray(concept)
    draw_errors(wheel, inks, turns, runs, reference, center, every=2)
    draw_strip(figure.add_subplot(cells[1, :]), inks, layers)
    return figure


def as_layers(name: str, values: ArrayLike) -> Array:
    """Named colors as they come out, ``(runs, 17, 3)``."""
    several = np.ndim(values) == 3
    colors = as_colors(name, values, *(("runs",) if several else ()), len(COLOR_NAMES))
    return colors.reshape(-1, len(COLOR_NAMES), 3)


def distance_to_gray(concept: str) -> float:
    """Mean squared error of showing a hue as mid-gray."""
    return float((named_colors(concept) - MID_GRAY).square().mean())


def draw_anchor(axes: Axes, inks: Theme, words: str, direction: Array) -> None:
    """An arrow from the words, above the sphere, to where the anchor is."""
    axes.set_ylim(top=ABOVE * axes.get_ylim()[1])
    axes.annotate(
        words,
        (direction[0], direction[1]),
        (0.5, 0.99),
        textcoords="axes fraction",
        color=inks.ink,
        fontsize=SMALL,
        ha="center",
        va="top",
        arrowprops={"arrowstyle": "-|>", "color": inks.ink, "linewidth": 1.0, "shrinkA": 1},
        zorder=3,
    )


def draw_strip(axes: Axes, inks: Theme, layers: Mapping[str, Array]) -> None:
    """A row of patches for each condition, each patch layered by run."""
    several = max(len(colors) for colors in layers.values()) > 1
    each = ", a layer for each run" if several else ""
    dress(axes, inks, f"What comes out{each}; the square is the true color")
    true = named_colors(*COLOR_NAMES).numpy()
    for row, colors in enumerate(layers.values()):
        for column in range(len(true)):
            ends = (column - PATCH, column + PATCH, row + PATCH, row - PATCH)
            axes.imshow(
                colors[:, [column]],
                extent=ends,
                interpolation="nearest",
                aspect="auto",
                origin="upper",
            )
            corner = (column - PATCH, row - PATCH)
            outline = Rectangle(corner, 2 * PATCH, 2 * PATCH, fill=False, edgecolor=inks.faint)
            outline.set_linewidth(0.5)
            axes.add_patch(outline)
        axes.scatter(range(len(true)), [row] * len(true), s=60, c=true, marker="s")
    axes.set(xlim=(-0.5, len(true) - 0.5), ylim=(len(layers) - 0.5, -0.5))
    axes.set_yticks(*name_ticks([*layers]))
    axes.set_xticks(*name_ticks(COLOR_NAMES))
