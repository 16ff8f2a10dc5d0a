import matplotlib.pyplot as plt
import numpy as np
import pytest
from refusals import refuses
from viz.members import MEMBERS, figure_of, pixels, tensors, usual

from latent_anchors import viz


@pytest.mark.parametrize("name", MEMBERS)
def test_what_was_drawn_for_a_light_page_can_be_drawn_for_a_dark_one_and_back(name: str):
    light = MEMBERS[name].draw(tensors())
    dark = viz.redraw(light, "dark")
    again = viz.redraw(dark, "light")
    assert figure_of(light).get_label() == figure_of(dark).get_label()
    assert np.array_equal(pixels(figure_of(dark)), usual(name, "dark"))
    assert np.array_equal(pixels(figure_of(again)), usual(name))


def test_arguments_given_by_place_are_remembered():
    light = viz.plot_seeds("error", {"one": [0.1]}, 0.05, 1.0, "log", "light", "A title")
    assert viz.redraw(light, "dark").get_label() == light.get_label()


def test_a_theme_that_is_not_there_is_refused():
    with refuses(ValueError, "Unknown theme 'drak'.*mean 'dark'"):
        viz.redraw(viz.plot_seeds("error", {"one": [0.1]}), "drak")


def test_what_was_drawn_elsewhere_is_refused():
    with refuses(ValueError, "How <Figure.* was drawn is not known; expected what a function of"):
        viz.redraw(plt.figure(), "dark")
