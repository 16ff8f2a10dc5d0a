import numpy as np
import pytest
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from refusals import refuses

from latent_anchors.evaluation import Frontier
from latent_anchors.viz import plot_frontier
from latent_anchors.viz._frontier import MARKERS
from latent_anchors.viz._themes import THEMES

REMOVAL = np.array([[0.2, 0.4], [1.0, 1.2], [1.6, 2.0]])
COLLATERAL = np.array([[0.0, 0.0], [0.001, 0.003], [0.002, 0.006]])
CURVES = {"steered": (REMOVAL[:, 0], 50 * COLLATERAL[:, 0]), "anchored": (REMOVAL, COLLATERAL)}


def drawn(**options: object) -> Figure:
    return plot_frontier(**{"curves": CURVES, "ours": ["anchored"]} | options)


def lines(axes: Axes) -> dict[str, Line2D]:
    """By the shape of their marks."""
    return {line.get_marker(): line for line in axes.lines if line.get_marker() in MARKERS}


def test_a_line_joins_the_means_over_runs_in_the_order_of_strengths():
    anchored, steered = lines(drawn().axes[0]).values()
    np.testing.assert_allclose(anchored.get_xydata(), np.stack([REMOVAL, COLLATERAL]).mean(-1).T)
    np.testing.assert_allclose(steered.get_xydata().T, CURVES["steered"])


def test_every_run_is_a_faint_dot_and_a_single_one_is_its_line_alone():
    (dots,) = drawn().axes[0].collections
    np.testing.assert_allclose(dots.get_offsets().T, [REMOVAL.ravel(), COLLATERAL.ravel()])
    assert dots.get_alpha() < 0.5


def test_what_failed_is_left_out_in_both_directions_and_said():
    removal = REMOVAL.tolist()
    removal[1][1] = None
    figure = drawn(
        curves={"anchored": (torch.tensor(REMOVAL), COLLATERAL), "b": (removal, REMOVAL)}
    )
    mean = lines(figure.axes[0])["s"].get_xydata()
    assert mean[1].tolist() == [1.0, 1.0]
    for words in (figure.get_label(), f"{figure.get_supxlabel()}."):
        assert words.endswith("Failed and left out: 1 of 6 values of b.")
    assert "Failed" not in drawn().get_label() + drawn().get_supxlabel()


def test_over_a_strength_without_any_value_neighbors_are_joined_as_where_costs_are_read_off():
    gap = [0.1, float("nan"), 0.3]
    (line,) = lines(drawn(curves={"anchored": (gap, [1, 2, 3])}).axes[0]).values()
    assert line.get_xydata().tolist() == [[0.1, 1], [0.3, 3]]
    curve = tuple(torch.tensor(each)[:, None] for each in (gap, [1.0, 2.0, 3.0]))
    assert float(Frontier({"anchored": curve}).collateral_at(0.2)["anchored"]) == pytest.approx(2)


def test_ours_are_thick_and_filled_and_rivals_thin_and_open():
    anchored, steered = lines(drawn().axes[0]).values()
    page = THEMES["light"].page
    assert anchored.get_linewidth() > steered.get_linewidth()
    assert anchored.get_zorder() > steered.get_zorder()
    assert (anchored.get_markerfacecolor() == page, steered.get_markerfacecolor() == page) == (
        False,
        True,
    )


@pytest.mark.parametrize("theme", [*THEMES])
def test_eight_methods_differ_in_shape_and_in_ink(theme: str):
    many = {f"{k}": (REMOVAL, COLLATERAL + k / 100) for k in range(8)}
    shown = lines(drawn(curves=many, ours=["3"], theme=theme).axes[0])
    assert [*shown] == [*MARKERS]
    assert len({line.get_color() for line in shown.values()}) == 8


def test_a_reference_is_a_dashed_line_with_its_name():
    axes = drawn(reference=3.0, reference_name="never seen").axes[0]
    (dashed,) = [line for line in axes.lines if line.get_linestyle() == "--"]
    assert dashed.get_xdata() == [3.0, 3.0]
    assert axes.get_xlim()[1] > 3.0
    assert "never seen" in [text.get_text() for text in axes.texts]
    assert "Reference of never seen: 3." in axes.figure.get_label()
    assert "0.5" in [text.get_text() for text in drawn(reference=0.5).axes[0].texts]


def test_axes_say_what_they_are():
    axes = drawn(removal="share removed", collateral="nats").axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("share removed", "nats")


def test_its_label_says_what_each_method_reaches():
    words = drawn().get_label()
    assert "anchored: from 0.3 at 0 to 1.8 at 0.004." in words
    assert "steered: from 0.2 at 0 to 1.6 at 0.1." in words
    back = drawn(curves={"anchored": ([0.5, 0.2], [0.1, 0.2])}).get_label()
    assert "anchored: from 0.5 at 0.1." in back


def test_what_cannot_be_drawn_is_refused():
    with refuses(ValueError, "0 methods were given; expected 1 to 8"):
        drawn(curves={})
    with refuses(ValueError, "9 methods were given; expected 1 to 8"):
        drawn(curves=dict.fromkeys("abcdefghi", (REMOVAL, COLLATERAL)))
    with refuses(ValueError, "'a' has 1 part; expected 2: its removal and its collateral"):
        drawn(curves={"a": (REMOVAL,)})
    with refuses(ValueError, r"removal of 'a' has shape \(\); expected \(strengths\)"):
        drawn(curves={"a": (0.5, 0.5)})
    with refuses(ValueError, r"collateral of 'a' has shape \(3,\); expected \(3, 2\)"):
        drawn(curves={"a": (REMOVAL, COLLATERAL[:, 0])})
    with refuses(ValueError, "collateral of 'a' holds NaN or infinity"):
        drawn(curves={"a": (REMOVAL, COLLATERAL + np.inf)})
    with refuses(ValueError, "No run of 'a' has a value"):
        drawn(curves={"a": ([0.1, None], [None, 0.1])})
    with refuses(ValueError, "Unknown method in ours 'anchord'.*mean 'anchored'"):
        drawn(ours=["anchord"])
    with refuses(ValueError, "reference is nan; expected a finite number"):
        drawn(reference=float("nan"))
    with refuses(ValueError, "reference_name is 'oracle', and there is no reference"):
        drawn(reference_name="oracle")
    for threshold in (0.0, float("nan"), float("inf")):
        with refuses(ValueError, "threshold is .*; expected a positive number"):
            drawn(threshold=threshold)
