import numpy as np
import pytest
import torch
from refusals import refuses

from latent_anchors.colorspace import rgb_grid
from latent_anchors.viz import plot_latents
from latent_anchors.viz._plot_latents import point_width

COLORS = rgb_grid(2)
Z = torch.nn.functional.normalize(COLORS @ torch.linspace(-1, 1, 15).reshape(3, 5) + 0.1, dim=-1)


def order_of_depth(dim: int) -> torch.Tensor:
    return Z[:, dim].argsort(stable=True)


@pytest.mark.parametrize("view", [(1, 0, 2), (1, 3, 0), (4, 2, 3)])
def test_points_lie_at_the_first_two_dimensions_of_a_view_the_deepest_first(view):
    points = plot_latents(Z, COLORS, views=[view]).axes[0].collections[0]
    expected = Z[order_of_depth(view[2])][:, view[:2]]
    np.testing.assert_allclose(points.get_offsets(), expected, rtol=1e-6)


def test_points_have_their_own_colors_and_rings_the_reconstructions():
    points = plot_latents(Z, COLORS, 1 - COLORS, views=[(1, 0, 2)]).axes[0].collections[0]
    near_last = COLORS[order_of_depth(2)]
    np.testing.assert_allclose(points.get_facecolors()[:, :3], near_last)
    np.testing.assert_allclose(points.get_edgecolors()[:, :3], 1 - near_last)


def test_without_reconstructions_points_have_no_ring_of_another_color():
    points = plot_latents(Z, COLORS, views=[(1, 0, 2)]).axes[0].collections[0]
    assert len(points.get_edgecolors()) == 1
    assert points.get_linewidths()[0] < 0.1 * point_width(len(Z))


def test_a_ring_takes_two_fifths_of_the_radius_of_an_unchanged_point():
    points = plot_latents(Z, COLORS, COLORS, views=[(1, 0, 2)]).axes[0].collections[0]
    edge, path = points.get_linewidths()[0], points.get_sizes()[0] ** 0.5
    assert path + edge == pytest.approx(point_width(len(Z)))
    assert edge == pytest.approx(0.4 * (path + edge) / 2)


def test_the_disc_lies_behind_the_points_and_the_outline_in_front():
    axes = plot_latents(Z, COLORS, views=[(1, 0, 2)]).axes[0]
    disc, outline = axes.patches
    assert disc.get_zorder() < axes.collections[0].get_zorder() < outline.get_zorder()
    assert disc.get_facecolor()[3] == 1
    assert not outline.get_fill()


def test_each_panel_tells_its_dimensions():
    panels = plot_latents(Z, COLORS).axes
    told = [[text.get_text() for text in panel.texts] for panel in panels]
    assert told == [
        ["$z_{1}$", "$z_{0}$", "$z_{2}$"],
        ["$z_{1}$", "$z_{2}$", "$z_{0}$"],
        ["$z_{1}$", "$z_{3}$", "$z_{0}$"],
    ]


def test_latents_beyond_the_sphere_are_in_sight():
    axes = plot_latents(5 * Z, COLORS, views=[(1, 0, 2)]).axes[0]
    assert axes.get_xlim()[1] > 5 * Z[:, :2].abs().max()


def test_many_points_are_smaller_than_few():
    assert point_width(10) > point_width(500) > point_width(1500)


@pytest.mark.parametrize("view", [(1, 0, 5), (1, 1, 0), (-1, 0, 1), (0, 1)])
def test_a_view_of_a_missing_dimension_is_refused(view):
    with refuses(ValueError, r"View .* latents of 5 dimensions.*different ones from 0 to 4"):
        plot_latents(Z, COLORS, views=[(1, 0, 2), view])


def test_the_usual_views_need_four_dimensions():
    with refuses(ValueError, r"View \(1, 3, 0\) does not fit latents of 3 dimensions"):
        plot_latents(Z[:, :3], COLORS)


def test_no_view_is_refused():
    with refuses(ValueError, "number of views is 0; expected at least 1"):
        plot_latents(Z, COLORS, views=[])


def test_colors_of_other_points_are_refused():
    with refuses(ValueError, r"colors has shape \(7, 3\); expected \(8, 3\)"):
        plot_latents(Z, COLORS[1:])
    with refuses(ValueError, r"reconstructions has shape \(2, 8, 3\); expected \(8, 3\)"):
        plot_latents(Z, COLORS, torch.stack([COLORS, COLORS]))
