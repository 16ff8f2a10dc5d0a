import colorsys
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from refusals import refuses

from latent_anchors.colorspace import (
    HUES,
    grayness,
    hsv_similarity,
    hsv_to_rgb,
    hue_degree,
    named_colors,
    rgb_grid,
    rgb_to_hsv,
    vibrancy,
)

share = st.floats(0, 1)


def test_redness_is_the_formula_to_the_last_bit():
    r, g, b = rgb_grid(8).unbind(-1)
    assert torch.equal(hue_degree(rgb_grid(8), 0.0), r * (1 - g / 2 - b / 2))


@pytest.mark.parametrize("concept", HUES)
def test_every_hue_sees_its_neighbors_as_red_sees_its_own(concept):
    around = [(HUES[concept] + i / 12) % 1 for i in range(12)]
    colors = hsv_to_rgb(torch.tensor([[hue, 1, 1] for hue in around], dtype=torch.float64))
    expected = [1, 0.75, 0.5, 0.25, 0, 0, 0, 0, 0, 0.25, 0.5, 0.75]
    degrees = hue_degree(colors, HUES[concept])
    torch.testing.assert_close(degrees, degrees.new_tensor(expected))


@pytest.mark.parametrize("concept", HUES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_named_hue_has_itself_exactly_once_in_full(concept, dtype):
    degrees = hue_degree(named_colors(*HUES, dtype=dtype), HUES[concept])
    assert (degrees == 1).tolist() == [name == concept for name in HUES]


@pytest.mark.parametrize("concept", HUES)
def test_grays_have_a_little_of_every_hue_but_black_and_white_none(concept):
    grays = named_colors("black", "gray", "white")
    assert hue_degree(grays, HUES[concept]).tolist() == [0, 0.25, 0]


def test_greenness_exchanges_channels(generator):
    r, g, b = torch.rand(100, 3, generator=generator, dtype=torch.float64).unbind(-1)
    greenness = hue_degree(torch.stack((r, g, b), -1), 1 / 3)
    torch.testing.assert_close(greenness, g * (1 - r / 2 - b / 2))


@given(rgb=st.tuples(share, share, share), hue=st.floats(-2, 2))
def test_degrees_lie_between_none_and_all(rgb, hue):
    colors = torch.tensor(rgb)
    for degree in (hue_degree(colors, hue), vibrancy(colors), grayness(colors)):
        assert 0 <= degree <= 1


@given(rgb=st.tuples(share, share, share))
def test_vibrancy_is_saturation_times_value_and_grayness_the_rest(rgb):
    colors = torch.tensor(rgb, dtype=torch.float64)
    _, saturation, value = rgb_to_hsv(colors)
    torch.testing.assert_close(vibrancy(colors), saturation * value)
    torch.testing.assert_close(vibrancy(colors) + grayness(colors), colors.new_ones(()))


@pytest.mark.parametrize("degree", [lambda c: hue_degree(c, 0.1), vibrancy, grayness])
def test_degrees_have_finite_gradients_where_hue_has_none(degree):
    colors = torch.cat([rgb_grid(3), torch.tensor([[-0.2, 0.3, 1.4], [1.5, 1.5, 1.5]])])
    colors.requires_grad_()
    degree(colors).sum().backward()
    assert colors.grad.isfinite().all()


def test_degrees_may_be_mapped():
    colors = rgb_grid(3)
    mapped = torch.func.vmap(lambda color: hue_degree(color, 0.1))(colors)
    torch.testing.assert_close(mapped, hue_degree(colors, 0.1))


def test_a_hue_that_is_no_number_is_refused():
    with refuses(ValueError, "hue is nan; expected a finite number"):
        hue_degree(torch.zeros(3), math.nan)


share_of_similarity = st.floats(0, 1)
color = st.tuples(share_of_similarity, share_of_similarity, share_of_similarity)


def naive_similarity(one, two):
    """The definition in degrees, a color at a time."""
    (h1, s1, v1), (h2, s2, v2) = colorsys.rgb_to_hsv(*one), colorsys.rgb_to_hsv(*two)
    degrees = abs(h1 - h2) * 360
    hue = max(0, 1 - min(degrees, 360 - degrees) / 90)
    rho = (s1 * v1 + s2 * v2) / 2
    return (rho * hue + 1 - rho) * (1 - abs(s1 - s2)) * (1 - abs(v1 - v2))


@pytest.mark.parametrize("concept", HUES)
def test_similarity_follows_the_definition(concept):
    grid, other = rgb_grid(8, dtype=torch.float64), named_colors(concept, dtype=torch.float64)
    expected = [naive_similarity(one, other[0].tolist()) for one in grid.tolist()]
    torch.testing.assert_close(hsv_similarity(grid, other), grid.new_tensor(expected))


def test_for_pure_concepts_similarity_is_hue_times_vibrancy():
    grid, red = rgb_grid(8, dtype=torch.float64), torch.tensor([1.0, 0.0, 0.0]).double()
    hue = rgb_to_hsv(grid)[:, 0]
    alike = (1 - 4 * torch.minimum(hue, 1 - hue)).clamp(min=0)
    rho = (vibrancy(grid) + 1) / 2
    torch.testing.assert_close(hsv_similarity(grid, red), (rho * alike + 1 - rho) * vibrancy(grid))


@given(one=color, two=color)
def test_similarity_is_symmetric_and_largest_for_equal_colors(one, two):
    one, two = torch.tensor([one, two], dtype=torch.float64)
    there, back = hsv_similarity(one, two), hsv_similarity(two, one)
    torch.testing.assert_close(there, back)
    assert -1e-12 <= there <= 1 + 1e-12
    torch.testing.assert_close(hsv_similarity(one, one), torch.ones(()).double())


@given(by=st.sampled_from([i / 12 for i in range(12)]))
def test_turning_color_and_concept_together_changes_nothing(by):
    colors = torch.tensor([[0.1, 0.7, 0.9], [0.3, 1.0, 0.6]], dtype=torch.float64)
    turned = colors + colors.new_tensor([by, 0, 0])
    before = hsv_similarity(*hsv_to_rgb(colors))
    torch.testing.assert_close(hsv_similarity(*hsv_to_rgb(turned)), before)


def test_black_is_nothing_like_white_nor_red_like_cyan():
    colors, others = named_colors("black", "red"), named_colors("white", "cyan")
    assert hsv_similarity(colors, others).tolist() == [0, 0]


def test_similarity_has_finite_gradients_and_may_be_mapped():
    grid = rgb_grid(3).requires_grad_()
    red = named_colors("red")[0]
    hsv_similarity(grid, red).sum().backward()
    assert grid.grad.isfinite().all()
    mapped = torch.func.vmap(lambda one: hsv_similarity(one, red))(grid.detach())
    torch.testing.assert_close(mapped, hsv_similarity(grid.detach(), red))


@pytest.mark.parametrize("hue", [0.0, 1 / 3, 2 / 3, -1 / 3, 4 / 3])
@pytest.mark.parametrize("gray", [0.1, 0.5, 0.9])
def test_at_grays_the_slope_towards_a_channels_hue_is_that_of_differences(hue, gray):
    colors = torch.full((3,), gray, dtype=torch.float64, requires_grad=True)
    hue_degree(colors, hue).backward()
    near = 1e-6 * torch.eye(3, dtype=torch.float64)
    with torch.no_grad():
        ahead, behind = (hue_degree(colors + sign * near, hue) for sign in (1, -1))
    torch.testing.assert_close(colors.grad, (ahead - behind) / 2e-6, atol=1e-6, rtol=1e-6)
    assert int(colors.grad.argmax()) == round(3 * hue) % 3
