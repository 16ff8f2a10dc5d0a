import colour
import torch
from hypothesis import given
from hypothesis import strategies as st

from latent_anchors.colorspace import linear_to_rgb, rgb_to_linear


def test_decoding_agrees_with_the_standard(generator):
    rgb = torch.rand(500, 3, dtype=torch.float64, generator=generator)
    expected = torch.from_numpy(colour.models.eotf_sRGB(rgb.numpy()))
    torch.testing.assert_close(rgb_to_linear(rgb), expected, atol=1e-6, rtol=0)


def test_encoding_agrees_with_the_standard(generator):
    linear = torch.rand(500, 3, dtype=torch.float64, generator=generator)
    expected = torch.from_numpy(colour.models.eotf_inverse_sRGB(linear.numpy()))
    torch.testing.assert_close(linear_to_rgb(linear), expected, atol=1e-6, rtol=0)


@given(x=st.floats(-2, 2))
def test_what_lies_below_black_mirrors_what_lies_above(x):
    color = torch.full((3,), x, dtype=torch.float64)
    assert torch.equal(rgb_to_linear(-color), -rgb_to_linear(color))
    assert torch.equal(linear_to_rgb(-color), -linear_to_rgb(color))


@given(x=st.floats(-2, 2), y=st.floats(-2, 2))
def test_brighter_numbers_are_more_light(x, y):
    low, high = rgb_to_linear(torch.tensor([[min(x, y)] * 3, [max(x, y)] * 3]).double())
    assert (low <= high).all()


def test_black_has_the_slope_of_the_straight_line():
    black = torch.zeros(3, requires_grad=True)
    rgb_to_linear(black).sum().backward()
    torch.testing.assert_close(black.grad, torch.full((3,), 1 / 12.92))
