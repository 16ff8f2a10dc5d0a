"""What else a timeline holds: phases above its panels, actions below them."""

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath

from latent_anchors.curriculum import Phase, Timeline
from latent_anchors.viz._scales import levels
from latent_anchors.viz._themes import SMALL, Theme, dress

LEVEL = 0.27
"""Inches of a line of phases or actions."""

BOX = 4.0
"""Points between a phase's name and the edge of its box."""


def text_width(words: str, weight: str = "normal") -> float:
    """Points, of the longest line; 0 where there is nothing to be seen."""
    font = FontProperties(weight=weight)
    # A path of words sets mathematics between dollar signs, but for those behind a backslash.
    lines = [line.replace("$", r"\$") for line in words.splitlines() if line.strip()]
    paths = [TextPath((0, 0), line, SMALL, prop=font) for line in lines]
    return max((float(path.get_extents().width) for path in paths), default=0.0)


def phase_places(
    phases: Sequence[Phase], steps: int, wide: float, margin: float
) -> list[tuple[int, float]]:
    """Where the names of phases do not touch, on panels of so many points, with a margin.

    The level of each, and by how many points it moves to the left so that it stays on the page.
    """
    widths = [text_width(phase.name, "bold") + 4 * BOX for phase in phases]
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
