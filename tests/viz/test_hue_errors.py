import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection
from refusals import refuses

from latent_anchors.colorspace import HUES, hsv_to_rgb, named_colors
from latent_anchors.viz import plot_error_by_hue
from latent_anchors.viz._hue_errors import (
    LINES,
    around,
    draw_band,
    draw_line,
    draw_markers,
    hue_colors,
)
from latent_anchors.viz._themes import THEMES

HUE = torch.arange(36) / 36
RING = torch.cat([HUE[-1:] - 1, HUE, HUE[:1] + 1])
ERRORS = torch.rand(5, 36, generator=torch.Generator().manual_seed(0))


def rainbows(axes: Axes) -> list[LineCollection]:
    """The painted lines; the first condition is drawn last."""
    lines = [line for line in axes.collections if type(line) is LineCollection]
    return lines[::-1]


def heights(line: LineCollection) -> list[float]:
    """Of the hues themselves, without the two that come again a turn away."""
    return [segment[0, 1] for segment in line.get_segments()][1:]


def test_each_piece_has_the_color_of_its_hue():
    (line,) = rainbows(plot_error_by_hue(HUE, {"a": ERRORS[0]}).axes[0])
    middle = (RING[1:] + RING[:-1]) / 2
    expected = hsv_to_rgb(torch.stack([middle, torch.ones(37), torch.ones(37)], -1))
    np.testing.assert_allclose(line.get_colors()[:, :3], expected, atol=1e-5)


def test_the_line_of_one_run_is_the_run():
    (line,) = rainbows(plot_error_by_hue(HUE, {"a": ERRORS[0]}).axes[0])
    np.testing.assert_allclose(heights(line), ERRORS[0])


def test_the_line_of_several_runs_is_their_median_and_the_band_their_range():
    axes = plot_error_by_hue(HUE, {"a": ERRORS}).axes[0]
    np.testing.assert_allclose(heights(rainbows(axes)[0]), ERRORS.median(0).values)
    (band,) = axes.images
    corners = band.get_clip_path().get_fully_transformed_path().vertices
    ends = axes.transData.inverted().transform(corners)[:, 1]
    assert ends.min() == pytest.approx(float(ERRORS.min()))
    assert ends.max() == pytest.approx(float(ERRORS.max()))
    assert "median and range of 5 runs" in axes.get_ylabel()


def test_one_run_has_no_band():
    axes = plot_error_by_hue(HUE, {"a": ERRORS[:1]}).axes[0]
    assert not axes.images
    assert "runs" not in axes.get_ylabel()


def test_the_order_of_the_hues_does_not_matter():
    shuffled = torch.randperm(36, generator=torch.Generator().manual_seed(0))
    (line,) = rainbows(plot_error_by_hue(HUE[shuffled], {"a": ERRORS[0][shuffled]}).axes[0])
    np.testing.assert_allclose(heights(line), ERRORS[0])


def test_the_center_comes_to_lie_in_the_middle():
    axes = plot_error_by_hue(HUE, {"a": ERRORS[0]}, center=0.0).axes[0]
    names = [label.get_text() for label in axes.get_xticklabels()]
    assert axes.get_xlim() == (-0.5, 0.5)
    assert names == [*[*HUES][6:], *[*HUES][:7]]
    lowest = min(segment[1, 0] for segment in rainbows(axes)[0].get_segments())
    assert lowest == pytest.approx(-17 / 36)


@pytest.mark.parametrize("center", [-1.0, 0.5, 2.0, 3.2])
def test_the_ring_is_closed_and_named_round_any_center(center):
    axes = plot_error_by_hue(HUE, {"a": ERRORS[0], "b": ERRORS[1]}, center=center).axes[0]
    x = np.array([segment[:, 0] for segment in rainbows(axes)[0].get_segments()])
    assert x.min() <= center - 0.5 < center + 0.5 <= x.max()
    assert len({label.get_text() for label in axes.get_xticklabels()}) == len(HUES)


def test_hues_that_were_not_measured_are_not_drawn():
    (line,) = rainbows(plot_error_by_hue(HUE[:9], {"a": ERRORS[0, :9]}).axes[0])
    assert len(line.get_segments()) == 8


def test_a_single_hue_is_a_dot_in_its_color():
    axes = plot_error_by_hue([1 / 3], {"a": [0.5]}).axes[0]
    (dot,) = [points for points in axes.collections if type(points) is PathCollection]
    np.testing.assert_allclose(dot.get_facecolors()[0, :3], named_colors("green")[0], atol=1e-6)


def test_the_least_and_the_greatest_number_of_runs_are_named():
    axes = plot_error_by_hue(HUE, {"a": ERRORS, "b": ERRORS[:3]}).axes[0]
    assert "median and range of 3 to 5 runs" in axes.get_ylabel()


def test_conditions_differ_without_their_color():
    conditions = {name: ERRORS[0] + k for k, name in enumerate("abcdef")}
    axes = plot_error_by_hue(HUE, conditions).axes[0]
    assert len(rainbows(axes)) == len(LINES) == len(set(LINES))
    widths = [line.get_linewidths()[0] for line in rainbows(axes)]
    assert widths == [width for width, _ in LINES]
    assert max(widths) == widths[1]
    assert len({*widths[2:]}) == 1
    markers = [points for points in axes.collections if len(points.get_offsets()) == 13]
    assert len(markers) == len(LINES) - 1
    assert [text.get_text() for text in axes.texts] == [*conditions]


def test_a_reference_is_a_dotted_line_across_within_sight():
    axes = plot_error_by_hue(HUE, {"a": 0 * HUE}, ("gray", 2.0)).axes[0]
    dotted = [line for line in axes.lines if line.get_linestyle() == ":"]
    assert [line.get_ydata()[0] for line in dotted] == [2.0]
    assert axes.get_ylim()[1] > 2.0
    assert axes.texts[0].get_text() == "gray"
    assert axes.texts[0].xy == (axes.get_xlim()[0], 2.0)
    right, up = axes.texts[0].xyann
    assert 0 < right <= 3  # points from the left end, and from the line below
    assert 0 < up <= 4


def test_no_error_at_all_can_be_drawn():
    axes = plot_error_by_hue(HUE, {"a": 0 * HUE}).axes[0]
    assert axes.get_ylim()[0] < axes.get_ylim()[1]


@pytest.mark.parametrize("n", [0, 7])
def test_conditions_that_cannot_be_distinguished_are_refused(n: int):
    with refuses(ValueError, f"{n} conditions were given; expected 1 to 6.*several figures"):
        plot_error_by_hue(HUE, {str(k): ERRORS for k in range(n)})


def test_errors_of_other_hues_are_refused():
    with refuses(ValueError, r"errors\['a'\] has shape \(5, 35\); expected \(runs, 36\)"):
        plot_error_by_hue(HUE, {"a": ERRORS[:, 1:]})


def test_a_center_or_a_reference_that_is_no_number_is_refused():
    with refuses(ValueError, "center is nan; expected a finite number"):
        plot_error_by_hue(HUE, {"a": ERRORS}, center=torch.nan)
    with refuses(ValueError, "reference is inf; expected a finite number"):
        plot_error_by_hue(HUE, {"a": ERRORS}, ("gray", torch.inf))


turns = st.floats(-3, 3)


def test_named_hues_have_their_colors():
    np.testing.assert_allclose(hue_colors(np.array([*HUES.values()])), named_colors(*HUES))


@given(turns, st.floats(-1, 1))
def test_hues_go_round_to_within_half_a_turn_of_the_center(hue: float, center: float):
    (x,) = around(center, np.array([hue]))
    assert abs(x - center) <= 0.5 + 1e-9
    assert (x - hue) == pytest.approx(round(x - hue), abs=1e-9)


def test_hues_near_the_center_stay_where_they_are_at_both_ends():
    assert around(0.5, np.array([0.0, 0.25, 1.0])).tolist() == [0.0, 0.25, 1.0]


def test_each_piece_of_a_line_has_the_hue_in_its_middle():
    x = np.array([0.0, 1 / 6, 1 / 2])
    axes = plt.figure().add_subplot()
    draw_line(axes, THEMES["light"], x, np.array([1.0, 2.0, 3.0]), 2.0)
    (line,) = (artist for artist in axes.collections if isinstance(artist, LineCollection))
    np.testing.assert_allclose(line.get_colors()[:, :3], named_colors("orange", "green"))
    ends = [segment.tolist() for segment in line.get_segments()]
    assert ends == [[[0.0, 1.0], [1 / 6, 2.0]], [[1 / 6, 2.0], [1 / 2, 3.0]]]


def test_a_line_has_an_outline_of_ink():
    axes = plt.figure().add_subplot()
    draw_line(axes, THEMES["dark"], np.array([0.0, 1.0]), np.array([0.0, 1.0]), 2.0)
    (outline,) = axes.lines
    assert outline.get_color() == THEMES["dark"].ink
    assert outline.get_linewidth() > 2.0


def test_markers_lie_on_the_line_and_not_beyond_its_ends():
    axes = plt.figure().add_subplot()
    x, y, at = np.array([0.0, 0.5]), np.array([0.0, 1.0]), np.array([-0.1, 0.25, 0.75])
    draw_markers(axes, THEMES["light"], x, y, at, "o")
    assert axes.collections[0].get_offsets().tolist() == [[0.25, 0.5]]


def test_a_band_is_colored_between_its_lines_and_nowhere_else():
    figure = plt.figure(figsize=(2, 2), dpi=100)
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, 1), ylim=(0, 4))
    axes.set_axis_off()
    draw_band(axes, np.array([0.0, 1.0]), np.array([1.0, 1.0]), np.array([3.0, 3.0]))
    figure.canvas.draw()
    page = np.asarray(figure.canvas.buffer_rgba())[:, :, :3]
    assert (page[[20, 180]] == 255).all()
    green = page[100, 200 // 3].astype(int)
    assert green[1] - green[0] > 50


@pytest.mark.parametrize(
    "options", [{"errors": {"change": [0.1, -0.2, 0.1]}}, {"reference": ("x", -1.0)}]
)
def test_numbers_below_the_panel_are_refused(options):
    given = {"hues": [0.0, 0.3, 0.6], "errors": {"muted": [0.1, 0.2, 0.1]}} | options
    with refuses(ValueError, "The least of .* is -.*; expected errors, 0 or greater"):
        plot_error_by_hue(**given)
