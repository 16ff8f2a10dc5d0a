"""A timeline at one look: its tracks by scale, its phases and its actions."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from latent_anchors._checks import check_count, listed
from latent_anchors.curriculum import Timeline
from latent_anchors.viz._arrays import Array, counted, joined
from latent_anchors.viz._redrawing import redrawable
from latent_anchors.viz._scales import panels_by_scale
from latent_anchors.viz._texts import text_width
from latent_anchors.viz._themes import SMALL, Theme, ThemeName, new_figure
from latent_anchors.viz._track_lines import (
    LEVEL,
    actions_of,
    draw_actions,
    draw_dashes,
    draw_keys,
    draw_lines,
    draw_phases,
    draw_starts,
    dress_panel,
    dress_steps,
    name_ends,
    phase_places,
    sampled,
)

WIDTH = 9.0
"""Inches across."""

TRACK = 0.24
"""Inches that a panel grows with each of its tracks, beyond those that every panel has."""

LEAST = 0.7
"""Inches of a panel without tracks."""

AROUND = 90.0
"""Points left and right of the panels, besides the names."""

STEPS = 0.6
"""Inches below everything, for the steps."""

Drawn = tuple[Array, dict[str, Array]]


@redrawable
def plot_timeline(
    timeline: Timeline,
    planned: Timeline | None = None,
    theme: ThemeName = "light",
    title: str | None = None,
) -> Figure:
    r"""Tracks against the step, on panels by scale, with phases above and actions below.

    The panels hold tracks of like size, those in log space apart. Dots are keyframes, gray lines
    the starts of phases, triangles actions. A track is named where it ends; where lines run
    together, the first is seen on either side of the last.

    Args:
        timeline: What there is to see, such as what a playhead turned out to be.
        planned: What it should have been: dashed, and its actions hollow, where they differ.
        theme: Inks for a light or a dark page.
        title: Above everything.

    Returns:
        The figure, known to pyplot.

    Raises:
        ValueError: The timeline has no tracks, the plan has others, or there is no such theme.

    Examples:
        >>> import matplotlib.pyplot as plt
        >>> from latent_anchors.curriculum import read_dopesheet
        >>> sheet = read_dopesheet("STEP,PHASE,lr,anchor\n0,hues,0.01,1\n9,,0.001,0\n")
        >>> figure = plot_timeline(sheet.timeline())
        >>> [text.get_text() for axes in figure.axes for text in axes.texts]
        ['hues', 'anchor', 'lr']
        >>> plt.close(figure)
    """
    plan = planned or timeline
    _check_tracks(timeline, plan)
    lines, dashes = sampled(timeline, timeline.steps), sampled(plan, plan.steps)
    panels = _panels(timeline, lines, dashes)
    steps = max(timeline.steps, plan.steps)
    taken, meant = actions_of(timeline), actions_of(plan)
    margin = max(text_width(name, SMALL) for name in (*timeline.names, *taken, *meant))
    places = phase_places(timeline.phases, steps, 72 * WIDTH - AROUND - margin, margin)
    strips = max((1 + level for level, _ in places), default=0), len({**taken, **meant})
    others = _plan(timeline, plan, lines, dashes)
    words = " ".join([_travels(lines, steps), *_happenings(timeline), *others])
    figure, inks, every = _stacked(theme, title, words, strips[0], panels, strips[1])
    if places:
        draw_phases(every.pop(0), inks, timeline.phases, places)
    for axes, names in zip(every, panels, strict=False):
        draw_starts(axes, inks, timeline, plan)
        if planned is not None:
            draw_dashes(axes, inks, *_of(dashes, names))
        _draw_panel(axes, inks, timeline, _of(lines, names), _of(dashes, names))
        draw_keys(axes, inks, timeline, names)
    if strips[1]:
        draw_actions(every[-1], inks, taken, meant)
    label = "step" if planned is None else "step (dashed and hollow: as it was planned)"
    dress_steps(every[-1], inks, steps, label)
    return figure


@redrawable
def plot_values(
    timeline: Timeline, num_events: int, theme: ThemeName = "light", title: str | None = None
) -> Figure:
    """The values that a timeline gives to a number of steps, and nothing else.

    Args:
        timeline: What gives them.
        num_events: How many steps, from 0 on, be it fewer than the timeline has or more.
        theme: Inks for a light or a dark page.
        title: Above everything.

    Returns:
        The figure, known to pyplot.

    Raises:
        TypeError: The number of steps is not a whole number.
        ValueError: There are no steps, the timeline has no tracks, or there is no such theme.

    Examples:
        >>> import matplotlib.pyplot as plt
        >>> from latent_anchors.curriculum import Keyframe, Track
        >>> timeline = Timeline({"lr": Track([Keyframe(0, 0.0), Keyframe(2, 1.0)])})
        >>> figure = plot_values(timeline, num_events=3)
        >>> figure.axes[0].lines[0].get_ydata().tolist()
        [0.0, 0.5, 1.0]
        >>> plt.close(figure)
    """
    check_count("num_events", num_events)
    _check_tracks(timeline, timeline)
    lines = sampled(timeline, num_events)
    panels = _panels(timeline, lines, lines)
    words = _travels(lines, num_events)
    figure, inks, every = _stacked(theme, title, words, 0, panels, 0)
    for axes, names in zip(every, panels, strict=True):
        _draw_panel(axes, inks, timeline, _of(lines, names), _of(lines, names))
    dress_steps(every[-1], inks, num_events, "step")
    return figure


def _check_tracks(timeline: Timeline, planned: Timeline) -> None:
    check_count("The number of tracks", len(timeline.names))
    if set(timeline.names) != set(planned.names):
        raise ValueError(
            f"The timeline has the tracks {listed(timeline.names)}, and the plan has "
            f"{listed(planned.names)}; expected the same."
        )


def _panels(timeline: Timeline, lines: Drawn, dashes: Drawn) -> list[list[str]]:
    both = {name: np.concatenate([lines[1][name], dashes[1][name]]) for name in timeline.names}
    return panels_by_scale(both, [name for name in both if timeline[name].space == "log"])


def _of(drawn: Drawn, names: list[str]) -> Drawn:
    return drawn[0], {name: drawn[1][name] for name in names}


def _travels(lines: Drawn, steps: int) -> str:
    """Where each track is, or from where to where it goes."""
    each = [_course(name, track) for name, track in lines[1].items()]
    return f"{counted(steps, 'step')}: {joined(each)}."


def _course(name: str, track: Array) -> str:
    """Where a track is, or from where to where it goes, and how far it went on the way."""
    if np.ptp(track) == 0:
        return f"{name} at {track[0]:.3g}"
    first, last, low, high = (f"{y:.3g}" for y in (track[0], track[-1], track.min(), track.max()))
    on_the_way = [
        f"{way} to {far}" for way, far in (("up", high), ("down", low)) if far not in (first, last)
    ]
    return " ".join([f"{name} from {first} to {last}", *on_the_way])


def _plan(timeline: Timeline, plan: Timeline, lines: Drawn, dashes: Drawn) -> list[str]:
    """What was planned otherwise, in a sentence if anything was."""
    at = np.union1d(lines[0], dashes[0])  # either is drawn at its own keys, too
    was, should = (dict(zip(t.names, t.table(at).T, strict=True)) for t in (timeline, plan))
    changed = {name for name in was if not np.array_equal(was[name], should[name])}
    tracks = [_course(name, meant) for name, meant in dashes[1].items() if name in changed]
    taken, meant = actions_of(timeline), actions_of(plan)
    missed = {name: sorted({*steps} - {*taken.get(name, [])}) for name, steps in meant.items()}
    actions = [f"{name} at step {joined(_steps(steps))}" for name, steps in missed.items() if steps]
    return [f"Planned otherwise: {joined([*tracks, *actions])}."] if tracks or actions else []


def _steps(steps: Sequence[int]) -> list[str]:
    return [f"{step:,}" for step in steps]


def _happenings(timeline: Timeline) -> list[str]:
    """Phases and actions, each kind in a sentence if there are any."""
    phases = [f"{phase.name} from step {phase.start:,} on" for phase in timeline.phases]
    actions = [
        f"{name} at step {joined(_steps(steps))}" for name, steps in actions_of(timeline).items()
    ]
    listed = {"Phases": phases, "Actions": actions}
    return [f"{kind}: {joined(each)}." for kind, each in listed.items() if each]


def _stacked(
    theme: ThemeName,
    title: str | None,
    words: str,
    above: int,
    panels: list[list[str]],
    below: int,
) -> tuple[Figure, Theme, list[Axes]]:
    """Panels one above the other with the same steps, and strips for phases and actions."""
    heights = [LEAST + TRACK * len(panel) for panel in panels]
    heights = [LEVEL * above] * bool(above) + heights + [LEVEL * below] * bool(below)
    figure, inks = new_figure(theme, WIDTH, sum(heights) + STEPS, title, words)
    cells = figure.add_gridspec(len(heights), 1, height_ratios=heights)
    every: list[Axes] = []
    for cell in range(len(heights)):
        every.append(figure.add_subplot(cells[cell], sharex=every[0] if every else None))
        every[-1].tick_params(labelbottom=False)
    return figure, inks, every


def _draw_panel(axes: Axes, inks: Theme, timeline: Timeline, lines: Drawn, dashes: Drawn) -> None:
    at, values = lines
    draw_lines(axes, inks, at, values)
    every = np.concatenate([*values.values(), *dashes[1].values()])
    dress_panel(axes, inks, every, timeline[next(iter(values))].space == "log")
    axes.tick_params(labelbottom=False)
    ends = {name: (float(at[-1]), float(track[-1])) for name, track in values.items()}
    name_ends(axes, inks, ends, LEAST + TRACK * len(values))
