import colorsys

import pytest
import torch
from refusals import refuses

from latent_anchors.colorspace import COLOR_NAMES, GRAYS, HUES, hue_of, named_colors


def test_the_hues_go_round_in_equal_steps_from_red():
    assert [hue_of(name) for name in HUES] == [i / 12 for i in range(12)]


def test_every_second_hue_is_a_corner_of_the_cube_and_every_fourth_a_primary():
    assert [*HUES][::4] == ["red", "green", "blue"]
    assert [*HUES][::2] == ["red", "yellow", "green", "cyan", "blue", "magenta"]
    corners = named_colors(*[*HUES][::2])
    assert torch.equal(corners, corners.round())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_named_colors_are_exact(dtype):
    hues = [[round(2 * x) / 2 for x in colorsys.hsv_to_rgb(hue, 1, 1)] for hue in HUES.values()]
    grays = [[value] * 3 for value in GRAYS.values()]
    assert named_colors(*COLOR_NAMES, dtype=dtype).tolist() == hues + grays


def test_the_default_dtype_is_that_of_torch():
    assert named_colors("red").dtype == torch.get_default_dtype()


def test_no_names_are_no_colors():
    assert named_colors().shape == (0, 3)


def test_a_name_that_is_no_hue_is_refused_with_the_nearest():
    with refuses(ValueError, r"Unknown hue 'purpel'; expected one of 'red', .*'rose'\."):
        hue_of("purpel")
    with refuses(ValueError, "Did you mean 'violet'"):
        hue_of("violett")
    with refuses(ValueError, "Unknown hue 'gray'"):
        hue_of("gray")


def test_a_name_that_is_no_color_is_refused_with_the_nearest():
    with refuses(ValueError, "Unknown color 'light gray'.*Did you mean 'light_gray'"):
        named_colors("red", "light gray")


def test_names_cannot_be_overwritten():
    with pytest.raises(TypeError):
        HUES["red"] = 0.5
