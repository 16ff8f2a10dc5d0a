import colorsys

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from latent_anchors.colorspace import hsl_to_rgb, hsv_to_rgb, rgb_grid, rgb_to_hsl, rgb_to_hsv
from latent_anchors.colorspace._hsv_hsl import shortfalls

share = st.floats(0, 1)


def test_hsv_agrees_with_the_standard_library(generator):
    rgb = torch.rand(500, 3, dtype=torch.float64, generator=generator)
    expected = torch.tensor([colorsys.rgb_to_hsv(*color) for color in rgb.tolist()])
    torch.testing.assert_close(rgb_to_hsv(rgb), expected.double(), atol=1e-6, rtol=0)


def test_rgb_agrees_with_the_standard_library(generator):
    hsv = torch.rand(500, 3, dtype=torch.float64, generator=generator)
    expected = torch.tensor([colorsys.hsv_to_rgb(*color) for color in hsv.tolist()])
    torch.testing.assert_close(hsv_to_rgb(hsv), expected.double(), atol=1e-6, rtol=0)


@given(rgb=st.tuples(share, share, share))
def test_hue_saturation_and_value_stay_in_their_ranges(rgb):
    for dtype in (torch.float32, torch.float64):
        hue, saturation, value = rgb_to_hsv(torch.tensor(rgb, dtype=dtype))
        assert 0 <= hue < 1
        assert 0 <= saturation <= 1
        assert value == torch.tensor(rgb, dtype=dtype).max()


@given(hsv=st.tuples(st.floats(-3, 3), share, share))
def test_colors_in_range_are_colors_on_screen(hsv):
    rgb = hsv_to_rgb(torch.tensor(hsv))
    assert rgb.min() >= 0
    assert rgb.max() <= 1


def test_whole_turns_of_hue_change_nothing(generator):
    hsv = torch.rand(100, 3, dtype=torch.float64, generator=generator)
    turned = hsv + hsv.new_tensor([2.0, 0.0, 0.0])
    torch.testing.assert_close(hsv_to_rgb(turned), hsv_to_rgb(hsv))


def test_hsl_agrees_with_the_standard_library(generator):
    rgb = torch.rand(500, 3, dtype=torch.float64, generator=generator)
    hls = torch.tensor([colorsys.rgb_to_hls(*color) for color in rgb.tolist()]).double()
    torch.testing.assert_close(rgb_to_hsl(rgb), hls[:, [0, 2, 1]], atol=1e-6, rtol=0)


def test_rgb_from_hsl_agrees_with_the_standard_library(generator):
    hsl = torch.rand(500, 3, dtype=torch.float64, generator=generator)
    expected = [colorsys.hls_to_rgb(hue, light, s) for hue, s, light in hsl.tolist()]
    torch.testing.assert_close(hsl_to_rgb(hsl), torch.tensor(expected).double(), atol=1e-6, rtol=0)


def test_the_hue_gradient_next_to_gray_is_no_larger_than_the_hue_is_steep():
    rgb = torch.tensor([0.5, 0.5, 0.501], dtype=torch.float64, requires_grad=True)
    rgb_to_hsl(rgb)[0].backward()
    assert 0 < rgb.grad.abs().max() <= 1 / 0.001


def hue_slopes(convert, colors):
    """By the formulas, which run under transforms."""
    return torch.func.vmap(torch.func.grad(lambda color: convert(color)[0]))(colors)


@pytest.mark.parametrize("convert", [rgb_to_hsv, rgb_to_hsl])
def test_hue_turns_about_the_gray_axis_on_the_borders_of_sectors_too(convert):
    colors = rgb_grid(5).double()
    r, g, b = colors.unbind(-1)
    chroma = colors.amax(-1) - colors.amin(-1)
    slopes = torch.stack((b - g, r - b, g - r), dim=-1) / (6 * chroma.square())[:, None]
    expected = slopes.where(chroma[:, None] > 0, 0.0)
    torch.testing.assert_close(hue_slopes(convert, colors), expected)
    colors.requires_grad_()
    (recorded,) = torch.autograd.grad(convert(colors)[:, 0].sum(), colors)
    torch.testing.assert_close(recorded, expected)


@given(hue=st.floats(-2, 2))
def test_one_remainder_does_the_work_of_three(hue):
    red, green, blue = shortfalls(torch.tensor(hue, dtype=torch.float64)[None])
    for n, shortfall in ((5, red), (3, green), (1, blue)):
        k = torch.tensor((n + 6 * hue) % 6, dtype=torch.float64)
        expected = torch.minimum(k, 4 - k).clamp(0, 1)[None]
        torch.testing.assert_close(shortfall, expected, atol=1e-12, rtol=0)


def test_some_channel_never_falls_short():
    around = torch.linspace(0, 1, 1001)
    assert not torch.stack(shortfalls(around)).amin(0).any()
