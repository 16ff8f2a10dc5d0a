"""What every figure promises."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgb
from refusals import refuses
from viz.members import MEMBERS, drawn, pixels, tensors, usual

from latent_anchors import viz
from latent_anchors.viz._themes import THEMES

LOUD = {
    **dict.fromkeys(("text.color", "xtick.color", "ytick.color", "axes.labelcolor"), "magenta"),
    **dict.fromkeys(("axes.titlecolor", "axes.edgecolor", "grid.color"), "magenta"),
    **dict.fromkeys(("figure.facecolor", "axes.facecolor", "patch.facecolor"), "black"),
    "axes.grid": True,
    "image.origin": "lower",
}
"""A global style of someone else's."""

every_member = pytest.mark.parametrize("name", MEMBERS)
every_theme = pytest.mark.parametrize("theme", THEMES)


def test_every_function_that_draws_is_a_member():
    assert [name for name in viz.__all__ if name.startswith(("plot_", "animate_"))] == [*MEMBERS]


@every_member
def test_a_figure_is_known_to_pyplot(name: str):
    figure = drawn(name)
    assert plt.figure(figure.number) is figure


@every_member
@every_theme
def test_drawing_leaves_the_global_style_alone(name: str, theme: str):
    before = mpl.rcParams.copy()
    drawn(name, theme=theme)
    assert mpl.rcParams == before


@every_member
@every_theme
def test_the_page_has_the_color_of_the_theme(name: str, theme: str):
    corner = usual(name, theme)[0, 0, :3]
    np.testing.assert_allclose(corner / 255, to_rgb(THEMES[theme].page), atol=0.01)


@every_member
def test_a_figure_looks_the_same_whatever_inks_the_global_style_has(name: str):
    with mpl.rc_context(LOUD):
        assert np.array_equal(pixels(drawn(name)), usual(name))


@every_member
def test_a_title_stands_above_all_panels(name: str):
    assert drawn(name, title="What there is to see").get_suptitle() == "What there is to see"


@every_member
def test_a_long_title_has_several_lines_and_none_is_cut_off(name: str):
    title = "What there is to see, " * 9
    figure = drawn(name, title=title)
    figure.draw_without_rendering()
    assert figure.get_suptitle().split() == title.split()
    for text in (figure._suptitle, figure._supxlabel, figure._supylabel):
        box = text.get_window_extent() if text else figure.bbox
        assert figure.bbox.xmin <= box.xmin <= box.xmax <= figure.bbox.xmax
        assert figure.bbox.ymin <= box.ymin <= box.ymax <= figure.bbox.ymax


@every_member
def test_its_label_says_in_a_line_what_it_shows_for_those_who_cannot_see_it(name: str):
    words = drawn(name, title="What there is to see").get_label()
    assert words.startswith("What there is to see. ")
    assert MEMBERS[name].says in words
    assert words.endswith(".")
    assert "\n" not in words
    assert drawn(name).get_label() == words.removeprefix("What there is to see. ")


@every_member
def test_what_is_drawn_is_not_changed(name: str):
    given = tensors()
    drawn(name, given)
    assert all(torch.equal(tensor, given[key]) for key, tensor in tensors().items())


@every_member
def test_doubles_and_tensors_with_gradients_are_drawn_alike(name: str):
    doubles = {key: tensor.double().requires_grad_() for key, tensor in tensors().items()}
    assert np.array_equal(pixels(drawn(name, doubles)), usual(name))


@every_member
def test_an_unknown_theme_is_refused(name: str):
    with refuses(ValueError, "Unknown theme 'drak'.*'light', 'dark'.*mean 'dark'"):
        drawn(name, theme="drak")


def test_light_and_dark_differ_in_every_ink():
    light, dark = THEMES["light"], THEMES["dark"]
    assert not set(vars(light).values()) & set(vars(dark).values())
