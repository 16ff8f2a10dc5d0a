import pytest
import torch
from refusals import refuses
from testbed.pictures.squares import squares

from latent_anchors.testbed import VIVID, Places, place_errors


def test_a_place_has_the_mean_color_of_its_square(generator):
    pictures = torch.rand(2, 3, 8, 12, generator=generator)
    colors = Places(pictures).colors
    assert colors.shape == (2, 2, 3, 3)
    torch.testing.assert_close(colors[1, 0, 2], pictures[1, :, :4, 8:].mean((1, 2)))


def test_places_are_near_a_hue_away_from_it_or_between():
    places = Places(squares(0, 7, 353, 15, 25.1, 180))
    near, away = (
        group[:, 0, 0].tolist() for group in (places.near("red"), places.away_from("red"))
    )
    assert near == [True, True, True, False, False, False]
    assert away == [False, False, False, False, True, True]
    assert places.near("red", degrees=16)[3, 0, 0]
    assert not places.away_from("cyan")[5, 0, 0]


def test_only_vivid_places_have_a_hue():
    pale = Places(squares(0, 180, saturation=VIVID - 0.01))
    assert not (pale.near("red") | pale.away_from("red")).any()
    assert not Places(squares(0)).away_from("cyan")[0, 1, 1]  # white


def test_a_colored_place_need_not_be_vivid():
    assert Places(squares(0, saturation=VIVID - 0.01)).colored[0].tolist() == [[1, 0], [0, 0]]
    assert not Places(squares(0, saturation=0.3)).colored.any()


def test_pictures_are_made_of_whole_squares():
    with refuses(ValueError, "8 by 10 pixels; expected multiples of the patch, 4"):
        Places(torch.ones(1, 3, 8, 10))
    with refuses(ValueError, "patch is 0; expected at least 1"):
        Places(torch.ones(1, 3, 8, 8), patch=0)
    with refuses(ValueError, "8 by 10 pixels; expected multiples of the patch, 4"):
        place_errors(torch.rand(1, 3, 8, 10), torch.tensor(0.5))


def test_an_error_belongs_to_its_place(generator):
    pictures = torch.rand(2, 3, 8, 8, generator=generator)
    other = pictures.clone()
    other[1, :, 4:, :4] += 0.5
    errors = place_errors(torch.stack([pictures, other]), pictures)
    assert errors.shape == (2, 2, 2, 2)
    assert errors[1, 1, 1, 0] == pytest.approx(0.25)
    errors[1, 1, 1, 0] = 0
    assert not errors.any()
