import colorsys

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from latent_anchors.colorspace import (
    HUES,
    hsv_similarity,
    hsv_to_rgb,
    named_colors,
    rgb_grid,
    rgb_to_hsv,
    vibrancy,
)

share = st.floats(0, 1)
color = st.tuples(share, share, share)


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
