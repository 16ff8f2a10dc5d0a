import colour
import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from latent_anchors.colorspace import linear_to_rgb, rgb_to_linear, rgb_to_xyz, xyz_to_rgb
from latent_anchors.colorspace._xyz import D65, DELTA, FROM_SHARES, PRIMARIES, TO_SHARES, TO_XYZ

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


def test_white_has_all_of_each_share_and_the_way_back_exists():
    to_shares, from_shares = (torch.tensor(m).double() for m in (TO_SHARES, FROM_SHARES))
    torch.testing.assert_close(to_shares.sum(-1), torch.ones(3).double())
    torch.testing.assert_close(from_shares @ to_shares, torch.eye(3).double(), atol=1e-6, rtol=0)


def test_curve_and_straight_line_meet_with_the_same_slope():
    assert abs(DELTA - (DELTA / 3 + 4 / 29)) < 1e-15


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
