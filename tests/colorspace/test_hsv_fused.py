import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from latent_anchors.colorspace import hsv_to_rgb, named_colors, rgb_to_hsv

share = st.floats(0, 1, width=32)


@given(rgb=st.tuples(share, share, share))
def test_saturation_is_the_nearest_float_to_its_ratio(rgb):
    top, bottom = max(rgb), min(rgb)
    _, saturation, value = rgb_to_hsv(torch.tensor(rgb))
    chroma = value - torch.tensor(bottom)
    assert saturation == (chroma / value if top > torch.finfo(torch.float32).eps else 0)


def test_blue_ahead_of_green_by_next_to_nothing_is_red_not_a_whole_turn_further():
    assert rgb_to_hsv(torch.tensor([1.0, 0.0, 1e-12])).tolist() == [0, 1, 1]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_hue_falls_short_of_no_named_color(dtype):
    named = named_colors("red", "yellow", "green", "cyan", "blue", "magenta", dtype=dtype)
    sixths = torch.arange(6, dtype=dtype) / 6
    assert torch.equal(rgb_to_hsv(named)[:, 0], sixths)
    assert torch.equal(hsv_to_rgb(rgb_to_hsv(named)), named)


def test_an_extreme_that_several_channels_attain_is_moved_by_all_alike():
    gray = torch.full((1, 3), 0.5, requires_grad=True)
    (slope,) = torch.autograd.grad(rgb_to_hsv(gray)[0, 2], gray)
    torch.testing.assert_close(slope, torch.full((1, 3), 1 / 3))


def test_hue_has_a_slope_at_every_corner_of_the_circle():
    corners = torch.eye(3).repeat(2, 1)
    corners[3:] = 1 - corners[3:]
    hsv = rgb_to_hsv(corners).requires_grad_()
    (slope,) = torch.autograd.grad(hsv_to_rgb(hsv).sum(), hsv)
    assert slope[:, 0].isfinite().all()
    (red,) = torch.autograd.grad(hsv_to_rgb(hsv)[0, 1], hsv)
    assert red[0].tolist() == [6, -1, 0]
