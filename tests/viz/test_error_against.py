import numpy as np
import pytest
import torch
from matplotlib.axes import Axes
from refusals import refuses

from latent_anchors.evaluation import squared_correlation
from latent_anchors.viz import plot_error_against

draw = torch.Generator().manual_seed(0)
X, COLORS = torch.rand(30, generator=draw), torch.rand(30, 3, generator=draw)
ERRORS = X / 5 + 0.05 * torch.rand(3, 30, generator=draw)


def panel(errors: torch.Tensor = ERRORS) -> Axes:
    return plot_error_against("likeness", X, errors, COLORS).axes[0]


def words(axes: Axes) -> str:
    return axes.get_legend().texts[0].get_text()


def test_every_color_is_a_dot_in_its_color_at_the_mean():
    dots = panel().collections[-1]
    np.testing.assert_allclose(dots.get_offsets(), torch.stack([X, ERRORS.mean(0)], -1), rtol=1e-6)
    np.testing.assert_allclose(dots.get_facecolors()[:, :3], COLORS, rtol=1e-6)


def test_a_hairline_reaches_from_the_least_to_the_greatest():
    hairs = np.array(panel().collections[0].get_segments())
    ends = torch.stack([ERRORS.amin(0), ERRORS.amax(0)], -1)
    np.testing.assert_allclose(hairs[:, :, 1], ends, rtol=1e-6)
    assert len(panel(ERRORS[0]).collections) == 1


def test_the_line_is_that_of_least_squares():
    (line,) = panel().lines
    slope, constant = np.polyfit(X, ERRORS.mean(0), 1)
    np.testing.assert_allclose(line.get_ydata(), slope * line.get_xdata() + constant, rtol=1e-4)
    assert line.get_xdata().tolist() == pytest.approx([X.min().item(), X.max().item()])


def test_the_legend_tells_how_much_is_explained_over_runs():
    each = squared_correlation(ERRORS, X.expand(3, 30))
    assert (
        words(panel()) == f"R² {each.mean():.3f} ({each.min():.3f} to {each.max():.3f} over 3 runs)"
    )
    assert words(panel(ERRORS[1])) == f"R² {each[1]:.3f}"
    assert words(panel(-ERRORS[1] + 1)) == "R² 0.000"


def test_axes_tell_what_is_compared_and_how_many_runs_there_are():
    axes = panel()
    assert axes.get_xlabel() == "likeness"
    assert axes.get_ylabel() == "mean squared error\nmean and range of 3 runs"
    assert panel(ERRORS[0]).get_ylabel() == "mean squared error"


def test_what_does_not_fit_is_refused():
    with refuses(ValueError, r"errors has shape \(3, 29\); expected \(runs, 30\)"):
        panel(ERRORS[:, 1:])
    with refuses(ValueError, r"colors has shape \(29, 3\); expected \(30, 3\)"):
        plot_error_against("likeness", X, ERRORS, COLORS[1:])
    with refuses(ValueError, "predictor is 1 for every color; expected at least two values"):
        plot_error_against("likeness", torch.ones(30), ERRORS, COLORS)


def test_where_errors_fall_there_is_no_line_that_would_explain_them():
    figure = plot_error_against("likeness", [0, 0.5, 1], [0.2, 0.1, 0.0], COLORS[:3])
    (line,) = figure.axes[0].lines
    assert len(line.get_xdata()) == 0
    assert line.get_label() == "R² 0.000"
    assert "which explains 0% of their variance" in figure.get_label()
