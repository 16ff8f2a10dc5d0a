"""Tracks as lines, named where they end, with marks for keyframes, phases and events."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from latent_anchors.curriculum import Phase, Timeline
from latent_anchors.viz._arrays import Array, alone
from latent_anchors.viz._log_axes import number_low_panel
from latent_anchors.viz._scales import levels, spread
from latent_anchors.viz._texts import text_width
from latent_anchors.viz._themes import SMALL, Theme, dress

FINE = 4000
"""Steps at which a line is drawn, besides its keyframes."""

KEYS = 24
"""Keyframes of a track that a person set, at most; what a play turned out to be may have more."""

LONE = 3.5
"""Points across a dot where a line would show nothing."""

THICK, THIN = 3.0, 1.4
"""Points: of lines that run together the first is seen on either side of the last."""

BESIDE = 1.03
"""Where names stand, right of a panel whose width is 1."""

MARGIN = 1.3
"""Factor between the outermost values of a logarithmic panel and its edges."""

NAME = 1.5 * SMALL / 72
"""Inches from one name to the next."""


def sampled(timeline: Timeline, steps: int) -> tuple[Array, dict[str, Array]]:
    """Steps and each track's values there: enough for every bend and jump."""
    keyed = {key.step for name in timeline.names for key in timeline[name].keyframes}
    shown = {*np.linspace(0, steps - 1, min(steps, FINE)).round(), *keyed, *(k - 1 for k in keyed)}
    at = np.array(sorted(step for step in shown if 0 <= step < steps), dtype=np.float64)
    table = timeline.table(at)
    return at, {name: table[:, k] for k, name in enumerate(timeline.names)}


def draw_lines(axes: Axes, inks: Theme, at: Array, values: Mapping[str, Array]) -> None:
    """A line for each track, later ones thinner and on top."""
    widths = np.linspace(THICK, THIN, len(values) + 1)[1:]
    for width, color, track in zip(widths, inks.lines, values.values(), strict=False):
        axes.plot(at, track, color=color, linewidth=width, solid_capstyle="round")


def draw_dashes(axes: Axes, inks: Theme, at: Array, values: Mapping[str, Array]) -> None:
    """The same tracks as they were planned, under the lines."""
    for color, track in zip(inks.lines, values.values(), strict=False):
        axes.plot(at, track, "--", color=color, linewidth=1.2, zorder=1.9)


def draw_alone(axes: Axes, at: Sequence[float | int] | Array, runs: Array, color: str) -> None:
    """Dots at values without a neighbor, which a line would not show, ``(steps, ...)``."""
    y = alone(runs)
    if np.isfinite(y).any():
        x = np.broadcast_to(np.reshape(at, (-1, *[1] * (y.ndim - 1))), y.shape)
        axes.scatter(x, y, s=LONE**2, color=color, linewidths=0, clip_on=False)


def draw_keys(axes: Axes, inks: Theme, timeline: Timeline, names: list[str]) -> None:
    """Keyframes as dots on the lines; none where so many keys are but the values of steps."""
    style: dict[str, Any] = {"markeredgecolor": inks.page, "markeredgewidth": 0.8, "zorder": 2.5}
    for color, name in zip(inks.lines, names, strict=False):
        keys = timeline[name].keyframes
        if len(keys) <= KEYS:
            x, y = [key.step for key in keys], [key.value for key in keys]
            axes.plot(x, y, "o", color=color, markersize=5, clip_on=False, **style)


def dress_panel(axes: Axes, inks: Theme, values: Array, logarithmic: bool) -> None:
    """Faint lines across, and an axis that holds all values; that of weights holds 0."""
    dress(axes, inks)
    low, high = float(values.min()), float(values.max())
    if logarithmic:
        axes.set(yscale="log", ylim=(low / MARGIN, high * MARGIN))
        number_low_panel(axes.yaxis)
    else:
        low, high = min(low, 0.0), max(high, 0.0)
        room = 0.06 * (high - low) or 1.0
        axes.set_ylim(low - room, high + room)
        axes.locator_params(axis="y", nbins=4)
    axes.yaxis.get_offset_text().set(size=SMALL, color=inks.ink)
    axes.grid(axis="y", color=inks.calm, linewidth=0.8)
    axes.set_axisbelow(True)


def dress_steps(axes: Axes, inks: Theme, steps: int, words: str) -> None:
    """What the steps are called, below all panels."""
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.tick_params(axis="x", labelbottom=True)
    axes.set_xlabel(words, color=inks.ink, fontsize=SMALL)
    room = 0.01 * max(steps - 1, 1)
    axes.set_xlim(-room, steps - 1 + room)


def name_ends(
    axes: Axes, inks: Theme, ends: Mapping[str, tuple[float, float]], tall: float
) -> None:
    """Each line's name at the right, tied to its end by a thread in its color."""
    bottom, top = (axes.transScale.transform((1, y))[1] for y in axes.get_ylim())
    heights = {
        name: (axes.transScale.transform(end)[1] - bottom) / (top - bottom)
        for name, end in ends.items()
    }
    order = sorted(ends, key=lambda name: heights[name])
    places = dict(zip(order, spread([heights[name] for name in order], NAME / tall), strict=True))
    thread: dict[str, Any] = {"arrowstyle": "-", "linewidth": 1.2, "shrinkA": 2, "shrinkB": 0}
    style: dict[str, Any] = {"fontsize": SMALL, "va": "center", "annotation_clip": False}
    for color, (name, end) in zip(inks.lines, ends.items(), strict=False):
        axes.annotate(
            name,
            end,
            (BESIDE, places[name]),
            textcoords="axes fraction",
            color=inks.ink,
            arrowprops=thread | {"color": color, "relpos": (0, 0.5)},
            **style,
        )


LEVEL = 0.27
"""Inches of a line of phases or actions."""

BOX = 4.0
"""Points between a phase's name and the edge of its box."""


def phase_places(
    phases: Sequence[Phase], steps: int, wide: float, margin: float
) -> list[tuple[int, float]]:
    """Where the names of phases do not touch, on panels of so many points, with a margin.

    The level of each, and by how many points it moves to the left so that it stays on the page.
    """
    widths = [text_width(phase.name, SMALL, "bold") + 4 * BOX for phase in phases]
    starts = [phase.start / max(steps - 1, 1) * wide for phase in phases]
    begins = [
        min(start, wide + margin - width) for start, width in zip(starts, widths, strict=True)
    ]
    shifts = [start - begin for start, begin in zip(starts, begins, strict=True)]
    return [*zip(levels(begins, widths), shifts, strict=True)]


def draw_phases(
    axes: Axes, inks: Theme, phases: Sequence[Phase], places: Sequence[tuple[int, float]]
) -> None:
    """Names in boxes, each at the line where its phase begins."""
    dress(axes, inks)
    axes.tick_params(labelleft=False, labelbottom=False)
    axes.set_ylim(0, 1 + max(level for level, _ in places))
    box: dict[str, Any] = {"boxstyle": "round,pad=0.3", "linewidth": 0.8}
    style: dict[str, Any] = {"fontsize": SMALL, "fontweight": "bold", "va": "center"}
    style |= {"textcoords": "offset points", "annotation_clip": False}
    style |= {"bbox": box | {"facecolor": inks.calm, "edgecolor": inks.faint}, "color": inks.ink}
    for phase, (level, shift) in zip(phases, places, strict=True):
        line = [phase.start, phase.start], [0, level + 0.5]
        axes.plot(*line, color=inks.faint, linewidth=0.8, clip_on=False)
        axes.annotate(phase.name, (phase.start, level + 0.5), (BOX - shift, 0), **style)


def draw_starts(axes: Axes, inks: Theme, timeline: Timeline, planned: Timeline) -> None:
    """Where phases begin, as gray lines through a panel; dashed where they should have."""
    begun = {phase.start for phase in timeline.phases}
    meant = {phase.start for phase in planned.phases} - begun
    for starts, line in ((begun, "-"), (meant, "--")):
        for start in sorted(starts):
            axes.axvline(start, color=inks.faint, linewidth=0.8, linestyle=line, zorder=1.5)


def actions_of(timeline: Timeline) -> dict[str, list[int]]:
    """The steps of each action, by name."""
    steps: dict[str, list[int]] = {}
    for step, names in timeline.actions_by_step.items():
        for name in names:
            steps.setdefault(name, []).append(step)
    return steps


def draw_actions(
    axes: Axes, inks: Theme, taken: dict[str, list[int]], planned: dict[str, list[int]]
) -> None:
    """A row of triangles for each action, hollow where it was planned and not taken, and a name."""
    dress(axes, inks)
    names = [*dict.fromkeys((*taken, *planned))]
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.tick_params(labelleft=False)
    style: dict[str, Any] = {"marker": "^", "edgecolors": inks.ink, "clip_on": False}
    words: dict[str, Any] = {"fontsize": SMALL, "va": "center", "annotation_clip": False}
    words |= {"textcoords": "offset points", "color": inks.ink}
    for row, name in enumerate(names):
        done = taken.get(name, [])
        missed = [step for step in planned.get(name, []) if step not in done]
        for steps, fill in ((missed, "none"), (done, inks.ink)):
            axes.scatter(steps, [row] * len(steps), s=36, facecolors=fill, linewidths=0.8, **style)
        axes.annotate(name, (max(done + missed), row), (8, 0), **words)
