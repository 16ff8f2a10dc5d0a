"""Drawings that know how they were made, so that they can be made for another page."""

from collections.abc import Callable
from functools import partial, wraps
from inspect import signature
from typing import Any, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

from matplotlib.animation import FuncAnimation
from matplotlib.figure import Figure

from latent_anchors.viz._plain import plain
from latent_anchors.viz._themes import ThemeName
from latent_anchors.viz._unfinished import closed_unless_finished

Given = ParamSpec("Given")
Drawing = TypeVar("Drawing", bound=Figure | FuncAnimation)

_MADE: WeakKeyDictionary[Figure | FuncAnimation, Callable[..., Any]] = WeakKeyDictionary()


def redrawable(plot: Callable[Given, Drawing]) -> Callable[Given, Drawing]:
    """A function whose drawings :func:`redraw` can make again.

    What every drawing promises is seen to here: any name can be drawn, and one that does not come
    to its end leaves no figure open.
    """
    arguments_of = signature(plot)

    @wraps(plot)
    def drawn(*given: Given.args, **named: Given.kwargs) -> Drawing:
        def draw() -> Drawing:
            drawing = plot(*given, **named)
            if isinstance(drawing, Figure):
                plain(drawing)
            _MADE[drawing] = partial(drawn, **arguments_of.bind(*given, **named).arguments)
            return drawing

        return closed_unless_finished(draw)

    return drawn


def redraw(drawing: Drawing, theme: ThemeName) -> Drawing:
    """A figure, or an animation, once more from what it was made of, for a page of this theme.

    Args:
        drawing: What a function of this room gave.
        theme: Inks for a light or a dark page.

    Returns:
        Another figure or animation, known to pyplot.

    Raises:
        ValueError: It was made elsewhere, or there is no such theme.

    Examples:
        >>> import matplotlib.pyplot as plt
        >>> from latent_anchors.viz import plot_seeds
        >>> light = plot_seeds("error", {"muted": [0.1, 0.2]})
        >>> redraw(light, "dark").get_facecolor() == light.get_facecolor()
        False
        >>> plt.close("all")
    """
    if drawing not in _MADE:
        raise ValueError(
            f"How {drawing!r} was drawn is not known; expected what a function of viz gave. Draw "
            "it again with theme=."
        )
    return _MADE[drawing](theme=theme)
