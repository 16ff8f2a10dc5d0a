import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from refusals import refuses

from latent_anchors.viz import plot_reconstructions
from latent_anchors.viz._reconstructions import ACROSS


def shown(axes: Axes, row: float, column: float) -> np.ndarray:
    """The color that is drawn at a place."""
    (image,) = axes.images
    pixels = np.asarray(image.get_array())
    left, right, bottom, top = image.get_extent()
    down, across = (row - top) / (bottom - top), (column - left) / (right - left)
    return pixels[int(down * pixels.shape[0]), int(across * pixels.shape[1])]


@given(st.integers(1, 5), st.integers(1, 5), st.data())
def test_a_patch_is_what_came_out_and_its_middle_what_went_in(rows, columns, data):
    random = torch.Generator().manual_seed(rows * 10 + columns)
    true, said = torch.rand(2, rows, columns, 3, generator=random, dtype=torch.float64)
    row, column = data.draw(st.integers(0, rows - 1)), data.draw(st.integers(0, columns - 1))
    axes = plot_reconstructions(true, said).axes[0]
    assert shown(axes, row, column).tolist() == true[row, column].tolist()
    for corner in (-0.4, 0.4):
        assert shown(axes, row + corner, column - corner).tolist() == said[row, column].tolist()
    plt.close("all")


def test_several_grids_are_several_panels_with_their_titles():
    grids = torch.rand(3, 2, 4, 3)
    figure = plot_reconstructions(grids, grids, titles=["first", "second", "third"])
    assert [axes.get_title() for axes in figure.axes] == ["first", "second", "third"]
    middles = np.stack([shown(axes, 1, 3) for axes in figure.axes])
    np.testing.assert_allclose(middles, grids[:, 1, 3])


def test_rows_are_named_at_the_left_and_columns_at_the_bottom_only():
    grids = torch.rand(ACROSS + 1, 1, 2, 3)
    axes = plot_reconstructions(grids, grids, rows=["a"], columns=["b_c", "d"]).axes
    rows = [[label.get_text() for label in panel.get_yticklabels()] for panel in axes]
    columns = [[label.get_text() for label in panel.get_xticklabels()] for panel in axes]
    assert rows == [["a"], *[[]] * (ACROSS - 1), ["a"]]
    assert columns == [[], *[["b\nc", "d"]] * ACROSS]


def test_a_figure_is_no_wider_than_a_page():
    grids = torch.rand(12, 2, 20, 3)
    assert plot_reconstructions(grids, grids).get_figwidth() <= 9 + 1e-9


@pytest.mark.parametrize("kind", ["titles", "rows", "columns"])
def test_names_that_are_not_one_for_each_are_refused(kind: str):
    grids = torch.rand(2, 3, 4, 3)
    with refuses(ValueError, f"5 {kind} are named where there are .; expected a name for each"):
        plot_reconstructions(grids, grids, **{kind: list("abcde")})


def test_another_shape_is_refused():
    with refuses(ValueError, r"reconstructions has shape \(4, 3, 3\); expected \(3, 4, 3\)"):
        plot_reconstructions(torch.rand(3, 4, 3), torch.rand(4, 3, 3))
    with refuses(ValueError, r"colors has shape \(17, 3\); expected .*rows, columns, 3\)"):
        plot_reconstructions(torch.rand(17, 3), torch.rand(17, 3))


def test_white_on_white_has_an_end():
    figure = plot_reconstructions(np.ones((2, 3, 3)), np.ones((2, 3, 3)))
    assert all(spine.get_visible() for spine in figure.axes[0].spines.values())
