import colour
import numpy as np
import torch

from latent_anchors.colorspace import rgb_to_xyz, xyz_to_rgb
from latent_anchors.colorspace._xyz import D65, PRIMARIES, TO_XYZ

oracle_matrix = colour.normalised_primary_matrix(np.ravel(PRIMARIES), np.array(D65))


def test_the_derived_matrix_is_that_of_the_literature():
    assert np.allclose(TO_XYZ, oracle_matrix, atol=1e-12)
    assert np.allclose(TO_XYZ, colour.models.RGB_COLOURSPACE_sRGB.matrix_RGB_to_XYZ, atol=5e-5)


def test_xyz_agrees_with_colour_science(generator):
    rgb = torch.rand(500, 3, dtype=torch.float64, generator=generator)
    expected = colour.models.eotf_sRGB(rgb.numpy()) @ oracle_matrix.T
    torch.testing.assert_close(rgb_to_xyz(rgb), torch.from_numpy(expected), atol=1e-6, rtol=0)


def test_rgb_from_xyz_agrees_with_colour_science(generator):
    xyz = torch.rand(500, 3, dtype=torch.float64, generator=generator)
    linear = xyz.numpy() @ np.linalg.inv(oracle_matrix).T
    shown = (linear > 0).all(-1)
    expected = torch.from_numpy(colour.models.eotf_inverse_sRGB(linear[shown]))
    torch.testing.assert_close(xyz_to_rgb(xyz)[shown], expected, atol=1e-6, rtol=0)


def test_white_has_a_luminance_of_one_and_black_none():
    white, black = rgb_to_xyz(torch.tensor([[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]]).double())
    torch.testing.assert_close(white[1], torch.ones(()).double())
    assert not black.any()
