import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from refusals import refuses

from latent_anchors.colorspace import hsv_grid, vibrancy
from latent_anchors.data import focus, levels

WEIGHTS = torch.linspace(0, 1, 101, dtype=torch.float64)
numbers = st.floats(-2, 2)
fractions = st.floats(0, 1)


@given(low=numbers, high=numbers, out_low=numbers, out_high=numbers)
def test_levels_are_linear_interpolation_between_the_ends(low, high, out_low, out_high):
    if abs(low - high) < 1e-3:
        return
    ends = sorted([(low, out_low), (high, out_high)])
    expected = np.interp(WEIGHTS, *zip(*ends, strict=True))
    found = levels(WEIGHTS, low, high, out_low, out_high)
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_levels_take_ends_to_ends_and_beyond_unless_clamped():
    x = torch.tensor([0.0, 0.25, 0.5, 1.0])
    assert levels(x, 0.25, 0.5, 1.0, 3.0).tolist() == [1.0, 1.0, 3.0, 3.0]
    assert levels(x, 0.25, 0.5, 1.0, 3.0, clamp=False).tolist() == [-1.0, 1.0, 3.0, 7.0]


def test_inverted_ranges_run_backwards():
    x = torch.tensor([0.0, 0.25, 1.0])
    assert levels(x, 1.0, 0.0).tolist() == [1.0, 0.75, 0.0]
    assert levels(x, out_low=1.0, out_high=0.0).tolist() == [1.0, 0.75, 0.0]


@pytest.mark.parametrize("clamp", [True, False])
def test_a_range_that_is_a_point_gives_the_middle(clamp):
    assert levels(WEIGHTS, 0.3, 0.3, 1.0, 2.0, clamp=clamp).unique().tolist() == [1.5]


def test_at_no_fraction_only_the_greatest_weights_are_left():
    left = focus(WEIGHTS, 0.0)
    assert left[-1] == 1
    assert not left[:-1].gt(1e-12).any()


def test_half_way_the_weights_are_as_they_are_and_in_the_end_all_alike():
    torch.testing.assert_close(focus(WEIGHTS, 0.5), WEIGHTS, rtol=0, atol=1e-15)
    assert focus(WEIGHTS, 1.0).unique().tolist() == [1.0]


@given(fraction=fractions)
def test_focus_is_the_levels_of_interpolated_ends(fraction):
    low = np.interp(fraction, [0, 0.5], [0.99, 0])
    out_low = np.interp(fraction, [0.5, 1], [0, 1])
    expected = levels(WEIGHTS, low, 1.0, out_low, 1.0)
    torch.testing.assert_close(focus(WEIGHTS, fraction), expected, rtol=0, atol=1e-12)


@given(one=fractions, other=fractions)
def test_no_weight_shrinks_as_the_fraction_grows(one, other):
    early, late = sorted((one, other))
    assert bool((focus(WEIGHTS, late) >= focus(WEIGHTS, early) - 1e-12).all())


def test_a_column_of_fractions_focuses_each_step():
    column = torch.tensor([[0.0], [0.125], [1.0]], dtype=torch.float64)
    found = focus(WEIGHTS.float(), column)
    assert found.dtype == torch.float32
    for k, fraction in enumerate(column.flatten().tolist()):
        assert torch.equal(found[k], focus(WEIGHTS.float(), fraction))


def test_the_vibrancy_of_the_grid_of_the_experiment_unfolds():
    grid = hsv_grid(36, 10, 10)
    vivid = vibrancy(grid.rgb)
    seen = [int((focus(vivid, fraction) > 1e-6).sum()) for fraction in (0.0, 0.125, 0.5, 1.0)]
    assert seen == [36, 36 * 6, 36 * 81, 3600]


@pytest.mark.parametrize(("fraction", "shown"), [(-0.1, "-0.1"), (1.5, "1.5"), (torch.nan, "nan")])
def test_a_fraction_that_is_none_is_refused(fraction, shown):
    with refuses(ValueError, f"The fraction is {shown}.*expected a number from 0.0 to 1.0"):
        focus(WEIGHTS, fraction)


@pytest.mark.parametrize("low", [5e4, 0.0])
def test_a_narrow_range_far_from_0_is_no_point(low):
    width = 0.5 if low else 1e-9
    x = low + width * torch.tensor([0.0, 0.25, 1.0], dtype=torch.float64)
    expected = torch.tensor([0.0, 0.25, 1.0], dtype=torch.float64)
    torch.testing.assert_close(levels(x, low, low + width), expected)


@pytest.mark.parametrize("function", [levels, lambda x: focus(x, 0.75)])
def test_whole_numbers_whose_ends_would_be_cut_off_are_refused(function):
    with refuses(
        TypeError, r"was given (numbers|weights) of type torch.int64; expected .*\.float\(\)"
    ):
        function(torch.tensor([0, 1]))
