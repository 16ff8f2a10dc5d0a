import colour
import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from latent_anchors.colorspace import rgb_to_oklab, rgb_to_xyz
from latent_anchors.colorspace._oklab import M2, TO_RESPONSES

# Ottosson's own matrix from linear sRGB, as published
OTTOSSON = np.array(
    [
        (0.4122214708, 0.5363325363, 0.0514459929),
        (0.2119034982, 0.6806995451, 0.1073969566),
        (0.0883024619, 0.2817188376, 0.6299787005),
    ]
)


def test_the_derived_matrix_is_the_published_one():
    assert np.allclose(TO_RESPONSES, OTTOSSON, atol=1e-8)


def test_oklab_agrees_with_the_published_definition(generator):
    rgb = torch.rand(500, 3, dtype=torch.float64, generator=generator)
    linear = colour.models.eotf_sRGB(rgb.numpy())
    expected = torch.from_numpy(np.cbrt(linear @ OTTOSSON.T) @ np.array(M2).T)
    torch.testing.assert_close(rgb_to_oklab(rgb), expected, atol=1e-6, rtol=0)


def test_oklab_agrees_with_colour_science_but_for_its_white(generator):
    rgb = torch.rand(500, 3, dtype=torch.float64, generator=generator)
    expected = torch.from_numpy(colour.XYZ_to_Oklab(rgb_to_xyz(rgb).numpy()))
    torch.testing.assert_close(rgb_to_oklab(rgb), expected, atol=3e-4, rtol=0)


def test_white_is_white_as_far_as_the_published_digits_go():
    white = rgb_to_oklab(torch.ones(3, dtype=torch.float64))
    torch.testing.assert_close(white, white.new_tensor([1.0, 0.0, 0.0]), atol=4e-8, rtol=0)


@given(x=st.floats(1e-6, 1), y=st.floats(1e-6, 1))
def test_a_gray_is_as_light_as_the_cube_root_of_its_light(x, y):
    one, two = rgb_to_oklab(torch.tensor([[x] * 3, [y] * 3], dtype=torch.float64))[:, 0]
    lights = rgb_to_xyz(torch.tensor([[x] * 3, [y] * 3], dtype=torch.float64))[:, 1]
    torch.testing.assert_close((one / two) ** 3, lights[0] / lights[1])
