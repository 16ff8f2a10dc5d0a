import colour
import pytest
import torch

from latent_anchors.colorspace import delta_e_76, delta_e_2000


def oracle(one, two):
    return torch.from_numpy(colour.delta_E(one.numpy(), two.numpy(), method="CIE 2000"))


@pytest.mark.parametrize("nearness", [1.0, 0.1, 1e-3])
def test_ciede2000_agrees_with_colour_science(nearness, generator):
    scale, offset = torch.tensor([100.0, 220.0, 220.0]), torch.tensor([0.0, -110.0, -110.0])
    one, two = scale * torch.rand(2, 2000, 3, dtype=torch.float64, generator=generator) + offset
    two = one + nearness * (two - one)
    torch.testing.assert_close(delta_e_2000(one, two), oracle(one, two), atol=1e-6, rtol=0)


def test_grays_and_opposite_hues_agree_too():
    """Where the mean hue is decided: no hue at all, nearly opposite ones, and across red."""
    one = [[50.0, 0, 0], [50, 2.5, 0], [50, 2.49, -0.001], [50, 2.49, -0.001], [60, 30, -1]]
    two = [[50.0, -1, 2], [50, 0, 0], [50, -2.49, 0.0009], [50, -2.49, 0.0011], [60, 30, 1]]
    one, two = torch.tensor([one, two], dtype=torch.float64)
    torch.testing.assert_close(delta_e_2000(one, two), oracle(one, two), atol=1e-6, rtol=0)


def test_near_mid_gray_it_is_close_to_the_distance():
    gray = torch.tensor([50.0, 0.0, 0.0], dtype=torch.float64)
    lighter = gray + torch.tensor([1e-4, 0.0, 0.0])
    torch.testing.assert_close(
        delta_e_2000(gray, lighter), delta_e_76(gray, lighter), rtol=1e-3, atol=0
    )


def test_vivid_colors_may_differ_more_before_it_shows():
    step = torch.tensor([0.0, 5.0, 0.0])
    gray, vivid = torch.tensor([[50.0, 0.0, 0.0], [50.0, 60.0, 0.0]])
    assert delta_e_2000(vivid, vivid + step) < delta_e_2000(gray, gray + step) / 2
