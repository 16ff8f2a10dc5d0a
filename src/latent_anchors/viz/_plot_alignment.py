"""Where in a network's depth, and at which token, a concept lies."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from latent_anchors._checks import check_count
from latent_anchors.viz._arrays import Array, as_array
from latent_anchors.viz._reconstructions import name_ticks
from latent_anchors.viz._redrawing import redrawable
from latent_anchors.viz._responses import grid_of
from latent_anchors.viz._texts import text_width
from latent_anchors.viz._themes import SMALL, Theme, ThemeName, dress, new_figure

COLUMN, ROW, AROUND = 0.6, 0.62, 0.55
"""Inches: from one position to the next, from one layer to the next, and for words around them."""

DISC = 22.0
"""Points across, of a disc that stands for a cosine of 1."""

BELOW = 0.41
"""Of a row, from a disc's center to its number."""


@redrawable
def plot_alignment(
    cosines: Mapping[str, ArrayLike],
    layers: Sequence[str],
    positions: Sequence[str],
    theme: ThemeName = "light",
    title: str | None = None,
) -> Figure:
    """Cosine with an anchor, layer by layer and token by token, a panel for each kind of lines.

    The first layer is the top row, and the first token the left column. A disc's area is the
    cosine: full if it points along the anchor, hollow if it points the other way. Below each stands
    the number. Of several runs both are the mean.

    Args:
        cosines: By the kind of lines, from -1 to 1: of one run ``(layers, positions)``, or of
            several ``(runs, layers, positions)``.
        layers: What to call each, from the first to the last.
        positions: What stands there.
        theme: Inks for a light or a dark page.
        title: Above all panels.

    Returns:
        The figure, known to pyplot.

    Raises:
        ValueError: There is no kind of lines, a shape does not fit, a number is not finite or no
            cosine, or there is no such theme.

    Examples:
        >>> import matplotlib.pyplot as plt
        >>> red_first = [[0.9, 0.0], [0.8, -0.1]]
        >>> figure = plot_alignment({"red first": red_first}, ["embedding", "block"], ["a", "="])
        >>> figure.get_label()
        'Cosine with the anchor by layer and token. Red first: 0.90 at most, at a, embedding.'
        >>> plt.close(figure)
    """
    check_count("number of kinds of lines", len(cosines))
    names = [*layers], [*positions]
    means = {kind: mean_of(f"cosines[{kind!r}]", given, *names) for kind, given in cosines.items()}
    beside = AROUND + max(text_width(layer, SMALL) for layer in layers) / 72
    rows, across = grid_of(len(means), COLUMN * len(positions) + AROUND)
    wide = beside + across * (COLUMN * len(positions) + AROUND / 2)
    tall = rows * (ROW * len(layers) + AROUND) + (0.2 if title is None else 0.6)
    words = " ".join(summit(kind, mean, *names) for kind, mean in means.items())
    words = f"Cosine with the anchor by layer and token. {words}"
    figure, inks = new_figure(theme, wide, tall, title, words)
    panels = [*figure.subplots(rows, across, squeeze=False, sharey=True).flat]
    for spare in panels[len(means) :]:
        spare.remove()
    for axes, (kind, mean) in zip(panels, means.items(), strict=False):
        dress(axes, inks, kind)
        draw_alignment(axes, inks, mean)
        axes.set_yticks(*name_ticks(names[0]))
        axes.set_xticks(*name_ticks(names[1]))
    figure.supxlabel("disc: cosine with the anchor, hollow below 0", color=inks.ink, fontsize=SMALL)
    return figure


def mean_of(name: str, values: ArrayLike, layers: Sequence[str], positions: Sequence[str]) -> Array:
    """Over runs, ``(layers, positions)``."""
    shape = len(layers), len(positions)
    several = np.ndim(values) == 3
    given = as_array(name, values, *(("runs",) if several else ()), *shape)
    if np.abs(given).max() > 1.01:  # by rounding, the more in half precision
        raise ValueError(
            f"{name} reaches from {given.min():.3g} to {given.max():.3g}; expected cosines, from "
            "-1 to 1. Compute them with evaluation.alignment."
        )
    return given.reshape(-1, *shape).mean(0)


def summit(kind: str, mean: Array, layers: Sequence[str], positions: Sequence[str]) -> str:
    """The greatest cosine, and where it is."""
    layer, position = divmod(int(mean.argmax()), len(positions))
    where = f"{positions[position]}, {layers[layer]}".replace("_", " ")
    return f"{kind[:1].upper()}{kind[1:]}: {mean.max():.2f} at most, at {where}."


def draw_alignment(axes: Axes, inks: Theme, mean: Array) -> None:
    """For each layer and position a disc, whose area is the cosine, and the number below.

    The first layer is at the top; a disc is hollow where the cosine is negative.
    """
    layers, positions = mean.shape
    axes.set_facecolor(inks.calm)  # keeps panels apart
    axes.set(xlim=(-0.5, positions - 0.5), ylim=(layers - 0.4, -0.5))
    down, across = (each.ravel() for each in np.indices(mean.shape))
    fill = [inks.ink if cosine > 0 else "none" for cosine in mean.flat]
    style: dict[str, Any] = {"edgecolors": inks.ink, "linewidths": 0.8}
    axes.scatter(across, down, s=np.abs(mean).ravel() * DISC**2, c=fill, **style)
    style = {"color": inks.faint, "fontsize": SMALL, "ha": "center", "va": "center"}
    for (row, column), cosine in np.ndenumerate(mean):
        axes.text(column, row + BELOW, f"{cosine:z.2f}".replace("-", "\u2212"), **style)
