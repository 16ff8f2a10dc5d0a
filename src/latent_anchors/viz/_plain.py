"""Texts are drawn as they are: a dollar sign in a name begins no mathematics."""

from weakref import WeakSet

from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import FixedFormatter, FuncFormatter

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
