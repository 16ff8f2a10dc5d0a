"""Scores of concepts while models train: AUC, margin and alignment against the step."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from latent_anchors._checks import check_count
from latent_anchors.concepts import ScoreHistory
from latent_anchors.evaluation import Metric
from latent_anchors.viz._arrays import Array, counted, joined
from latent_anchors.viz._means import ends_of, intervals_of, means_of, words_of_runs
from latent_anchors.viz._redrawing import redrawable
from latent_anchors.viz._themes import NORMAL, SMALL, THEMES, Theme, ThemeName, new_figure
from latent_anchors.viz._track_lines import draw_alone, dress_panel, dress_steps, name_ends

PANELS = {"auc": "AUC", "margin": "margin", "alignment": "alignment"}
"""By measure of a score: what its panel is called."""

WIDTH, TALL = 9.0, 2.4
"""Inches across, and of the height of the panels."""

Measured = dict[str, list[Metric]]


@redrawable
def plot_scores(
    histories: Mapping[str, ScoreHistory],
    theme: ThemeName = "light",
    title: str | None = None,
) -> Figure:
    """Scores of a concept while models train, a panel for each measure.

    The thick line is the mean over the runs, the area around it the 95 % interval; thin lines are
    the runs. The dashed line is an AUC of 1/2, where the alignment says nothing about the concept.

    Args:
        histories: What a :class:`~latent_anchors.concepts.Watch` recorded, by the name of the line.
        theme: Inks for a light or a dark page.
        title: Above all panels.

    Returns:
        The figure, known to pyplot.

    Raises:
        ValueError: There is no history or more than six, one has no score, no run has a value, or
            there is no such theme.

    Examples:
        >>> import matplotlib.pyplot as plt
        >>> from latent_anchors.concepts import Score
        >>> from latent_anchors.evaluation import summarize
        >>> scores = [Score(*[summarize(runs)] * 3, 3, 5) for runs in ([0.5, 0.3], [0.9, 1.0])]
        >>> figure = plot_scores({"red": ScoreHistory("red", (0, 100), tuple(scores))})
        >>> figure.axes[1].lines[-1].get_ydata().round(2).tolist()
        [0.4, 0.95]
        >>> plt.close(figure)
    """
    _check(histories)
    measured = {measure: _over_steps(histories, measure) for measure in PANELS}
    last = max(history.steps[-1] for history in histories.values())
    words = f"{joined([*histories])} over {counted(last, 'step')}. {_courses(measured)}"
    figure, inks = new_figure(theme, WIDTH, TALL + (0.0 if title is None else 0.4), title, words)
    panels = figure.subplots(1, len(PANELS)).flat
    for axes, (measure, heading) in zip(panels, PANELS.items(), strict=True):
        _draw(axes, inks, histories, measured[measure])
        dress_steps(axes, inks, last + 1, "step")
        axes.set_title(heading, color=inks.ink, fontsize=NORMAL)
        axes.locator_params(axis="x", nbins=4)
    draw_chance(figure.axes[0], inks)
    ends = {
        name: _end(history.steps, measured["alignment"][name])
        for name, history in histories.items()
    }
    name_ends(figure.axes[-1], inks, ends, TALL - 0.8)
    figure.supxlabel(words_of_runs(measured["auc"]), color=inks.faint, fontsize=SMALL)
    return figure


def draw_chance(axes: Axes, inks: Theme) -> None:
    """An AUC of 1/2, on an axis that reaches as far."""
    axes.axhline(0.5, color=inks.faint, linestyle="--", linewidth=1, zorder=1)
    axes.set_ylim(top=max(0.55, axes.get_ylim()[1]))


def _end(steps: Sequence[int], metrics: Sequence[Metric]) -> tuple[float, float]:
    """The last step at which some run has a value, and the mean there."""
    means = means_of(metrics)
    there = np.flatnonzero(np.isfinite(means))
    last = int(there[-1]) if len(there) else len(means) - 1
    return float(steps[last]), float(np.nan_to_num(means[last]))


def _check(histories: Mapping[str, ScoreHistory]) -> None:
    """Refuse what no figure can show."""
    check_count("The number of histories", len(histories))
    for name, history in histories.items():
        check_count(f"The number of scores of {name!r}", len(history.scores))
    colors = len(THEMES["light"].lines)
    if len(histories) > colors:
        raise ValueError(
            f"There are {len(histories)} histories; expected at most {colors}, one for each color. "
            "Draw several figures."
        )


def _over_steps(histories: Mapping[str, ScoreHistory], measure: str) -> Measured:
    """One measure of every history, step by step."""
    return {
        name: [getattr(score, measure) for score in history.scores]
        for name, history in histories.items()
    }


def _courses(measured: Mapping[str, Measured]) -> str:
    """From where to where the mean of each measure goes."""
    each = [
        f"{PANELS[measure]} of {name} from {mean[0]:.2f} to {mean[-1]:.2f}"
        for measure, rows in measured.items()
        for name, mean in ((name, _finite(means_of(metrics))) for name, metrics in rows.items())
    ]
    return f"{joined(each)}."


def _finite(means: Array) -> Array:
    """Those that exist; NaN alone if none does."""
    there = means[np.isfinite(means)]
    return there if len(there) else means[:1]


def _draw(
    axes: Axes, inks: Theme, histories: Mapping[str, ScoreHistory], measured: Measured
) -> None:
    """Runs, intervals and means, from the back to the front."""
    low, high = ends_of([metric for metrics in measured.values() for metric in metrics])
    dress_panel(axes, inks, np.array([low, high]), logarithmic=False)
    for color, (name, metrics) in zip(inks.lines, measured.items(), strict=False):
        steps = histories[name].steps
        runs = np.array([metric.per_seed for metric in metrics], dtype=np.float64)
        axes.plot(steps, runs, color=color, linewidth=0.5, alpha=0.35)
        axes.fill_between(steps, *intervals_of(metrics).T, color=color, alpha=0.25, linewidth=0)
        for lone in (runs, means_of(metrics)):
            draw_alone(axes, steps, lone, color)
        axes.plot(steps, means_of(metrics), color=color, linewidth=2, solid_capstyle="round")
