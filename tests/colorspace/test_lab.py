import colour
import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from latent_anchors.colorspace import (
    lab_to_rgb,
    lch_to_rgb,
    rgb_to_lab,
    rgb_to_lch,
    rgb_to_oklab,
    rgb_to_oklch,
    rgb_to_xyz,
    xyz_to_rgb,
)

WHITE = np.array([0.3127, 0.3290])


def test_lab_agrees_with_colour_science(generator):
    rgb = torch.rand(500, 3, dtype=torch.float64, generator=generator)
    expected = torch.from_numpy(colour.XYZ_to_Lab(rgb_to_xyz(rgb).numpy(), WHITE))
    torch.testing.assert_close(rgb_to_lab(rgb), expected, atol=1e-6, rtol=0)


def test_rgb_from_lab_agrees_with_colour_science(generator):
    lab = rgb_to_lab(torch.rand(500, 3, dtype=torch.float64, generator=generator))
    xyz = torch.from_numpy(colour.Lab_to_XYZ(lab.numpy(), WHITE))
    torch.testing.assert_close(lab_to_rgb(lab), xyz_to_rgb(xyz), atol=1e-6, rtol=0)


@given(x=st.floats(-0.5, 1.5))
def test_grays_have_no_chroma(x):
    lab = rgb_to_lab(torch.full((3,), x, dtype=torch.float64))
    torch.testing.assert_close(lab[1:], lab.new_zeros(2), atol=1e-9, rtol=0)


def test_lightness_goes_from_zero_to_a_hundred():
    black, white = rgb_to_lab(torch.tensor([[0.0] * 3, [1.0] * 3], dtype=torch.float64))
    torch.testing.assert_close(black[0], torch.zeros(()).double())
    torch.testing.assert_close(white[0], torch.full((), 100.0).double())


def test_lch_agrees_with_colour_science(generator):
    rgb = torch.rand(500, 3, dtype=torch.float64, generator=generator)
    in_degrees = torch.from_numpy(colour.Lab_to_LCHab(rgb_to_lab(rgb).numpy()))
    expected = in_degrees / in_degrees.new_tensor([1, 1, 360])
    torch.testing.assert_close(rgb_to_lch(rgb), expected, atol=1e-6, rtol=0)


def test_oklch_keeps_lightness_and_the_distance_from_gray(generator):
    rgb = torch.rand(500, 3, dtype=torch.float64, generator=generator)
    oklab, oklch = rgb_to_oklab(rgb), rgb_to_oklch(rgb)
    torch.testing.assert_close(oklch[:, 0], oklab[:, 0])
    torch.testing.assert_close(oklch[:, 1], oklab[:, 1:].norm(dim=-1))


def test_hue_runs_from_red_over_green_to_blue():
    red, green, blue = rgb_to_oklch(torch.eye(3))[:, 2].tolist()
    assert 0 < red < green < blue < 1


def test_whole_turns_of_hue_change_nothing():
    lch = torch.tensor([[60.0, 30.0, 0.25], [60.0, 30.0, 3.25]], dtype=torch.float64)
    once, again = lch_to_rgb(lch)
    torch.testing.assert_close(once, again)
