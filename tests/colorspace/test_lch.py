import colour
import torch

from latent_anchors.colorspace import lch_to_rgb, rgb_to_lab, rgb_to_lch, rgb_to_oklab, rgb_to_oklch


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
