import pytest
import torch

from latent_anchors.colorspace import lab_to_rgb, rgb_to_lab
from latent_anchors.colorspace._lab import _to_lab

every_dtype = pytest.mark.parametrize("dtype", [torch.float32, torch.float64])


@every_dtype
def test_black_is_black_exactly(dtype):
    black = torch.zeros(2, 3, dtype=dtype)
    assert torch.equal(rgb_to_lab(black), black)
    assert torch.equal(lab_to_rgb(black), black)


@every_dtype
def test_grays_are_as_gray_as_rounding_allows(dtype):
    grays = torch.linspace(0, 1, 1001, dtype=dtype)[:, None].repeat(1, 3)
    assert rgb_to_lab(grays)[:, 1:].abs().max() < 1024 * torch.finfo(dtype).eps


def test_short_cuts_lose_no_more_than_half_a_digit(generator):
    rgb = torch.rand(5000, 3, dtype=torch.float64, generator=generator)
    exact = _to_lab(rgb)
    ours, formulas = rgb_to_lab(rgb.float()).double(), _to_lab(rgb.float()).double()
    assert (ours - exact).abs().mean() < 3 * (formulas - exact).abs().mean()


@every_dtype
def test_slopes_at_black_are_those_of_the_straight_lines(dtype):
    black = torch.zeros(1, 3, dtype=dtype, requires_grad=True)
    (slope,) = torch.autograd.grad(rgb_to_lab(black)[0, 0], black)
    line = 116 / (3 * (6 / 29) ** 2) / 12.92
    torch.testing.assert_close(slope.sum(), torch.tensor(line, dtype=dtype))
    (back,) = torch.autograd.grad(lab_to_rgb(black).sum(), black)
    torch.testing.assert_close(back[0, 0], torch.tensor(3 / line, dtype=dtype))
