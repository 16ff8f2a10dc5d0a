import torch
from matplotlib.colors import to_rgb
from matplotlib.pyplot import fignum_exists
from refusals import refuses

from latent_anchors.viz import plot_unfolding

COLORS = torch.eye(3)
MOMENTS = {"step 0": torch.zeros(3, 4), "step 10": torch.eye(3, 4)}


def test_each_moment_has_a_panel_with_its_name_and_its_points():
    figure = plot_unfolding(MOMENTS, COLORS, title="Over time")
    assert fignum_exists(figure.number)
    assert [axes.get_title() for axes in figure.axes] == list(MOMENTS)
    drawn = figure.axes[1].collections[0].get_offsets()
    assert sorted(map(tuple, drawn.tolist())) == [(0.0, 0.0), (0.0, 1.0), (1.0, 0.0)]


def test_a_dark_page_differs_from_a_light_one():
    light, dark = (plot_unfolding(MOMENTS, COLORS, theme=theme) for theme in ("light", "dark"))
    assert sum(to_rgb(light.get_facecolor())) > sum(to_rgb(dark.get_facecolor()))


def test_no_moment_is_refused():
    with refuses(ValueError, "number of moments is 0; expected at least 1"):
        plot_unfolding({}, COLORS)
