import colorsys

import torch
from hypothesis import given
from hypothesis import strategies as st

from latent_anchors.colorspace import hsv_to_rgb, rgb_to_hsv

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
