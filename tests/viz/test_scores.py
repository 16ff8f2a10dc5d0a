import numpy as np
import pytest
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from refusals import refuses

from latent_anchors.concepts import Score, ScoreHistory
from latent_anchors.evaluation import summarize
from latent_anchors.viz import plot_scores

STEPS = (0, 100, 400)
AUC = [[0.5, 0.4], [0.7, None], [1.0, 0.9]]


def history(values=AUC, steps=STEPS) -> ScoreHistory:
    other = summarize([-0.5, 0.25])
    scores = (Score(summarize(runs), other, other, n_with=3, n_without=5) for runs in values)
    return ScoreHistory("red", steps, tuple(scores))


def drawn() -> Figure:
    return plot_scores({"placed": history(), "found": history(AUC[:2], STEPS[:2])})


def test_every_measure_has_a_panel():
    assert [axes.get_title() for axes in drawn().axes] == ["AUC", "margin", "alignment"]


def test_lines_are_the_runs_and_their_mean_at_the_steps():
    axes = drawn().axes[0]
    *runs, mean = axes.lines[:3]
    assert [line.get_xdata().tolist() for line in (*runs, mean)] == [[*STEPS]] * 3
    drawn_runs = np.array([line.get_ydata() for line in runs])
    np.testing.assert_array_equal(drawn_runs, np.array(AUC, dtype=float).T)
    assert mean.get_ydata().tolist() == [summarize(runs).mean for runs in AUC]


def test_the_area_is_the_interval_where_there_are_enough_runs_to_tell():
    (area,) = (area for area in drawn().axes[0].collections[:1])
    low, high = summarize(AUC[0]).ci95
    corners = area.get_paths()[0].vertices[:, 1]
    assert corners.min() <= low
    assert corners.max() >= high


def test_chance_is_marked_for_the_auc_only():
    dashed = [
        [line for line in axes.lines if line.get_linestyle() == "--"] for axes in drawn().axes
    ]
    assert [len(lines) for lines in dashed] == [1, 0, 0]
    assert dashed[0][0].get_ydata() == [0.5, 0.5]


def test_every_history_is_named_where_it_ends():
    axes = drawn().axes[-1]
    assert {text.get_text(): text.xy[0] for text in axes.texts} == {"placed": 400, "found": 100}


def test_nothing_and_too_much_are_refused():
    with refuses(ValueError, "number of histories"):
        plot_scores({})
    with refuses(ValueError, "number of scores of 'red'"):
        plot_scores({"red": history([], ())})
    with refuses(ValueError, "7 histories"):
        plot_scores({str(n): history() for n in range(7)})


def test_runs_without_any_value_are_refused():
    with refuses(ValueError, "No seed has a value"):
        plot_scores({"red": history([[None]], (0,))})


def test_a_line_whose_runs_all_failed_is_named_at_its_last_value():
    one, none = summarize([0.4, 0.6]), summarize([None, None])
    scores = (Score(one, one, one, 3, 5), Score(none, none, none, 3, 5))
    figure = plot_scores({"red": ScoreHistory("red", (0, 100), scores)})
    assert "alignment of red from 0.50 to 0.50" in figure.get_label()
    (name,) = (text for text in figure.axes[-1].texts if text.get_text() == "red")
    assert name.xy == (0.0, 0.5)


def test_a_single_score_is_a_dot_and_chance_is_in_sight():
    axes = plot_scores({"placed": history([[0.1, 0.2]], (7,))}).axes[0]
    dots = [dots for dots in axes.collections if type(dots) is PathCollection]
    assert [y for each in dots for _, y in each.get_offsets()] == pytest.approx([0.1, 0.2, 0.15])
    assert axes.get_ylim()[1] > 0.5
