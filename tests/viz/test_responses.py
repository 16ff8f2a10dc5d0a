from itertools import pairwise

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from refusals import refuses

from latent_anchors.evaluation import summarize
from latent_anchors.viz import plot_response
from latent_anchors.viz._responses import LINE, PAGE, SPARE, evenly_filled, grid_of
from latent_anchors.viz._themes import THEMES

DOSES = ["none", "14", "57"]
ALIGNED = [[0.1, -0.3, 0.4], [0.9, None, 0.8], [0.98, 0.99, 0.97]]
CLEAN = [[0.0, 0.0, 1.0], [1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]


def drawn(**options: object) -> Figure:
    return plot_response("labels", DOSES, {"alignment": ALIGNED, "clean": CLEAN}, **options)


def bars(axes: Axes) -> np.ndarray:
    (lines,) = [lines for lines in axes.collections if hasattr(lines, "get_segments")]
    return np.array([segment[:, 1] for segment in lines.get_segments() if len(segment)])


def test_every_measure_has_a_panel_with_its_doses_in_order():
    figure = drawn()
    assert [axes.get_title() for axes in figure.axes] == ["alignment", "clean"]
    for axes in figure.axes:
        assert [tick.get_text() for tick in axes.get_xticklabels()] == DOSES
    assert figure.get_supxlabel().startswith("labels; ")


def test_panels_have_one_scale_if_asked_for_and_else_each_its_own():
    alike, apart = ({axes.get_ylim() for axes in drawn(alike=on).axes} for on in (True, False))
    assert (len(alike), len(apart)) == (1, 2)
    assert min(low for low, _ in apart) == min(low for low, _ in alike)


def test_every_seed_that_has_a_value_is_a_dot_at_its_dose():
    collections = drawn().axes[0].collections
    (dots,) = (each for each in collections if not hasattr(each, "get_segments"))
    x, y = dots.get_offsets().T
    given = [(dose, y) for dose, seeds in enumerate(ALIGNED) for y in seeds if y is not None]
    assert y.tolist() == [value for _, value in given]
    assert (np.abs(x - [dose for dose, _ in given]) < 0.5).all()


def test_the_line_joins_the_means_and_the_bars_are_their_intervals():
    axes = drawn().axes[0]
    metrics = [summarize(seeds) for seeds in ALIGNED]
    assert axes.lines[0].get_ydata().tolist() == [metric.mean for metric in metrics]
    np.testing.assert_allclose(bars(axes), [metric.ci95 for metric in metrics])


def test_shares_have_intervals_within_0_and_1_and_others_need_not():
    assert bars(drawn(shares=["clean"]).axes[1]).max() <= 1
    assert bars(drawn().axes[1]).max() > 1


def test_a_single_run_is_drawn_without_intervals():
    figure = plot_response("labels", ["none"], {"alignment": [[0.5]]})
    assert not len(bars(figure.axes[0]))
    assert figure.get_supxlabel().endswith("a single run")


def test_what_failed_is_counted_and_no_mean_is_not_a_number():
    figure = plot_response("labels", ["none", "14"], {"a": [[None, None], [0.5, None]]})
    assert "interval of 0 to 1 of 2 runs" in figure.get_supxlabel()
    assert figure.get_label().endswith("a: none at none, 0.5 at 14. 3 of 4 values failed.")


@pytest.mark.parametrize("theme", [*THEMES])
def test_lines_have_the_inks_of_the_page(theme: str):
    assert drawn(theme=theme).axes[0].lines[0].get_color() == THEMES[theme].lines[0]


def test_what_cannot_be_drawn_is_refused():
    with refuses(ValueError, "number of doses is 0"):
        plot_response("labels", [], {"alignment": []})
    with refuses(ValueError, "No seed has a value"):
        plot_response("labels", ["none"], {"alignment": [[None]]})
    with refuses(ValueError, "Unknown theme 'pink'"):
        drawn(theme="pink")


def test_names_of_neighboring_doses_do_not_touch():
    doses = ["plain", "steered by a direction", "ablated throughout"]
    figure = plot_response("fine-tuning", doses, {"error": [[0.1, 0.2]] * 3})
    figure.canvas.draw()
    boxes = [label.get_window_extent() for label in figure.axes[0].get_xticklabels()]
    assert all(one.x1 < other.x0 for one, other in pairwise(boxes))


@pytest.mark.parametrize(
    ("panels", "wide", "grid"),
    [(3, 4.0, (1, 3)), (4, 4.0, (2, 2)), (5, 3.5, (2, 3)), (7, 4.0, (3, 3)), (2, 50.0, (2, 1))],
)
def test_panels_beyond_a_page_go_on_in_another_row(panels: int, wide: float, grid: tuple[int, int]):
    assert grid_of(panels, wide) == grid


def test_a_row_that_is_not_full_ends_with_nothing():
    doses = ["embedding", "block 1", "block 2", "block 3"]
    values = {name: [[0.1, 0.2]] * 4 for name in "abcde"}
    figure = plot_response("depth", doses, values)
    assert [axes.get_title() for axes in figure.axes] == [*"abcde"]
    assert figure.get_figwidth() <= PAGE
    assert len({axes.get_subplotspec().rowspan.start for axes in figure.axes}) == 2


def test_below_the_panels_no_word_stands_alone_on_a_line():
    words = "one two " * 17
    first, last = evenly_filled(words).splitlines()
    assert len(words) > LINE
    assert len(first) - len(last) <= 2 * SPARE
    assert evenly_filled(words[: LINE - SPARE]).count("\n") == 0
