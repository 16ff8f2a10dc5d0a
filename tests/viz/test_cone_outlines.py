import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.axes import Axes
from refusals import refuses

from latent_anchors.viz import plot_latents
from latent_anchors.viz._cone_outlines import rim, silhouette

Z, COLORS = np.eye(4), np.eye(4)[:, :3]
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
    (away,) = plot_latents(Z, COLORS, cone=([0, 0, 0, 1], 30.0), views=[(1, 0, 2)]).axes
    assert drawn(away) == []


def test_seen_from_the_side_the_rim_is_a_line_and_the_sides_meet_in_the_middle():
    (axes,) = plot_latents(Z, COLORS, cone=([5, 0, 0, 0], 30.0), views=[(1, 0, 2)]).axes
    sides, edge = drawn(axes)
    np.testing.assert_allclose(edge[:, 1], np.cos(np.pi / 6))
    assert np.ptp(edge[:, 0]) == pytest.approx(1.0, abs=1e-3)
    assert sides[1].tolist() == [0, 0]
    np.testing.assert_allclose(np.linalg.norm(sides[[0, 2]], axis=1), 1, atol=1e-3)
    assert axes.texts[-1].get_text() == "30°"


def test_seen_from_above_it_is_a_circle_alone():
    (axes,) = plot_latents(Z, COLORS, cone=([1, 0, 0, 0], 30.0), views=[(1, 2, 0)]).axes
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
    assert drawn(plot_latents(Z, COLORS, views=[(1, 0, 2)]).axes[0]) == []


def test_what_is_no_cone_is_refused():
    with refuses(ValueError, "cone's angle is 181.0; expected a number from 0.0 to 180.0"):
        plot_latents(Z, COLORS, cone=([1, 0, 0, 0], 181.0))
    with refuses(ValueError, r"the cone's direction has shape \(3,\); expected \(4\)"):
        plot_latents(Z, COLORS, cone=([1, 0, 0], 30.0))
    with refuses(ValueError, "points nowhere"):
        plot_latents(Z, COLORS, cone=([0, 0, 0, 0], 30.0))
