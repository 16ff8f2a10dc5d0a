import numpy as np
import pytest

from latent_anchors.viz import plot_error_by_hue
from latent_anchors.viz._line_names import INNER, NEAR, clear, label_places

X = np.linspace(0, 1, 101)
EVERYWHERE = np.ones(len(X))
BELL = np.exp(-(((X - 0.3) / 0.1) ** 2))


def test_a_single_line_is_named_at_its_top():
    assert X[label_places(X, BELL[None], EVERYWHERE)] == pytest.approx([0.3])


def test_lines_are_named_where_they_are_farthest_apart():
    assert X[label_places(X, np.stack([0 * X, BELL]), EVERYWHERE)] == pytest.approx([0.3, 0.3])


def test_lines_that_coincide_are_named_apart():
    first, second = X[label_places(X, np.stack([BELL, BELL]), EVERYWHERE)]
    assert abs(second - first) > NEAR


def test_names_stay_inside():
    edge = np.exp(-((X / 0.1) ** 2))
    (place,) = label_places(X, edge[None], 1.0 * (np.abs(X - 0.5) < INNER))
    assert 0.5 - INNER < X[place] < 0.5 + INNER


def test_every_line_has_its_name_above_it():
    (axes,) = plot_error_by_hue(X, {"low": 0 * X, "high": np.stack([BELL, 3 * BELL])}).axes
    low, high = axes.texts
    assert [low.get_text(), high.get_text()] == ["low", "high"]
    assert low.xy == pytest.approx((0.3, 0))
    assert high.xy == pytest.approx((0.3, 3))


def test_a_name_has_room_where_no_line_runs_through_it():
    box = np.array([0.05, 0.2])
    (flat,) = clear(X, 0 * X[None], 0 * X[None], [0.1], 0, box)
    assert flat.all()
    (below,) = clear(X, 0 * X[None], np.stack([0 * X, 0 * X + 0.1]), [0.1], 0, box)
    assert not below.any()
    (between,) = clear(X, 0 * X[None], np.stack([0 * X, 5 * BELL]), [0.1], 0, box)
    assert between[30]
    assert not between[[10, 50]].any()


def test_beside_a_slope_a_name_has_room_on_the_side_where_the_line_falls():
    slope, box = (1 - X)[None], np.array([0.05, 0.2])
    sides = [clear(X, slope, slope, [0.1], side, box)[0, 50] for side in (0, 1, -1)]
    assert sides == [False, True, False]


def test_a_name_keeps_off_the_reference():
    level = 1.05
    (axes,) = plot_error_by_hue(X, {"high": BELL}, ("gray", level)).axes
    gray, high = axes.texts
    assert (gray.get_text(), high.get_text()) == ("gray", "high")
    assert high.xy[1] < 0.95
    (free,) = plot_error_by_hue(X, {"high": BELL}, ("gray", 2 * level)).axes
    assert free.texts[1].xy[1] == pytest.approx(1.0)
