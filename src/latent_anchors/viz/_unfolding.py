"""Latents at several moments of a training, side by side."""

from collections.abc import Mapping

from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from latent_anchors._checks import check_count
from latent_anchors.viz._arrays import as_array, as_colors
from latent_anchors.viz._latents import PANEL, View, check_view, draw_sphere
from latent_anchors.viz._themes import NORMAL, ThemeName, new_figure


def plot_unfolding(
    moments: Mapping[str, ArrayLike],
    colors: ArrayLike,
    view: View = (1, 0, 2),
    theme: ThemeName = "light",
    title: str | None = None,
) -> Figure:
    """The same colors' latents at several moments, a panel each, all from one side.

    Args:
        moments: By what to call each: latents of one run, ``(n, dim)``.
        colors: What they are latents of, RGB ``(n, 3)`` from 0 to 1; they fill the points.
        view: The dimensions that point right, up and toward the viewer, as in `plot_latents`.
        theme: Inks for a light or a dark page.
        title: Above all panels.

    Returns:
        The figure, known to pyplot.

    Raises:
        ValueError: A shape does not fit, a number is not finite or no color, the view names a
            dimension twice or one that is not there, there is no moment, or no such theme.

    Examples:
        >>> import matplotlib.pyplot as plt
        >>> figure = plot_unfolding({"before": [[0, 0, 0]], "after": [[1, 0, 0]]}, [[1, 0, 0]])
        >>> [axes.get_title() for axes in figure.axes]
        ['before', 'after']
        >>> plt.close(figure)
    """
    check_count("number of moments", len(moments))
    latents = {name: as_array(f"moments[{name!r}]", z, "n", "dim") for name, z in moments.items()}
    height = PANEL + (0.3 if title is None else 0.7)
    figure, inks = new_figure(theme, PANEL * len(latents), height, title)
    panels = figure.subplots(1, len(latents), squeeze=False).flat
    for axes, (name, z) in zip(panels, latents.items(), strict=True):
        check_view(view, z.shape[1])
        draw_sphere(axes, inks, z, as_colors("colors", colors, len(z)), None, view)
        axes.set_title(name, color=inks.ink, fontsize=NORMAL)
    return figure
