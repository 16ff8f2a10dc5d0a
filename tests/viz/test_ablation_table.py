import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from refusals import refuses

from latent_anchors.evaluation import summarize
from latent_anchors.viz import plot_ablation_table
from latent_anchors.viz._ablation_table import numbers
from latent_anchors.viz._themes import THEMES

SUBSETS = [(), ("anchor",), ("separate",), ("separate", "anchor")]
ALIGNED = [[0.1, -0.3], [0.99, 0.97], [-0.8, None], [0.99, 0.98]]


def drawn(**options: object) -> Figure:
    return plot_ablation_table(SUBSETS, {"alignment": ALIGNED, "order": np.ones((4, 2))}, **options)


def circles(axes: Axes) -> list[list[tuple[float, float]]]:
    """Columns and rows of the full and of the empty ones."""
    return [sorted(map(tuple, points.get_offsets())) for points in axes.collections]


def texts(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def test_parts_that_are_present_are_full_circles_and_others_empty_ones():
    axes = drawn().axes[0]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["anchor", "separate"]
    full, empty = circles(axes)
    assert full == [(0, 1), (0, 3), (1, 2), (1, 3)]
    assert empty == [(0, 0), (0, 2), (1, 0), (1, 1)]
    inks = [points.get_facecolors() for points in axes.collections]
    np.testing.assert_array_equal(inks[0], [to_rgba(THEMES["light"].ink)])
    assert not len(inks[1])


def test_the_first_row_is_on_top_in_every_column():
    for axes in drawn().axes:
        bottom, top = axes.get_ylim()
        assert bottom > top


def test_a_title_has_room_above_the_rows():
    plain, titled = drawn().get_figheight(), drawn(title="Parts").get_figheight()
    assert 0.2 < titled - plain < 0.6  # inches


def test_a_cell_has_its_seeds_its_interval_and_its_mean():
    axes = drawn().axes[1]
    *hairlines, bars, dots = axes.collections
    metrics = [summarize(seeds) for seeds in ALIGNED]
    seeds = [[segment[0, 0] for segment in lines.get_segments()] for lines in hairlines]
    assert seeds == [[seed for seed in row if seed is not None] for row in ALIGNED]
    ends = [segment[:, 0] for segment in bars.get_segments() if len(segment)]
    np.testing.assert_allclose(ends, [metric.ci95 for metric in metrics if metric.ci95])
    means = [(metric.mean, row) for row, metric in enumerate(metrics)]
    np.testing.assert_allclose(dots.get_offsets(), means)


def test_means_stand_as_numbers_and_a_star_tells_that_a_run_failed():
    figure = drawn()
    assert texts(figure.axes[1]) == ["-0.10", "0.98", "-0.80*", "0.98"]
    assert texts(figure.axes[2]) == ["1.00"] * 4
    assert figure.get_supxlabel().endswith("2 runs; * of those that did not fail")
    assert "*" not in plot_ablation_table([["a"]], {"b": [[1.0, 2.0]]}).get_supxlabel()


def test_numbers_stand_left_of_every_seed():
    axes = drawn().axes[1]
    assert max(text.get_position()[0] for text in axes.texts) < min(map(min, ALIGNED[:2]))


@pytest.mark.parametrize(
    ("means", "texts"),
    [
        ([0.0006, 0.00012], ["0.00060", "0.00012"]),
        ([0.998, -0.05], ["1.00", "-0.05"]),
        ([228.4, 3.0], ["228", "3"]),
        ([0.0], ["0.00"]),
        ([0.85, -0.0015], ["0.85", "0.00"]),
        ([1.58, None], ["1.6", "none*"]),
    ],
)
def test_there_are_as_many_decimals_as_the_greatest_mean_needs(means: list, texts: list[str]):
    assert numbers([summarize([mean]) for mean in means]) == texts


def test_shares_have_intervals_within_0_and_1():
    share = {"clean": [[0.0, 0.0], [1.0, 1.0], [0.0, 1.0], [1.0, 1.0]]}
    bars = plot_ablation_table(SUBSETS, share, shares=["clean"]).axes[1].collections[-2]
    ends = np.array(bars.get_segments())[..., 0]
    assert (ends.min(), ends.max()) == pytest.approx((0.0, 1.0))


@pytest.mark.parametrize("theme", [*THEMES])
def test_means_have_the_inks_of_the_page(theme: str):
    dots = drawn(theme=theme).axes[1].collections[-1]
    np.testing.assert_array_equal(dots.get_facecolors(), [to_rgba(THEMES[theme].lines[0])])


def test_what_cannot_be_drawn_is_refused():
    with refuses(ValueError, "number of rows is 0"):
        plot_ablation_table([], {"alignment": []})
    with refuses(ValueError, "number of parts is 0"):
        plot_ablation_table([[]], {"alignment": [[1.0]]})
    with refuses(ValueError, "No seed has a value"):
        plot_ablation_table([["anchor"]], {"alignment": [[None]]})
    with refuses(TypeError, "A combination is 'anchor'.*Write .'anchor'"):
        plot_ablation_table(["anchor"], {"alignment": [[1.0]]})


def test_every_other_row_is_shaded_in_every_panel():
    figure = plot_ablation_table([[], ["a"], ["b"], ["a", "b"], ["c"]], {"error": np.eye(5)})
    for axes in figure.axes:
        extents = [
            patch.get_extents().transformed(axes.transData.inverted()) for patch in axes.patches
        ]
        assert [sorted((box.y0, box.y1)) for box in extents] == pytest.approx(
            np.array([[0.5, 1.5], [2.5, 3.5]])
        )
