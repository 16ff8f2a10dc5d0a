import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.collections import LineCollection

from latent_anchors.colorspace import HUES, named_colors
from latent_anchors.viz._rainbows import around, draw_band, draw_line, draw_markers, hue_colors
from latent_anchors.viz._themes import THEMES

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
