import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgb
from matplotlib.pyplot import fignum_exists
from refusals import refuses

from latent_anchors.colorspace import rgb_grid
from latent_anchors.viz import plot_swatches
from latent_anchors.viz._themes import THEMES

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
