import pytest
import torch
from matplotlib import font_manager
from refusals import refuses

from latent_anchors.colorspace import hue_distance, rgb_to_hsv
from latent_anchors.testbed import made_up_emoji, read_emoji

INSTALLED = [file for file in font_manager.findSystemFonts() if "NotoColorEmoji" in file]


def test_disks_have_their_hue_on_white():
    disks = torch.stack([*made_up_emoji().values()])
    assert disks.shape == (48, 3, 32, 32)
    assert (disks[:, :, 0, 0] == 1).all()
    hues = rgb_to_hsv(disks[:, :, 16, 16])[:, 0]
    assert (hue_distance(hues, torch.arange(48) % 24 / 24) < 1 / 360).all()


def test_the_first_disks_have_the_names_given():
    assert [*made_up_emoji(["heart", "lemon"])][:3] == ["heart", "lemon", "disk 2"]
    with refuses(ValueError, "There are 49 names; expected at most 48"):
        made_up_emoji([str(k) for k in range(49)])


def test_without_a_font_its_package_and_the_option_are_named():
    expected = "no font nowhere.ttf; .* package is fonts-noto-color-emoji.* --font FILE"
    with refuses(FileNotFoundError, expected):
        read_emoji("nowhere.ttf")


def test_a_font_without_colors_is_refused():
    plain = font_manager.findfont("DejaVu Sans")
    with refuses(ValueError, "DejaVuSans.ttf draws .* emoji, none with a color"):
        read_emoji(plain)


@pytest.mark.skipif(not INSTALLED, reason="a font with color emoji is not installed")
def test_a_strawberry_is_red_and_a_lemon_yellow_on_white():
    emoji = read_emoji()
    assert len(emoji) > 1000
    for name, hue in {"STRAWBERRY": 0, "LEMON": 50}.items():
        picture = emoji[name].movedim(0, -1)
        hsv = rgb_to_hsv(picture)
        vivid = hsv[..., 0][hsv[..., 1] * hsv[..., 2] > 0.6]
        assert hue_distance(vivid, hue / 360).median() < 15 / 360
        assert (picture[0, 0] == 1).all()
