import gc
import io
import random
import sys
from collections import OrderedDict, defaultdict
from functools import partial
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from matplotlib.text import Text
from refusals import refuses
from viz.members import MEMBERS, drawn, figure_of, pixels, score, tensors, usual

from latent_anchors import viz
from latent_anchors.concepts import ScoreHistory
from latent_anchors.curriculum import Keyframe, Phase, Timeline, Track
from latent_anchors.evaluation import DoseResponse, summarize
from latent_anchors.interventions import Suppression
from latent_anchors.viz._redrawing import plain


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


@pytest.mark.parametrize("kind", [dict, partial(defaultdict, list), OrderedDict])
def test_what_is_filled_later_is_not_redrawn(kind):
    values = kind()
    values["one"] = [0.1, 0.2]
    light = viz.plot_seeds("error", values)
    values["one"].append(9.0)
    values["two"] = [0.3]
    assert viz.redraw(light, "dark").get_label() == light.get_label()


def test_a_global_style_of_dashes_and_markers_leaves_lines_as_they_are():
    dashes = mpl.cycler(color=["red", "blue"]) + mpl.cycler(linestyle=["--", ":"])
    with mpl.rc_context({"axes.prop_cycle": dashes, "lines.marker": "x"}):
        (line, *_) = MEMBERS["plot_timeline"].draw(tensors()).axes[1].lines
    assert (line.get_linestyle(), line.get_marker()) == ("-", "None")


def test_a_theme_that_is_not_there_is_refused():
    with refuses(ValueError, "Unknown theme 'drak'.*mean 'dark'"):
        viz.redraw(viz.plot_seeds("error", {"one": [0.1]}), "drak")


def test_what_was_drawn_elsewhere_is_refused():
    with refuses(ValueError, "How <Figure.* was drawn is not known; expected what a function of"):
        viz.redraw(plt.figure(), "dark")


NAMES = (
    *("a$b$c", r"cost$_{$", r"$\frac$", "$", r"a\$b\$ \alpha", "\\", "_private", "^{", "100 %"),
    *("{braces}", "#&~", "", " ", "two\nlines", "été 漢 \N{GRINNING FACE}", "long " * 40),
)
SOME = NAMES[:6]
"""As many kinds as a figure can tell apart, the worst among them."""

ALL = "  ".join(NAMES)

G = tensors()
FRAMES = G["frames"]


def timeline() -> Timeline:
    phases = [Phase(name, 9 * k) for k, name in enumerate(name for name in NAMES if name)]
    tracks = {name: Track([Keyframe(0, 0.1), Keyframe(10, 0.2)]) for name in NAMES}
    return Timeline(tracks, phases, {5: [name for name in NAMES if name]})


def grids(plot, *given) -> Figure:
    names = {"titles": NAMES[:2], "rows": NAMES[2:5], "columns": NAMES[5:9]}
    return plot(*given, **names, title=ALL)


def values(*shape: int) -> dict[str, np.ndarray]:
    return dict.fromkeys(NAMES, np.linspace(0, 1, int(np.prod(shape))).reshape(shape))


DOSES = (summarize([0.0, 0.1]), summarize([0.5, 0.6]))
DRAWN = {
    "animate_latents": lambda: viz.animate_latents(FRAMES[:2], G["colors"], [1, 2], title=ALL),
    "plot_ablation_table": lambda: viz.plot_ablation_table([[], NAMES], values(2, 3), title=ALL),
    "plot_alignment": lambda: viz.plot_alignment(
        dict.fromkeys(SOME[:2], np.zeros((len(NAMES), len(NAMES)))), NAMES, NAMES, title=ALL
    ),
    "plot_before_after": lambda: viz.plot_before_after(
        "red",
        **{key: G[key] for key in ("anchor", "z", "colors", "hues")},
        outputs=dict.fromkeys(NAMES, G["named"]),
        errors=dict.fromkeys(SOME, G["few"]),
        title=ALL,
    ),
    "plot_dose_response": lambda: viz.plot_dose_response(
        DoseResponse((0.0, 1.0), DOSES, DOSES, DOSES, ((), ())), ALL, SOME[0], title=ALL
    ),
    "plot_edit_polar": lambda: viz.plot_edit_polar(
        dict.fromkeys(SOME[:2], Suppression([1.0, 0.0])), [1.0, 0.0], title=ALL
    ),
    "plot_error_against": lambda: viz.plot_error_against(
        ALL, G["hues"][:20], G["few"][:20], G["colors"], title=ALL
    ),
    "plot_error_by_hue": lambda: viz.plot_error_by_hue(
        G["hues"], dict.fromkeys(SOME, G["few"]), (ALL, 0.5), title=ALL
    ),
    "plot_frontier": lambda: viz.plot_frontier(
        dict.fromkeys(NAMES[:8], ([0.5, 1.0], [0.0, None])),
        *(ALL, ALL, NAMES[:2]),
        reference=1.0,
        reference_name=ALL,
        title=ALL,
    ),
    "plot_latents": lambda: viz.plot_latents(G["z"], G["colors"], title=ALL),
    "plot_pictures": lambda: viz.plot_pictures(
        dict.fromkeys(SOME, G["grid"]), [*SOME][:2], title=ALL
    ),
    "plot_reconstructions": lambda: grids(viz.plot_reconstructions, G["grid"], G["said"]),
    "plot_relearning": lambda: viz.plot_relearning(
        range(1, 31), dict.fromkeys(SOME, G["few"]), 0.01, label=ALL, title=ALL
    ),
    "plot_response": lambda: viz.plot_response(ALL, NAMES, values(len(NAMES), 2), title=ALL),
    "plot_scores": lambda: viz.plot_scores(
        dict.fromkeys(
            SOME, ScoreHistory(ALL, (0, 100), (score(G["few"][:3]), score(G["few"][3:6])))
        ),
        title=ALL,
    ),
    "plot_seeds": lambda: viz.plot_seeds(ALL, values(5), title=ALL),
    "plot_snapshots": lambda: viz.plot_snapshots(FRAMES, G["colors"], range(9), title=ALL),
    "plot_swatches": lambda: grids(viz.plot_swatches, G["grid"]),
    "plot_timeline": lambda: viz.plot_timeline(timeline(), title=ALL),
    "plot_unfolding": lambda: viz.plot_unfolding(
        dict.fromkeys(NAMES, FRAMES[0]), G["colors"], title=ALL
    ),
    "plot_values": lambda: viz.plot_values(timeline(), 9, title=ALL),
    "plot_wheels": lambda: viz.plot_wheels(
        dict.fromkeys(NAMES, G["z"][:, :2]), G["colors"], title=ALL
    ),
}
"""Every function that draws, with awkward names wherever it takes names: a new one needs a row."""


def test_every_function_that_draws_is_tried():
    assert [*DRAWN] == [*MEMBERS]


@pytest.mark.parametrize("name", DRAWN)
@pytest.mark.filterwarnings("ignore:Glyph", "ignore:constrained_layout not applied")
def test_any_name_is_drawn_as_it_stands(name: str):
    figure = figure_of(DRAWN[name]())
    figure.savefig(io.BytesIO(), format="png", dpi=20)
    texts = [text for text in figure.findobj(Text) if "$" in text.get_text()]
    given = [t for t in texts if not t.get_text().startswith(("$z_{", r"$\mathdefault"))]
    assert ALL.split() in [text.get_text().split() for text in given]
    assert not any(text.get_parse_math() for text in given)
    assert "\n" not in figure.get_label()


def test_names_between_dollar_signs_look_otherwise_than_without():
    plots = [pixels(viz.plot_seeds("error", {name: [0.1]})) for name in ("a$b$c", "abc", "a$b$ c")]
    assert not np.array_equal(plots[0], plots[1])
    assert plots[0].shape == plots[1].shape == plots[2].shape


def test_a_style_that_sets_everything_by_tex_is_no_style_for_names():
    with mpl.rc_context({"text.usetex": True}):
        figure = viz.plot_seeds("100 %", {"a_b": [0.1]}, title="#")
    names = [figure.axes[0].get_yticklabels()[0], figure.axes[0].xaxis.label, figure.texts[0]]
    assert [text.get_usetex() for text in names] == [False] * 3


def test_dimensions_and_powers_of_ten_stay_mathematics():
    texts = drawn("plot_latents").findobj(Text)
    compass = [text for text in texts if text.get_text().startswith("$z_{")]
    assert len(compass) == 9
    assert all(text.get_parse_math() for text in compass)
    assert drawn("plot_snapshots").texts[0].get_parse_math()
    rate = Track([Keyframe(0, 1e-6), Keyframe(9, 0.1)], space="log")
    axes = viz.plot_timeline(Timeline({"lr": rate})).axes[0]
    assert axes.get_yscale() == "log"
    assert all(tick.label1.get_parse_math() for tick in axes.yaxis.get_major_ticks())


def test_what_is_drawn_elsewhere_is_plain_only_where_it_is_made_so():
    figure = Figure()
    text = figure.text(0, 0, "$x$")
    assert text.get_parse_math()
    plain(figure)
    assert not text.get_parse_math()


SOURCE = str(Path(viz.__file__).parent)


class Interrupted(BaseException):
    """Neither an Exception nor anyone else's."""


class At:
    """Interrupts at the n-th line of this room; without n it counts them."""

    def __init__(self, n: int | None = None) -> None:
        self.n, self.lines = n, 0

    def __enter__(self) -> "At":
        self.before = sys.gettrace()
        sys.settrace(self.called)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(self.before)

    def called(self, frame, *_):
        return self.line if frame.f_code.co_filename.startswith(SOURCE) else None

    def line(self, _, event, *__):
        if event == "line":
            self.lines += 1
            if self.lines == self.n:
                raise Interrupted
        return self.line


def interrupted(draw, n: int) -> None:
    with pytest.raises(Interrupted), At(n):
        draw()


def check_nothing_is_left(draw, others: list[int], *lines: int) -> None:
    for n in lines:
        style = dict(mpl.rcParams)
        interrupted(draw, n)
        assert plt.get_fignums() == others, n
        assert dict(mpl.rcParams) == style, n
    gc.collect()  # an animation warns when it goes: here, and not in a later test


def lines_of(draw) -> int:
    with At() as counted:
        made = draw()
    figure_of(made)
    plt.close("all")
    return counted.lines


@pytest.mark.parametrize("name", MEMBERS)
@pytest.mark.filterwarnings("ignore:Animation was deleted")
def test_wherever_a_drawing_is_interrupted_no_figure_is_left_open(name: str):
    def draw() -> object:
        return MEMBERS[name].draw(tensors())

    count = lines_of(draw)
    other = plt.figure().number
    shares = 0.3 + 0.6 * random.Random(name).random(), 1.0
    check_nothing_is_left(draw, [other], *(round(share * count) for share in shares))


@pytest.mark.filterwarnings("ignore:Animation was deleted")
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_an_interrupted_dark_variant_leaves_the_light_one_open_alone(share: float, tmp_path: Path):
    figure = viz.plot_seeds("error", {"one": [0.1]})
    again = partial(viz.save_figures, {"seeds": figure}, tmp_path, dark=True)
    with At() as counted:
        again()
    check_nothing_is_left(again, [figure.number], round(share * counted.lines))


def test_a_drawing_that_is_refused_half_way_leaves_no_figure_open():
    with pytest.raises(ValueError, match="logarithmic"):
        viz.plot_relearning([1, 2], {"one": [0.0, 1.0]})
    assert plt.get_fignums() == []


def test_what_is_filled_or_written_to_after_a_drawing_is_not_in_it():
    rows, values = {"one": [0.1, 0.2]}, np.array([0.1, 0.2])
    tensor, edit = torch.tensor([0.1, 0.2]), Suppression([1.0, 0.0])
    drawn = [
        viz.plot_seeds("error", rows),
        viz.plot_seeds("error", {"array": values, "tensor": tensor}),
        viz.plot_edit_polar({"muted": edit}, [1.0, 0.0]),
    ]
    rows["two"], values[:] = [0.8], 0.9
    rows["one"].append(0.7)
    tensor.fill_(0.9)
    edit.strength.fill_(0.0)
    for light in drawn:
        assert viz.redraw(light, "dark").get_label() == light.get_label()
