import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.pyplot import fignum_exists
from refusals import refuses

from latent_anchors.colorspace import rgb_grid
from latent_anchors.viz import plot_reconstructions, plot_swatches
from latent_anchors.viz._reconstructions import ACROSS
from latent_anchors.viz._themes import THEMES


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


CUBE = rgb_grid(3).reshape(3, 3, 3, 3)


def cells(axes) -> np.ndarray:
    """What is seen in the middle of each cell."""
    picture = np.asarray(axes.images[0].get_array())
    return picture[5::10, 5::10]


def test_every_slice_has_a_panel_and_every_color_its_cell():
    figure = plot_swatches(CUBE, titles=["dark", "", "light"], title="Slices")
    assert fignum_exists(figure.number)
    assert [axes.get_title() for axes in figure.axes] == ["dark", "", "light"]
    for panel, colors in zip(figure.axes, CUBE, strict=True):
        np.testing.assert_allclose(cells(panel), colors)
        assert not panel.collections[0].get_offsets().size


def test_a_single_slice_needs_no_axis_of_its_own():
    (panel,) = plot_swatches(CUBE[1]).axes
    np.testing.assert_allclose(cells(panel), CUBE[1])


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_is_held_out_is_as_empty_as_the_page_but_for_a_dot(theme):
    kept = torch.ones(3, 3, 3, dtype=torch.bool)
    kept[0, 2, 1] = False
    panels = plot_swatches(CUBE, kept, theme=theme).axes
    seen = cells(panels[0])
    np.testing.assert_allclose(seen[2, 1], to_rgb(THEMES[theme].page))
    np.testing.assert_allclose(seen[1, 2], CUBE[0, 1, 2])
    dots = [panel.collections[0].get_offsets().tolist() for panel in panels]
    assert dots == [[[1.0, 2.0]], [], []]


def test_names_stand_left_and_below():
    panel = plot_swatches(CUBE, rows=["a", "b", "c"], columns=["x", "y", "z"]).axes[0]
    assert [label.get_text() for label in panel.get_yticklabels()] == ["a", "b", "c"]
    assert [label.get_text() for label in panel.get_xticklabels()] == ["x", "y", "z"]
    assert panel.yaxis_inverted()


def test_what_is_no_grid_or_has_another_shape_is_refused():
    with refuses(ValueError, r"colors has shape \(27, 3\); expected \(panels, rows, columns, 3\)"):
        plot_swatches(rgb_grid(3))
    with refuses(ValueError, r"kept has shape \(3, 3\); expected \(3, 3, 3\)"):
        plot_swatches(CUBE, torch.ones(3, 3))
    with refuses(ValueError, "2 rows are named where there are 3"):
        plot_swatches(CUBE, rows=["a", "b"])
