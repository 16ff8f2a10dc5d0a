import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from refusals import refuses

from latent_anchors.viz import plot_snapshots, plot_unfolding
from latent_anchors.viz._plot_snapshots import evenly

COLORS = torch.eye(3)
MOMENTS = {"step 0": torch.zeros(3, 4), "step 10": torch.eye(3, 4)}
FRAMES = torch.rand(20, 3, 4, generator=torch.Generator().manual_seed(0)) - 0.5
STEPS = [*range(100, 2001, 100)]


def strip(**options: object) -> Figure:
    return plot_snapshots(**{"frames": FRAMES, "colors": COLORS, "steps": STEPS} | options)


def test_each_moment_has_a_panel_with_its_name_and_its_points():
    figure = plot_unfolding(MOMENTS, COLORS, title="Over time")
    assert [axes.get_title() for axes in figure.axes] == list(MOMENTS)
    drawn = figure.axes[1].collections[0].get_offsets()
    assert sorted(map(tuple, drawn.tolist())) == [(0.0, 0.0), (0.0, 1.0), (1.0, 0.0)]


def test_a_strip_shows_the_first_frame_the_last_and_even_ones_between():
    figure = strip(count=4)
    shown = [100, 700, 1400, 2000]
    assert [axes.get_title() for axes in figure.axes] == [f"step {step:,}" for step in shown]
    for axes, step in zip(figure.axes, shown, strict=True):
        z = FRAMES[step // 100 - 1]
        order = z[:, 2].argsort(stable=True)
        points = axes.collections[0].get_offsets()
        np.testing.assert_allclose(points, z[order][:, [1, 0]], rtol=1e-6)


def test_below_stands_from_where_it_is_seen():
    assert strip(view=(2, 3, 0)).get_supxlabel().startswith("$z_{2}$ to the right, $z_{3}$ up")


def test_words_for_those_who_do_not_see_it_say_how_it_is_at_last():
    latents = FRAMES[0], FRAMES[1]
    forward, alone = (
        plot_unfolding(dict(zip("ab", pair, strict=True)), COLORS).get_label().split("at last")
        for pair in (latents, latents[1:] * 2)
    )
    assert forward[1] == alone[1]
    back = plot_unfolding(dict(zip("ab", latents[::-1], strict=True)), COLORS).get_label()
    assert back.split("at last")[1] != forward[1]


def test_frames_that_are_fewer_are_all_shown():
    assert len(strip(frames=FRAMES[:3], steps=[1, 2, 9]).axes) == 3


def test_even_is_meant_in_steps_not_in_frames():
    assert evenly(np.array([0.0, 1, 2, 3, 50, 100]), 3) == [0, 4, 5]


@pytest.mark.parametrize("count", [2, 6, 20])
def test_a_strip_fits_a_page_and_its_panels_have_one_scale(count: int):
    figure = strip(count=count)
    assert figure.get_figwidth() <= 9.0 + 1e-9
    assert len({axes.get_xlim() for axes in figure.axes}) == 1


def test_what_does_not_fit_is_refused():
    with refuses(ValueError, "number of moments is 0; expected at least 1"):
        plot_unfolding({}, COLORS)
    with refuses(ValueError, r"moments\['late'\] has shape \(2, 4\); expected \(3, dim\)"):
        plot_unfolding({"late": torch.zeros(2, 4)}, COLORS)
    with refuses(ValueError, "count is 1; expected at least 2"):
        strip(count=1)
    with refuses(TypeError, "count is 2.5; expected a whole number"):
        strip(count=2.5)
    with refuses(ValueError, "steps do not increase"):
        strip(steps=STEPS[::-1])
    with refuses(ValueError, r"View \(1, 0, 4\) does not fit"):
        strip(view=(1, 0, 4))


def test_steps_are_whole():
    with refuses(ValueError, "steps hold 0.5; expected whole numbers. Of epochs"):
        plot_snapshots(np.zeros((3, 1, 3)), [[1.0, 0.0, 0.0]], steps=[0, 0.5, 1])
