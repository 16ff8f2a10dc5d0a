import numpy as np
import pytest

from latent_anchors.viz import plot_error_by_hue
from latent_anchors.viz._line_names import INNER, NEAR, label_places

X = np.linspace(0, 1, 101)
EVERYWHERE = np.full(len(X), True)
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
    (place,) = label_places(X, edge[None], np.abs(X - 0.5) < INNER)
    assert 0.5 - INNER < X[place] < 0.5 + INNER


def test_every_line_has_its_name_above_it():
    (axes,) = plot_error_by_hue(X, {"low": 0 * X, "high": np.stack([BELL, 3 * BELL])}).axes
    low, high = axes.texts
    assert [low.get_text(), high.get_text()] == ["low", "high"]
    assert low.xy == pytest.approx((0.3, 0))
    assert high.xy == pytest.approx((0.3, 3))
