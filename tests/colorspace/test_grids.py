import math
from fractions import Fraction

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from refusals import refuses

from latent_anchors.colorspace import (
    hsv_grid,
    hsv_to_rgb,
    hue_between,
    named_colors,
    rgb_grid,
    rgb_midpoints,
)


@pytest.mark.parametrize("n", [2, 5, 8])
def test_the_grid_holds_every_mixture_once_red_slowest(n):
    values = torch.linspace(0, 1, n).tolist()
    assert rgb_grid(n).tolist() == [[r, g, b] for r in values for g in values for b in values]


@pytest.mark.parametrize("grid", [rgb_grid, rgb_midpoints])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_in_half_precision_a_grid_is_rounded_once(grid, dtype):
    assert torch.equal(grid(8, dtype=dtype), grid(8).to(dtype))


def test_midpoints_are_the_centers_of_the_cells():
    grid = rgb_grid(8, dtype=torch.float64)
    distances = torch.cdist(rgb_midpoints(8, dtype=torch.float64), grid)
    nearest = distances.topk(8, largest=False).values
    assert rgb_midpoints(8).shape == (343, 3)
    torch.testing.assert_close(nearest, torch.full_like(nearest, math.sqrt(3) / 14))


@pytest.mark.parametrize("grid", [rgb_grid, rgb_midpoints])
def test_a_grid_of_one_value_is_refused(grid):
    with refuses(ValueError, "n is 1; expected at least 2"):
        grid(1)
    with refuses(TypeError, "n is 8.0; expected a whole number"):
        grid(8.0)


def test_hsv_cells_are_listed_hue_slowest_and_their_colors_are_theirs():
    grid = hsv_grid(3, [0.5, 1.0], [0.0, 0.25, 1.0], dtype=torch.float64)
    assert grid.shape == (3, 2, 3)
    assert torch.equal(grid.hsv[:3, 2], torch.tensor([0.0, 0.25, 1.0]).double())
    assert torch.equal(grid.hsv[::6, 0], torch.tensor([0, 1 / 3, 2 / 3], dtype=torch.float64))
    torch.testing.assert_close(grid.rgb, hsv_to_rgb(grid.hsv))


def test_weights_are_the_shares_counted_by_hand():
    """Of a 3 x 3 x 3 cube, values down and saturations across."""
    weight = hsv_grid(3, 3, 3, dtype=torch.float64).weight.unflatten(0, (3, 3, 3))
    by_hand = [["1/9", "1/9", "1/9"], ["2/9", "7/18", "5/9"], ["1/3", "2/3", "1"]]
    expected = torch.tensor([[float(Fraction(x)) for x in row] for row in by_hand]).double()
    torch.testing.assert_close(weight, expected.T.expand(3, 3, 3), rtol=1e-6, atol=0)


@given(hues=st.integers(1, 12), saturations=st.integers(2, 6), values=st.integers(2, 6))
def test_all_blacks_together_weigh_one_and_so_do_all_whites(hues, saturations, values):
    grid = hsv_grid(hues, saturations, values, dtype=torch.float64)
    _, s, v = grid.hsv.unbind(-1)
    assert grid.weight[v == 0].sum().item() == pytest.approx(1)
    assert grid.weight[(v == 1) & (s == 0)].sum().item() == pytest.approx(1)
    assert (grid.weight[(v == 1) & (s == 1)] == 1).all()


def test_the_cube_of_the_first_experiments_weighs_930():
    assert hsv_grid(36, 10, 10, dtype=torch.float64).weight.sum().item() == pytest.approx(930)


def test_a_held_out_band_leaves_no_hue_of_it_and_every_other():
    whole, held = hsv_grid(12, 2, 2), hsv_grid(12, 2, 2, without=(11 / 12, 1 / 12))
    assert held.shape == (9, 2, 2)
    assert not hue_between(held.hsv[:, 0], 11 / 12, 1 / 12).any()
    outside = ~hue_between(whole.hsv[:, 0], 11 / 12, 1 / 12)
    assert torch.equal(held.hsv, whole.hsv[outside])


def test_black_weighs_one_after_holding_out_too():
    grid = hsv_grid(12, 3, 3, without=(0.2, 0.4))
    assert grid.weight[grid.hsv[:, 2] == 0].sum().item() == pytest.approx(1)


def test_hues_beyond_a_turn_come_round():
    assert hsv_grid([-0.25, 1.5], [1.0], [1.0]).hsv[:, 0].tolist() == [0.75, 0.5]


def test_axes_that_make_no_grid_are_refused():
    with refuses(ValueError, "number of values is 0; expected at least 1"):
        hsv_grid(3, 3, [])
    with refuses(ValueError, "saturations is 1; expected at least 2"):
        hsv_grid(3, 1, 3)
    with refuses(ValueError, "saturations is 1.5; expected a number from 0.0 to 1.0"):
        hsv_grid(3, [1.5], 3)
    with refuses(TypeError, "hues is True; expected a whole number"):
        hsv_grid(True, 3, 3)
    with refuses(ValueError, "hues is inf; expected a finite number"):
        hsv_grid([math.inf], 3, 3)
    with refuses(ValueError, r"No hue is left of 12 without \(0.0, 1.0\); hold out fewer"):
        hsv_grid(12, 3, 3, without=(0.0, 1.0))


@pytest.mark.parametrize(
    "make",
    [
        lambda dtype: rgb_grid(3, dtype=dtype),
        lambda dtype: rgb_midpoints(3, dtype=dtype),
        lambda dtype: hsv_grid(3, 2, 2, dtype=dtype),
        lambda dtype: named_colors("gray", dtype=dtype),
    ],
)
def test_colors_of_whole_numbers_are_refused(make):
    with refuses(TypeError, "dtype is torch.uint8; expected a floating type, since colors run"):
        make(torch.uint8)
