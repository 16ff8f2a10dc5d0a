import colour
import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from latent_anchors.colorspace import lab_to_rgb, rgb_to_lab, rgb_to_xyz, xyz_to_rgb

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
