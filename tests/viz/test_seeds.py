import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from refusals import refuses

from latent_anchors.viz import plot_seeds
from latent_anchors.viz._seeds import DOT, ROW, swarm
from latent_anchors.viz._themes import THEMES

GOOD = [0.9, 0.95, 0.97, 0.99, 0.94]
BAD = [0.5, None, 0.91, float("nan"), 0.93]


def panel(**options: object) -> Axes:
    given = {"label": "R²", "values": {"good": GOOD, "bad": BAD}} | options
    return plot_seeds(**given).axes[0]


def dots(axes: Axes) -> list[np.ndarray]:
    """Of each row: those that keep the bound, those that miss it, and failures."""
    drawn = [
        drawn
        for drawn in axes.collections
        if hasattr(drawn, "get_sizes") and drawn.get_sizes().size
    ]
    return [np.asarray(points.get_offsets()) for points in drawn]


def words(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def test_every_seed_is_a_dot_in_its_row_and_one_without_a_value_a_cross():
    kept, missed, failed, *bad = dots(panel())
    assert kept[:, 0].tolist() == GOOD
    assert len(missed) == len(failed) == 0
    assert bad[0][:, 0].tolist() == [0.5, 0.91, 0.93]
    assert len(bad[2]) == 2
    assert (np.abs(kept[:, 1]) < 0.5).all()
    assert (np.abs(bad[0][:, 1] - 1) < 0.5).all()


def test_those_beyond_a_bound_differ_from_those_that_keep_it():
    kept, missed, *_ = dots(panel(at_least=0.94, at_most=0.98))
    assert kept[:, 0].tolist() == [0.95, 0.97, 0.94]
    assert missed[:, 0].tolist() == [0.9, 0.99]


def test_a_reference_is_a_diamond_in_its_row_within_sight():
    axes = panel(references={"bad": 1.5})
    assert dots(axes)[-1].tolist() == [[1.5, 1.0]]
    assert axes.get_xlim()[1] > 1.5
    assert len(dots(panel())) == len(dots(axes)) - 1
    assert "Reference of bad: 1.5." in axes.figure.get_label()


@pytest.mark.parametrize("references", [{"ugly": 0.5}, {"bad": float("nan")}])
def test_a_reference_without_a_row_or_a_value_is_refused(references):
    with refuses(ValueError, "The reference of .* expected a finite number for one of the rows"):
        panel(references=references)


def test_counts_stand_beside_and_failures_count_as_missing_the_bound():
    assert words(panel()) == ["5 of 5", "3 of 5\n2 failed"]
    assert words(panel(at_least=0.92)) == ["4 of 5 hold", "1 of 5 hold\n2 failed"]
    assert not any(text.get_clip_on() for text in panel().texts)


def test_bounds_are_dotted_lines_within_sight():
    axes = panel(at_least=0.2, at_most=1.5)
    assert [line.get_xdata()[0] for line in axes.lines] == [0.2, 1.5]
    assert axes.get_xlim()[0] < 0.2 < 1.5 < axes.get_xlim()[1]
    assert not panel().lines


def test_the_box_reaches_over_the_middle_half():
    (box, _) = [patch for patch in panel().patches if patch.get_height() < 1]
    first, third = np.percentile(GOOD, [25, 75])
    assert (box.get_x(), box.get_x() + box.get_width()) == pytest.approx((first, third))
    lines = [
        line.get_segments()[0] for line in panel().collections if hasattr(line, "get_segments")
    ]
    assert lines[0][:, 0].tolist() == [min(GOOD), max(GOOD)]
    assert lines[1][:, 0].tolist() == [np.median(GOOD)] * 2


def test_a_row_without_any_value_has_crosses_alone():
    axes = panel(values={"good": GOOD, "bad": [None, None]})
    assert words(axes) == ["5 of 5", "0 of 2\n2 failed"]
    assert len([patch for patch in axes.patches if patch.get_height() < 1]) == 1


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_one_value_can_be_drawn(scale: str):
    low, high = panel(values={"alone": [0.5]}, scale=scale).get_xlim()
    assert low < 0.5 < high


def test_tensors_are_seeds_too():
    assert words(panel(values={"a": torch.tensor([0.5, torch.nan])})) == ["1 of 2\n1 failed"]


@given(places=st.lists(st.floats(0, 400), max_size=60))
def test_dots_stay_in_their_row_and_none_hides_another(places):
    at = np.array(places)
    off = swarm(at)
    assert (np.abs(off) < 0.5).all()
    close = np.abs(at - at[:, None]) < DOT - 1e-9
    alike = np.abs(off - off[:, None]) < 1e-9
    assert (close & alike).sum() == len(at)


def test_dots_that_coincide_are_a_dot_apart():
    off = np.sort(swarm(np.zeros(5)))
    np.testing.assert_allclose(np.diff(off), DOT / (72 * ROW))


def test_what_cannot_be_drawn_is_refused():
    with refuses(ValueError, "number of rows is 0"):
        panel(values={})
    with refuses(ValueError, "Unknown scale 'lin'"):
        panel(scale="lin")
    with refuses(ValueError, "at_least is nan; expected a number"):
        panel(at_least=float("nan"))
    with refuses(ValueError, "at_most is nan; expected a number"):
        panel(at_most=float("nan"))
    with refuses(ValueError, "No seed has a value; expected one at least"):
        panel(values={"bad": [None]})
    with refuses(ValueError, "least value or bound is 0, which no logarithmic axis"):
        panel(values={"zero": [0.0, 1.0]}, scale="log")
    with refuses(ValueError, r"values\['far'\] holds NaN or infinity"):
        panel(values={"far": [float("inf")]})
    with refuses(ValueError, r"values\['none'\] has shape \(0,\)"):
        panel(values={"none": []})


def test_a_logarithmic_axis_holds_the_least_and_the_greatest_value_with_little_room():
    low, high = plot_seeds("error", {"one": [0.01, 1.0]}, scale="log").axes[0].get_xlim()
    assert 0.005 < low < 0.01
    assert 1.0 < high < 2.0


@pytest.mark.parametrize("bounds", [{"at_most": 0.5}, {"at_least": 0.5}])
def test_a_seed_at_its_bound_keeps_it(bounds: dict[str, float]):
    axes = plot_seeds("error", {"one": [0.5, 0.5]}, **bounds).axes[0]
    kept = to_rgb(THEMES["light"].lines[0])
    dots = [each for each in axes.collections if len(each.get_facecolors()) == 1]
    (shown,) = [each for each in dots if tuple(each.get_facecolors()[0, :3]) == kept]
    assert len(shown.get_offsets()) == 2
    assert axes.texts[0].get_text() == "2 of 2 hold"


def test_a_bound_holds_up_to_the_rounding_of_single_precision():
    values = torch.tensor([19 / 20, 0.9, 1.0])
    assert float(values[0]) < 0.95
    axes = panel(values={"m": values}, at_least=0.95)
    assert words(axes) == ["2 of 3 hold"]
    assert [len(each) for each in dots(axes)[:2]] == [2, 1]
    assert words(panel(values={"m": [0.9499, 1.0]}, at_least=0.95)) == ["1 of 2 hold"]


def test_what_an_array_masks_is_a_gap_and_complex_numbers_are_refused():
    masked = np.ma.masked_greater([0.2, 0.3, 999.0], 10)
    assert words(panel(values={"m": masked})) == ["2 of 3\n1 failed"]
    with refuses(ValueError, r"values\['m'\] holds complex numbers; expected real ones"):
        panel(values={"m": np.array([1j])})


def test_bounds_that_exclude_everything_and_rows_without_any_value_are_refused():
    with refuses(ValueError, "at_least is 1 and at_most 0; expected the lower first"):
        panel(at_least=1.0, at_most=0.0)
    with refuses(ValueError, "No seed has a value"):
        panel(values={"m": [None, None]}, at_least=0.5)
