"""Latents that move as a training moves them."""

from collections.abc import Callable, Sequence

from matplotlib.animation import FuncAnimation
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from latent_anchors._checks import check_between, check_count
from latent_anchors.viz._arrays import Array, counted, edges
from latent_anchors.viz._plot_latents import (
    PANEL,
    View,
    check_view,
    draw_compass,
    draw_disc,
    draw_points,
    reach_of,
)
from latent_anchors.viz._plot_snapshots import as_frames
from latent_anchors.viz._redrawing import plain, redrawable
from latent_anchors.viz._themes import SMALL, Theme, ThemeName, dress, new_figure

TIME = 0.3
"""Inches below the spheres, for the step and a bar that grows with it."""

FASTEST, SLOWEST = 0.02, 60.0
"""Seconds a frame: browsers slow down what is faster."""


class Motion(FuncAnimation):
    """A figure that moves: matplotlib's animation, with its figure and its length at hand.

    :func:`save_figures` writes it as GIF; in a notebook
    ``IPython.display.HTML(motion.to_jshtml())`` plays it.

    Args:
        figure: What moves.
        show: Brings it to a frame.
        frames: How many there are.
        seconds: How long they take together.

    Attributes:
        figure: What moves; its label says in words what there is to see.
        show: Brings it to a frame.
        frames: How many there are.
        seconds: How long they take together.

    Examples:
        >>> import matplotlib.pyplot as plt
        >>> motion = animate_latents([[[0, 0, 0]], [[1, 0, 0]]], [[1, 0, 0]], steps=[1, 2])
        >>> motion.frames, motion.seconds
        (2, 6.0)
        >>> motion.figure.canvas.draw()
        >>> plt.close(motion.figure)
    """

    def __init__(
        self, figure: Figure, show: Callable[[int], None], frames: int, seconds: float
    ) -> None:
        super().__init__(figure, show, frames=frames, interval=round(1000 * seconds / frames))
        self.figure: Figure = figure
        self.show: Callable[[int], None] = show
        self.frames: int = frames
        self.seconds: float = seconds


@redrawable
def animate_latents(
    frames: ArrayLike,
    colors: ArrayLike,
    steps: Sequence[int],
    views: Sequence[View] = ((1, 0, 2),),
    seconds: float = 6.0,
    theme: ThemeName = "light",
    title: str | None = None,
) -> Motion:
    """The latent sphere over a training, each point in its own color, with the step below.

    Such as `training.Snapshots` remembers them: ``snapshots.latents[:, 0]`` of the first run, at
    ``snapshots.steps``. For print there is `plot_snapshots`.

    Args:
        frames: Latents of one run, moment by moment, ``(frames, n, dim)``.
        colors: What they are latents of, RGB ``(n, 3)`` from 0 to 1; they fill the points.
        steps: When each frame was taken, increasing.
        views: The dimensions that point right, up and toward the viewer, as in `plot_latents`; a
            panel each.
        seconds: How long all frames take together, each from 0.02 to 60; a GIF rests at the last
            for two seconds.
        theme: Inks for a light or a dark page.
        title: Above all panels.

    Returns:
        The animation, whose figure is known to pyplot. Keep it as long as it is to move.

    Raises:
        ValueError: A shape does not fit, a number is not finite or no color, steps do not increase,
            a view names a dimension twice or one that is not there, there is no view or no such
            theme, or it would go too fast or too slowly.

    Examples:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from latent_anchors.viz import save_figures
        >>> motion = animate_latents([[[0, 0, 0]], [[1, 0, 0]]], [[1, 0, 0]], steps=[1, 2])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save_figures({"red": motion}, Path(folder))
        ...     [path.name for path in Path(folder).iterdir()]
        ['red.gif']
    """
    z, fill, at = as_frames(frames, colors, steps)
    check_count("number of views", len(views))
    for view in views:
        check_view(view, z.shape[2])
    check_between("seconds", seconds, FASTEST * len(z), SLOWEST * len(z))
    words = f"{counted(len(fill), 'color')} moving in latent space from step {at[0]:,.0f} to "
    words += f"{at[-1]:,.0f}; at last {edges(z[-1], fill, views[0])}."
    height = PANEL + TIME + (0.0 if title is None else 0.4)
    figure, inks = new_figure(theme, PANEL * len(views), height, title, words)
    cells = figure.add_gridspec(2, len(views), height_ratios=(PANEL, TIME))
    panels = [figure.add_subplot(cells[0, k]) for k in range(len(views))]
    for axes, view in zip(panels, views, strict=True):
        draw_disc(axes, inks, reach_of(z, view))
        draw_compass(axes, inks, view)
    move_time = draw_time(figure.add_subplot(cells[1, :]), inks, at)
    plain(figure)
    # laid out once: the frames would tremble
    figure.draw_without_rendering()
    figure.set_layout_engine("none")

    def show(k: int) -> None:
        for axes, view in zip(panels, views, strict=True):
            for points in axes.collections:
                points.remove()
            draw_points(axes, inks, z[k], fill, None, view)
        move_time(k)

    show(len(z) - 1)
    return Motion(figure, show, len(z), seconds)


def draw_time(axes: Axes, inks: Theme, at: Array) -> Callable[[int], None]:
    """A bar and the step above it; gives what brings both to a frame."""
    dress(axes, inks)
    axes.set(xlim=(at[0], max(at[-1], at[0] + 1)), ylim=(0, 1), xticks=[], yticks=[])
    axes.axhspan(0.0, 0.12, color=inks.calm, linewidth=0)
    (bar,) = axes.plot([], [], color=inks.faint, linewidth=2.6, solid_capstyle="butt")
    caption = axes.text(0.5, 0.25, "", color=inks.ink, fontsize=SMALL, transform=axes.transAxes)
    caption.set(ha="center", va="bottom")

    def move(k: int) -> None:
        bar.set_data([at[0], at[k]], [0.06, 0.06])
        caption.set_text(f"step {at[k]:,.0f}")

    return move
