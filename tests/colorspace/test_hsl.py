import colorsys

import torch

from latent_anchors.colorspace import hsl_to_rgb, rgb_to_hsl


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
