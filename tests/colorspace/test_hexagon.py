import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from latent_anchors.colorspace import rgb_grid, rgb_to_hsl, rgb_to_hsv
from latent_anchors.colorspace._hexagon import shortfalls


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
