from itertools import combinations

import numpy as np
import pytest
import torch
from colour.blindness import matrix_cvd_Machado2009
from matplotlib.colors import to_rgb
from matplotlib.text import Text
from refusals import refuses
from viz.plans import CHANGED, PLANNED

from latent_anchors.colorspace import delta_e_2000, rgb_to_lab
from latent_anchors.curriculum import Keyframe, Phase, Timeline, Track
from latent_anchors.viz import plot_timeline, plot_values
from latent_anchors.viz._themes import THEMES
from latent_anchors.viz._track_lines import KEYS

MANY = Timeline(
    {f"track {k}": Track([Keyframe(0, 1.0), Keyframe(100, 0.9 + k / 100)]) for k in range(9)},
    [Phase(f"a phase with a name {k}", 11 * k) for k in range(10)],
    {k: ["save", "measure something"] for k in range(0, 101, 5)},
)


def words(figure):
    figure.canvas.draw()
    texts = [text for axes in figure.axes for text in axes.texts]
    ticks = [
        label
        for axes in figure.axes
        for axis in (axes.xaxis, axes.yaxis)
        for tick in axis.get_major_ticks()
        for label in (tick.label1,)
        if tick.label1.get_visible() and label.get_text() and inside(axis, tick.get_loc())
    ]
    labels = [axes.xaxis.label for axes in figure.axes if axes.get_xlabel()]
    return texts + ticks + labels


def extent(text):
    """Of the words, and of the box around them, without the thread to a line."""
    box = text.get_bbox_patch()
    return box.get_window_extent() if box else Text.get_window_extent(text)


def inside(axis, location):
    low, high = sorted(axis.get_view_interval())
    return low <= location <= high


def names_on(axes):
    return [text.get_text() for text in axes.texts]


def lines(axes, style):
    """Drawn at many steps, unlike the starts of phases and keyframes."""
    return [
        line for line in axes.lines if line.get_linestyle() == style and len(line.get_xdata()) > 61
    ]


def dots(axes):
    return [
        [*zip(*line.get_data(), strict=True)] for line in axes.lines if line.get_marker() == "o"
    ]


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("given", [(PLANNED,), (CHANGED, PLANNED), (MANY,)])
def test_no_two_texts_overlap_and_none_leaves_the_figure(given, theme):
    figure = plot_timeline(*given, theme=theme, title="All at one look")
    boxes = {text: extent(text) for text in words(figure)}
    for one, other in combinations(boxes, 2):
        assert not boxes[one].shrunk(0.98, 0.9).overlaps(boxes[other]), (one, other)
    page = figure.bbox
    for text, box in boxes.items():
        assert page.x0 <= box.x0, text
        assert box.x1 <= page.x1, text


def test_panels_hold_tracks_of_like_size_named_at_their_ends():
    phases, weights, rate, actions = plot_timeline(PLANNED).axes
    assert names_on(phases) == ["Primary & secondary", "All hues", "Full color space"]
    assert names_on(weights) == ["recon", "separate", "planar", "norm", "anchor", "data-fraction"]
    assert names_on(rate) == ["lr"]
    assert names_on(actions) == ["anchor"]
    for axes in (weights, rate):
        for line, text in zip(lines(axes, "-"), axes.texts, strict=True):
            assert text.arrow_patch.get_edgecolor()[:3] == to_rgb(line.get_color())
            np.testing.assert_allclose(text.xy[1], line.get_ydata()[-1])


def test_a_line_is_the_track_at_every_step_that_is_drawn():
    axes = plot_timeline(PLANNED).axes[1]
    for line, name in zip(lines(axes, "-"), names_on(axes), strict=True):
        np.testing.assert_array_equal(line.get_ydata(), PLANNED[name].table(line.get_xdata()))
        assert {key.step for key in PLANNED[name].keyframes} <= {*line.get_xdata()}


def test_dots_are_the_keyframes():
    axes = plot_timeline(PLANNED).axes[1]
    keys = [[(key.step, key.value) for key in PLANNED[name].keyframes] for name in names_on(axes)]
    assert dots(axes) == keys


def test_keys_at_every_step_are_no_dots():
    played = Timeline({"a": Track([Keyframe(step, step) for step in range(KEYS + 1)])})
    assert not dots(plot_timeline(played).axes[0])


def test_phases_begin_at_gray_lines_through_every_panel():
    figure = plot_timeline(PLANNED)
    for axes in figure.axes[1:3]:
        starts = [line.get_xdata()[0] for line in axes.lines if len(line.get_xdata()) == 2]
        assert starts[:3] == [0, 3000, 10000]


def test_actions_are_triangles_below():
    taken = plot_timeline(CHANGED).axes[-1].collections
    assert [[*each.get_offsets()[:, 0]] for each in taken if len(each.get_offsets())] == [
        [2200]
    ] * 2


def test_the_plan_is_dashed_and_what_was_not_done_is_hollow():
    figure = plot_timeline(CHANGED, PLANNED)
    weights, actions = figure.axes[1], figure.axes[-1]
    planned = [line.get_ydata()[-1] for line in lines(weights, "--")]
    assert planned == [PLANNED[name](20000) for name in names_on(weights)]
    hollow = [each for each in actions.collections if not len(each.get_facecolors())]
    assert [[*each.get_offsets()[:, 0]] for each in hollow if len(each.get_offsets())] == [[3000]]
    assert "dashed and hollow: as it was planned" in actions.get_xlabel()
    starts = [line.get_xdata()[0] for line in weights.lines if line.get_linestyle() == "--"]
    assert {3000, 10000} <= {*starts}


def test_the_label_says_how_far_a_track_goes_and_what_was_planned_otherwise():
    def hill(top: float, cut: int) -> Timeline:
        track = Track([Keyframe(0, 0.0), Keyframe(cut, top), Keyframe(10, 0.0)])
        same = Track([Keyframe(0, 0.0), Keyframe(20000, 1.0)])
        return Timeline({"w": track, "same": same}, actions={cut: ["cut"]})

    label = plot_timeline(hill(1.0, 3), hill(5.0, 7)).get_label()
    assert "w from 0 to 0 up to 1 and same from 0 to 1. Actions: cut at step 3." in label
    assert label.endswith("Planned otherwise: w from 0 to 0 up to 5 and cut at step 7.")
    assert "Planned" not in plot_timeline(hill(1.0, 3)).get_label()


def test_alone_nothing_is_dashed():
    figure = plot_timeline(PLANNED)
    assert not any(lines(axes, "--") for axes in figure.axes)
    assert figure.axes[-1].get_xlabel() == "step"


def test_log_space_is_drawn_on_a_log_scale():
    rates = Timeline({"lr": Track([Keyframe(0, 1e-6), Keyframe(9, 1e-2)], space="log")})
    assert plot_timeline(rates).axes[0].get_yscale() == "log"


def test_one_step_and_a_plain_zero_can_be_drawn():
    (axes,) = plot_timeline(Timeline({"a": Track([Keyframe(0, 0.0)])})).axes
    assert axes.get_ylim()[0] < 0 < axes.get_ylim()[1]
    assert axes.get_xlim()[0] < 0 < axes.get_xlim()[1]


@pytest.mark.parametrize("steps", [7, 30000])
def test_values_are_those_of_so_many_steps_without_marks(steps):
    figure = plot_values(PLANNED, steps)
    for axes in figure.axes:
        for line, name in zip(axes.lines, names_on(axes), strict=True):
            assert line.get_xdata()[-1] == steps - 1
            np.testing.assert_array_equal(line.get_ydata(), PLANNED[name].table(line.get_xdata()))


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("deficiency", ["Protanomaly", "Deuteranomaly", "Tritanomaly", None])
@pytest.mark.filterwarnings("ignore:.*simulation of tritanomaly")
def test_lines_differ_for_every_color_vision_and_stand_out_from_the_page(theme, deficiency):
    inks = THEMES[theme]
    colors = torch.tensor([to_rgb(color) for color in (inks.page, *inks.lines)])
    if deficiency:
        seen = torch.from_numpy(matrix_cvd_Machado2009(deficiency, 1.0)).float()
        colors = (colors @ seen.T).clamp(0, 1)
    lab = rgb_to_lab(colors)
    for one, other in combinations(lab, 2):
        assert float(delta_e_2000(one, other)) > 10


def test_a_timeline_without_tracks_is_refused():
    for plot in (plot_timeline, lambda timeline: plot_values(timeline, 9)):
        with refuses(ValueError, "The number of tracks is 0; expected at least 1"):
            plot(Timeline({}))


def test_a_plan_of_other_tracks_is_refused():
    other = Timeline({"lr": Track([Keyframe(0, 0.1)])})
    with refuses(ValueError, "has the tracks 'lr', and the plan has 'lr', 'recon',.*the same"):
        plot_timeline(other, PLANNED)


def test_no_steps_are_refused():
    with refuses(ValueError, "num_events is 0; expected at least 1"):
        plot_values(PLANNED, 0)
    with refuses(TypeError, "num_events is 2.5; expected a whole number"):
        plot_values(PLANNED, 2.5)
