"""Drawings that know how they were made, redrawn for another page; those not finished yet."""

from collections.abc import Callable, MutableMapping, MutableSequence, Sized
from copy import deepcopy
from functools import partial, wraps
from inspect import signature
from typing import Any, ParamSpec, TypeVar, cast
from weakref import WeakKeyDictionary, WeakSet

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib.animation import FuncAnimation
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import FixedFormatter, FuncFormatter
from torch import Tensor, nn

from latent_anchors.viz._themes import ThemeName

OWN = ("axes.prop_cycle", "lines.linestyle", "lines.marker", "scatter.marker")
"""What figures leave to matplotlib, whatever the global style says."""

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
            with plt.rc_context({name: mpl.rcParamsDefault[name] for name in OWN}):
                drawing = plot(*given, **named)
            if isinstance(drawing, Figure):
                plain(drawing)
            # the caller may go on filling a list or an array that was given
            kept = as_given(arguments_of.bind(*given, **named).arguments)
            _MADE[drawing] = partial(drawn, **kept)
            return drawing

        return closed_unless_finished(draw)

    return drawn


def as_given(value: Any) -> Any:
    """A copy that stays as it is; what is no data, such as a function, is the same."""
    if isinstance(value, Tensor):
        return value.detach().clone()
    if isinstance(value, nn.Module) or hasattr(value, "__array__"):
        return deepcopy(value)
    if isinstance(value, MutableMapping):
        mapping = cast("MutableMapping[Any, Any]", value)
        return {name: as_given(each) for name, each in mapping.items()}
    if isinstance(value, MutableSequence):
        return [as_given(each) for each in cast("MutableSequence[Any]", value)]
    if type(value) is tuple:
        return tuple(as_given(each) for each in cast("tuple[Any, ...]", value))
    return value


def content(figure: Figure) -> tuple[int, ...]:
    """How much is drawn, by kind: other numbers once something is added or taken away."""
    parts: list[Sized] = [figure.texts, figure.axes]
    for axes in figure.axes:
        parts += [axes.lines, axes.patches, axes.texts, axes.collections, axes.images]
    return tuple(len(part) for part in parts)


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


_MATHEMATICS: WeakSet[Text] = WeakSet()


def mathematics(text: Text) -> None:
    """Mark a text of this room's own that is meant to be set as mathematics."""
    _MATHEMATICS.add(text)


def plain(figure: Figure) -> None:
    """Neither mathematics nor TeX in any text, but for what was marked and for numbers on axes.

    It is said to each text, as matplotlib asks for it when a text is drawn, long after it was made.
    """
    texts = {*figure.findobj(Text)} - {*_MATHEMATICS}
    for text in texts - _numbers(figure):
        text.set_parse_math(False)
        text.set_usetex(False)


def _numbers(figure: Figure) -> set[Text]:
    """What matplotlib writes on axes by itself, such as powers of ten."""
    axes = [axis for each in figure.axes for axis in (each.xaxis, each.yaxis)]
    return {text for axis in axes if not _is_named(axis) for text in _labels(axis)}


def _is_named(axis: Axis) -> bool:
    return isinstance(axis.get_major_formatter(), FixedFormatter | FuncFormatter)


def _labels(axis: Axis) -> list[Text]:
    ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
    return [
        axis.get_offset_text(),
        *(text for tick in ticks for text in (tick.label1, tick.label2)),
    ]


Drawn = TypeVar("Drawn")


def closed_unless_finished(draw: Callable[[], Drawn]) -> Drawn:
    """What it gives; of what fails or is interrupted, pyplot keeps no figure."""
    others = plt.get_fignums()
    try:
        return draw()
    except BaseException:
        for number in {*plt.get_fignums()} - {*others}:
            plt.close(number)
        raise
