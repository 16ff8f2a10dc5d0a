import math

import numpy as np
import torch
from matplotlib.colors import to_rgb
from matplotlib.pyplot import fignum_exists
from refusals import refuses

from latent_anchors.colorspace import HUES, named_colors
from latent_anchors.viz import plot_wheels

COLORS = named_colors(*HUES)
ANGLES = torch.arange(12) * (math.tau / 12)
ROUND = torch.stack([ANGLES.cos(), ANGLES.sin()], dim=-1)


def test_each_wheel_has_a_panel_with_its_name_the_first_dimension_up():
    figure = plot_wheels({"one": ROUND, "other": -ROUND}, COLORS, title="Wheels")
    assert fignum_exists(figure.number)
    assert [axes.get_title() for axes in figure.axes] == ["one", "other"]
    for axes, z in zip(figure.axes, (ROUND, -ROUND), strict=True):
        points = axes.collections[0]
        np.testing.assert_allclose(points.get_offsets(), z.flip(1), atol=1e-6)
        np.testing.assert_allclose(points.get_facecolors()[:, :3], COLORS)
        assert axes.get_aspect() == 1


def test_colors_that_are_held_out_are_small():
    kept = torch.arange(12) < 9
    points = plot_wheels({"": ROUND}, COLORS, kept).axes[0].collections[0]
    sizes = points.get_sizes()
    assert len({*sizes[:9]}) == 1
    assert (sizes[9:] < 0.2 * sizes[0]).all()


def test_the_disc_lies_behind_the_points_and_all_of_them_are_in_sight():
    axes = plot_wheels({"": 3 * ROUND}, COLORS).axes[0]
    (disc,) = axes.patches
    assert disc.get_radius() == 1
    assert disc.get_zorder() < axes.collections[0].get_zorder()
    assert axes.get_xlim()[1] > 3
    assert axes.get_ylim()[1] > 3


def test_a_dark_page_differs_from_a_light_one():
    light, dark = (plot_wheels({"": ROUND}, COLORS, theme=theme) for theme in ("light", "dark"))
    assert sum(to_rgb(light.get_facecolor())) > sum(to_rgb(dark.get_facecolor()))


def test_what_does_not_fit_is_refused():
    with refuses(ValueError, "number of wheels is 0; expected at least 1"):
        plot_wheels({}, COLORS)
    with refuses(ValueError, r"wheels\['a'\] has shape \(12, 3\); expected \(12, 2\)"):
        plot_wheels({"a": COLORS}, COLORS)
    with refuses(ValueError, r"kept has shape \(2,\); expected \(12\)"):
        plot_wheels({"a": ROUND}, COLORS, [True, False])


def test_every_wheel_is_as_large_as_one_alone():
    one, two = plot_wheels({"": ROUND}, COLORS), plot_wheels({"a": ROUND, "b": ROUND}, COLORS)
    assert two.get_figwidth() == 2 * one.get_figwidth()
    assert two.get_figheight() == one.get_figheight()


def test_what_is_kept_is_counted_whatever_number_says_so():
    figure = plot_wheels({"one": [[1, 0], [0, 1], [0, -1]]}, COLORS[:3], kept=[3, 2, 0])
    assert figure.get_label().startswith("2 colors")
    assert figure.get_label().endswith("Held out: 1.")


def test_what_is_held_out_is_not_said_to_lie_outermost():
    one = {"one": [[9, 0], [0, 1], [0, -1]]}
    figure = plot_wheels(one, [[1, 0, 0], [0, 1, 0], [0, 0, 1]], kept=[False, True, True])
    assert "red" not in figure.get_label()
    assert "green at the" in figure.get_label()
