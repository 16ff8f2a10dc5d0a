from collections.abc import Callable

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.axis import Axis

from latent_anchors.viz._log_axes import (
    TICKS,
    linear_up_to,
    number_low_panel,
    number_plainly,
    scale_upward,
    ticks_between,
)


def scaled(values: list[float], threshold: float) -> Axes:
    axes = plt.figure().add_subplot()
    scale_upward(axes, np.array(values), threshold)
    return axes


def labels(axes: Axes) -> list[str]:
    return [label.get_text() for label in axes.get_yticklabels()]


@pytest.mark.parametrize(
    ("values", "threshold"),
    [
        ([0.5, 0.2], 0.1),
        ([0.0, 0.0004, 0.3], 0.001),
        ([-0.3, 0.02, np.nan], 0.01),
        ([0.0, 0.0], 1.0),
        ([200.0], 100.0),
    ],
)
def test_it_becomes_linear_at_the_least_value_but_not_too_far_below_the_greatest(values, threshold):
    assert linear_up_to(np.array(values)) == pytest.approx(threshold)


def test_none_little_and_much_lie_apart_and_have_plain_numbers():
    axes = scaled([0.0, 0.001, 0.1, 0.35], 0.001)
    assert labels(axes) == ["0", "0.001", "0.003", "0.01", "0.03", "0.1", "0.3"]
    places = axes.transData.transform([(0, y) for y in (0.0, 0.001, 0.01, 0.1)])[:, 1]
    assert (np.diff(places) > 40).all()


def test_it_is_linear_up_to_its_threshold_and_logarithmic_beyond():
    axes = scaled([0.0, 100.0], 1.0)
    at = axes.transData.transform([(0, y) for y in (0.0, 0.5, 1.0, 10.0, 100.0)])[:, 1]
    assert at[1] - at[0] == pytest.approx(at[2] - at[1])
    assert at[3] - at[2] == pytest.approx(at[4] - at[3])


def test_it_holds_all_values_and_none():
    low, high = scaled([0.2, 0.3, np.nan], 0.1).get_ylim()
    assert low < 0 < 0.3 < high
    low, high = scaled([-0.2, 0.001], 0.1).get_ylim()
    assert low < -0.2 < 0.1 < high


def test_below_none_numbers_have_a_minus_sign():
    assert labels(scaled([-2.0, 1.0], 1.0)) == ["\N{MINUS SIGN}1", "0", "1"]


def test_there_are_no_more_numbers_than_can_be_read():
    few, many = ticks_between(0.0, 10.0, 0.1), ticks_between(0.0, 1e5, 0.1)
    np.testing.assert_allclose(few, [0, 0.1, 0.3, 1, 3, 10])
    np.testing.assert_allclose(many, [0, *10.0 ** np.arange(-1, 6)])
    assert max(len(few), len(many)) <= TICKS


def numbers(ends: tuple[float, float], number: Callable[[Axis], None]) -> set[str]:
    figure, axes = plt.subplots()
    axes.set(yscale="log", ylim=ends)
    number(axes.yaxis)
    figure.canvas.draw()
    ticks = [*axes.yaxis.get_major_ticks(), *axes.yaxis.get_minor_ticks()]
    plt.close(figure)
    return {t.label1.get_text() for t in ticks if ends[0] <= t.get_loc() <= ends[1]} - {""}


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ((3.5, 7.4), ["4", "5", "6", "7"]),
        ((0.02, 0.09), ["0.02", "0.03", "0.04", "0.05", "0.06", "0.07", "0.08", "0.09"]),
        ((0.5, 200), ["1", "10", "100"]),
    ],
)
def test_numbers_beside_a_logarithmic_axis_are_plain_and_there_are_some(ends, expected):
    assert numbers(ends, number_plainly) == {*expected}


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ((0.0015, 0.0078), ["0.002", "0.005"]),
        ((0.015, 0.2), ["0.02", "0.05", "0.1", "0.2"]),
        ((0.5, 200), [f"$\\mathdefault{{10^{{{k}}}}}$" for k in range(3)]),
    ],
)
def test_a_low_panel_has_two_numbers_or_more(ends, expected):
    assert numbers(ends, number_low_panel) == {*expected}
