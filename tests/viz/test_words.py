import numpy as np
import pytest

from latent_anchors.colorspace import COLOR_NAMES, HUES, named_colors
from latent_anchors.viz._words import color_name, counted, edges, hue_name, joined


def test_one_is_not_several():
    assert [counted(n, "run") for n in (0, 1, 2, 1500)] == [
        "0 runs",
        "1 run",
        "2 runs",
        "1,500 runs",
    ]


def test_the_last_of_several_is_joined_with_and():
    assert [joined(list(parts)) for parts in ("a", "ab", "abc")] == ["a", "a and b", "a, b and c"]


@pytest.mark.parametrize("name", COLOR_NAMES)
def test_a_color_near_a_named_one_has_its_name(name: str):
    near = 0.9 * named_colors(name).double().numpy()[0] + 0.05
    assert color_name(near) == name.replace("_", " ")


@pytest.mark.parametrize("name", HUES)
def test_a_hue_near_a_named_one_has_its_name_on_every_turn(name: str):
    assert {
        hue_name(HUES[name] + away + turn) for away in (-0.04, 0.04) for turn in (-1, 0, 1)
    } == {name}


def test_colors_at_the_edges_are_named_as_they_are_seen():
    z = np.array([[1.0, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0]])
    colors = named_colors("red", "cyan", "lime", "violet").double().numpy()
    words = "red at the top, lime at the right, cyan at the bottom and violet at the left"
    assert edges(z, colors, (1, 0, 2)) == words
