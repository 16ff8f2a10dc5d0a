"""Logarithmic axes, or linear near 0 and logarithmic beyond, with plain numbers beside them."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import (
    FixedLocator,
    FuncFormatter,
    LogLocator,
    NullFormatter,
    NullLocator,
)

from latent_anchors.viz._arrays import Array

ROOM = 0.08
"""Share of the panel between its edges and what is outermost."""

DECADES = 2
"""From the greatest value down to where the axis becomes linear, at most."""

TICKS = 9
"""Numbers beside the axis, at most, before those between powers of ten go."""

SLACK = 1 + 1e-9
"""What rounding may take from a tick at the end of the axis."""

TIMES = {False: (1.0,), True: (1.0, 3.0)}
"""Where numbers stand in a decade: at its start, and if there is room in its middle."""


def number_plainly(axis: Axis) -> None:
    """Numbers beside a logarithmic axis; within a decade, also between powers of ten."""
    low, high = axis.get_view_interval()
    plain = FuncFormatter(plain_number)
    axis.set_major_formatter(plain)
    axis.set_minor_formatter(plain if high < 10 * low else NullFormatter())


def number_low_panel(axis: Axis) -> None:
    """Numbers beside a low logarithmic panel: powers of ten, or 1, 2 and 5 if those are few."""
    low, high = axis.get_view_interval()
    if high < 100 * low:
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axis.set_major_formatter(FuncFormatter(plain_number))
    axis.set_minor_formatter(NullFormatter())


def linear_up_to(values: Array) -> float:
    """A power of ten that is at most the least size, but for those far below the greatest."""
    sizes = np.abs(values[np.isfinite(values) & (values != 0)])
    if not len(sizes):
        return 1.0
    low, high = np.floor(np.log10([sizes.min(), sizes.max()]))
    return float(10 ** max(low, high - DECADES))


def scale_upward(axes: Axes, values: Array, threshold: float) -> None:
    """An axis that holds all values, none and the threshold, with plain numbers beside it."""
    axes.set_yscale("symlog", linthresh=threshold)
    ends = min(0.0, np.nanmin(values)), max(threshold, np.nanmax(values))
    scale = axes.yaxis.get_transform()
    low, high = scale.transform(np.array(ends))
    room = ROOM * (high - low)
    axes.set_ylim(*scale.inverted().transform(np.array([low - room, high + room])))
    axes.yaxis.set_major_locator(FixedLocator(ticks_between(*ends, threshold)))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(plain_number))


def ticks_between(low: float, high: float, threshold: float) -> list[float]:
    """0, the threshold, and from there on decades, on either side, with their middles if few."""
    decades = int(np.ceil(np.log10(max(-low, high) / threshold))) + 1
    for middles in (True, False):
        sizes = [threshold * 10.0**k * times for k in range(decades) for times in TIMES[middles]]
        ticks = [*(-size for size in reversed(sizes)), 0.0, *sizes]
        ticks = [tick for tick in ticks if low * SLACK <= tick <= high * SLACK]
        if len(ticks) <= TICKS:
            break
    return ticks


def plain_number(y: float, _place: int | None = None) -> str:
    """Without powers of ten, and with a minus sign as wide as a plus."""
    digits = np.format_float_positional(y, precision=9, fractional=False, trim="-")
    return digits.replace("-", "\N{MINUS SIGN}")
