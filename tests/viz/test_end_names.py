from itertools import combinations

import numpy as np
from matplotlib.axes import Axes

from latent_anchors.viz import plot_frontier
from latent_anchors.viz._end_names import box_at, count_in, free_sides

APART = {f"method {k}": ([0.2, 1.0 + k / 4], [0.001 * 4**k, 0.002 * 4**k]) for k in range(4)}
TOGETHER = {f"method {k}": ([0.2, 1.0], [0.1, 0.2]) for k in range(8)}
PANEL = np.array([[0.0, 0.0], [400.0, 300.0]])
NOTHING = np.empty((0, 2))


def axes_of(curves: dict, **options: object) -> Axes:
    figure = plot_frontier(curves, **options)
    figure.canvas.draw()
    return figure.axes[0]


def test_names_stand_at_the_ends_and_touch_neither_one_another_nor_a_line():
    axes = axes_of(APART)
    assert axes.get_legend() is None
    assert [text.get_text() for text in axes.texts] == [*APART]
    assert [text.xy for text in axes.texts] == [(x[-1], y[-1]) for x, y in APART.values()]
    boxes = [text.get_window_extent() for text in axes.texts]
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
    paths = [line.get_path().transformed(line.get_transform()) for line in axes.lines[1:]]
    assert not any(path.intersects_bbox(box, filled=False) for path in paths for box in boxes)
    assert all(axes.bbox.contains(*corner) for box in boxes for corner in (box.min, box.max))


def test_where_one_finds_no_room_all_stand_in_a_legend_in_the_order_of_ends():
    names = ["_low", "b", "c", "d", "e", "f", "g", "high"]
    axes = axes_of({name: ([0.2, 1.0], [0.1, 0.2 + k / 999]) for k, name in enumerate(names)})
    assert not axes.texts
    assert [text.get_text() for text in axes.get_legend().get_texts()] == names[::-1]


def test_a_legend_is_no_reason_for_room_within_the_panel():
    names = [f"a long name of method {k}" for k in range(8)]
    assert axes_of(dict.fromkeys(names, ([0.2, 1.0], [0.1, 0.2]))).get_xlim()[1] < 1.1
    assert axes_of({names[0]: ([0.2, 1.0], [0.1, 0.2])}).get_xlim()[1] > 1.1


def test_ours_are_bold_at_the_ends_and_in_the_legend():
    ends = axes_of(APART, ours=["method 1"]).texts
    crowded = dict.fromkeys(["method 1", *"bcdefgh"], ([0.2, 1.0], [0.1, 0.2]))
    for texts in (ends, axes_of(crowded, ours=["method 1"]).get_legend().get_texts()):
        bold = [text.get_text() for text in texts if text.get_fontweight() == "bold"]
        assert bold == ["method 1"]


def test_a_name_stands_right_of_its_end_unless_that_hides_a_dot():
    curve = {"a": np.array([[100.0, 100.0], [200.0, 100.0]])}
    assert free_sides(curve, {"a": 40.0}, PANEL, NOTHING) == {"a": (1, 0)}
    dot = np.array([[220.0, 100.0]])
    assert free_sides(curve, {"a": 40.0}, PANEL, dot) == {"a": (0, 1)}
    assert count_in(box_at(curve["a"][-1], (0, 1), np.array([20.0, 4.0])), dot) == 0


def test_a_curve_with_a_gap_is_named_at_its_last_point():
    curve = {"a": np.array([[100.0, 100.0], [200.0, 100.0], [np.nan, np.nan]])}
    assert free_sides(curve, {"a": 40.0}, PANEL, NOTHING) == {"a": (1, 0)}


def test_outside_its_panel_no_name_has_room():
    curve = {"a": np.array([[100.0, 100.0], [200.0, 100.0]])}
    assert free_sides(curve, {"a": 500.0}, PANEL, NOTHING) == {}
