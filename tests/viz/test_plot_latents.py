import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.axes import Axes
from refusals import refuses

from latent_anchors.colorspace import rgb_grid
from latent_anchors.viz import plot_latents
from latent_anchors.viz._plot_latents import point_width, rim, silhouette

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


ON_SPHERE, CONE_COLORS = np.eye(4), np.eye(4)[:, :3]
coordinate = st.floats(-1, 1).map(lambda x: round(x, 2))
axes3 = st.tuples(coordinate, coordinate, coordinate).filter(lambda v: np.linalg.norm(v) > 0.1)


def drawn(axes: Axes) -> list[np.ndarray]:
    """The sides and the rim, without the compass."""
    return [line.get_xydata() for line in axes.lines if line.get_transform() != axes.transAxes]


@given(axis=axes3, degrees=st.floats(1, 179))
def test_the_rim_lies_on_the_sphere_at_the_true_angle(axis, degrees):
    unit = np.array(axis) / np.linalg.norm(axis)
    points = rim(unit, degrees)
    np.testing.assert_allclose(np.linalg.norm(points, axis=1), 1)
    np.testing.assert_allclose(points @ unit, np.cos(np.radians(degrees)), atol=1e-9)


@given(axis=axes3, rest=st.floats(0.1, 0.9), degrees=st.floats(1, 89))
def test_a_cone_of_more_dimensions_is_cut_by_the_three_that_are_seen(axis, rest, degrees):
    seen = np.array(axis) / np.linalg.norm(axis) * rest
    points = rim(seen, degrees)
    assert len(points) > 0 or rest <= np.cos(np.radians(degrees))
    np.testing.assert_allclose(points @ seen, np.cos(np.radians(degrees)), atol=1e-9)


def test_a_cone_that_the_view_does_not_cut_is_not_drawn():
    assert len(rim(np.zeros(3), 30.0)) == 0
    (away,) = plot_latents(
        ON_SPHERE, CONE_COLORS, cone=([0, 0, 0, 1], 30.0), views=[(1, 0, 2)]
    ).axes
    assert drawn(away) == []


def test_seen_from_the_side_the_rim_is_a_line_and_the_sides_meet_in_the_middle():
    (axes,) = plot_latents(
        ON_SPHERE, CONE_COLORS, cone=([5, 0, 0, 0], 30.0), views=[(1, 0, 2)]
    ).axes
    sides, edge = drawn(axes)
    np.testing.assert_allclose(edge[:, 1], np.cos(np.pi / 6))
    assert np.ptp(edge[:, 0]) == pytest.approx(1.0, abs=1e-3)
    assert sides[1].tolist() == [0, 0]
    np.testing.assert_allclose(np.linalg.norm(sides[[0, 2]], axis=1), 1, atol=1e-3)
    assert axes.texts[-1].get_text() == "30°"


def test_seen_from_above_it_is_a_circle_alone():
    (axes,) = plot_latents(
        ON_SPHERE, CONE_COLORS, cone=([1, 0, 0, 0], 30.0), views=[(1, 2, 0)]
    ).axes
    sides, edge = drawn(axes)
    np.testing.assert_allclose(np.linalg.norm(edge, axis=1), 0.5)
    np.testing.assert_allclose(sides, edge)


@given(axis=axes3, degrees=st.floats(5, 80))
def test_no_part_of_a_rim_lies_beyond_the_sides(axis, degrees):
    edge = rim(np.array(axis) / np.linalg.norm(axis), degrees)[:, :2]
    outline = silhouette(edge)
    if len(outline) == 3:
        low, tip, high = outline
        assert tip.tolist() == [0, 0]
        assert (low[0] * edge[:, 1] - low[1] * edge[:, 0]).min() > -1e-9
        assert (high[0] * edge[:, 1] - high[1] * edge[:, 0]).max() < 1e-9
    else:
        np.testing.assert_allclose(outline, edge)


def test_without_a_cone_there_is_none():
    assert drawn(plot_latents(ON_SPHERE, CONE_COLORS, views=[(1, 0, 2)]).axes[0]) == []


def test_what_is_no_cone_is_refused():
    with refuses(ValueError, "cone's angle is 181.0; expected a number from 0.0 to 180.0"):
        plot_latents(ON_SPHERE, CONE_COLORS, cone=([1, 0, 0, 0], 181.0))
    with refuses(ValueError, r"the cone's direction has shape \(3,\); expected \(4\)"):
        plot_latents(ON_SPHERE, CONE_COLORS, cone=([1, 0, 0], 30.0))
    with refuses(ValueError, "points nowhere"):
        plot_latents(ON_SPHERE, CONE_COLORS, cone=([0, 0, 0, 0], 30.0))


@pytest.mark.parametrize("cone", [([0, 0, 0, 0, 1], 30.0), ([1, 0, 0, 0, 0], 180.0)])
def test_a_cone_that_no_view_shows_is_not_said_to_be_outlined(cone):
    assert "outlined" not in plot_latents(Z, COLORS, views=[(1, 0, 2)], cone=cone).get_label()
    seen = plot_latents(Z, COLORS, views=[(1, 0, 2)], cone=([1, 0, 0, 0, 0], 30.0))
    assert "A cone of 30 degrees is outlined" in seen.get_label()
