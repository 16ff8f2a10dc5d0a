import numpy as np
import pytest
import torch
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.colors import to_rgba
from refusals import refuses

from latent_anchors.viz import plot_alignment
from latent_anchors.viz._plot_alignment import DISC
from latent_anchors.viz._themes import THEMES

COSINES = torch.tensor([[0.9, 0.0, -0.25], [0.5, 0.04, -0.001]])
LAYERS, POSITIONS = ["embedding", "block"], ["red", "+", "blue"]


def panel(given: object = COSINES, **options: str) -> Axes:
    return plot_alignment({"red first": given}, LAYERS, POSITIONS, **options).axes[0]


def discs(axes: Axes) -> PathCollection:
    (found,) = (each for each in axes.collections if isinstance(each, PathCollection))
    return found


def test_a_disc_stands_at_each_layer_and_position_and_its_area_is_the_cosine():
    found = discs(panel())
    at = {(int(x), int(y)): k for k, (x, y) in enumerate(found.get_offsets())}
    assert len(at) == COSINES.numel()
    for (column, row), disc in at.items():
        area = abs(float(COSINES[row, column])) * DISC**2
        assert found.get_sizes()[disc] == pytest.approx(area, abs=1e-4)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_disc_is_full_above_zero_and_hollow_below(theme: str):
    ink, found = to_rgba(THEMES[theme].ink), discs(panel(theme=theme))
    for inside, cosine in zip(found.get_facecolors(), COSINES.flatten().tolist(), strict=True):
        assert tuple(inside) == (ink if cosine > 0 else (0, 0, 0, 0))
    assert {tuple(edge) for edge in found.get_edgecolors()} == {ink}


def test_the_first_layer_is_the_top_row():
    axes = panel()
    bottom, top = axes.get_ylim()
    assert bottom > top
    assert [label.get_text() for label in axes.get_yticklabels()] == LAYERS
    assert [label.get_text() for label in axes.get_xticklabels()] == POSITIONS


def test_numbers_have_two_digits_and_no_zero_is_negative():
    words = [text.get_text() for text in panel().texts]
    assert words == ["0.90", "0.00", "\u22120.25", "0.50", "0.04", "0.00"]


def test_of_several_runs_the_mean_is_shown():
    runs = torch.stack([COSINES, -COSINES, COSINES])
    assert discs(panel(runs)).get_sizes()[0] == pytest.approx(0.3 * DISC**2)
    assert panel(runs).texts[0].get_text() == "0.30"


def test_every_kind_of_lines_has_a_panel_and_many_go_on_in_another_row():
    kinds = {f"kind {k}": np.zeros((2, 9)) for k in range(5)}
    figure = plot_alignment(kinds, LAYERS, "abcdefghi")
    assert [axes.get_title() for axes in figure.axes] == [*kinds]
    assert figure.get_figwidth() < 13
    tops = {round(axes.get_subplotspec().rowspan.start) for axes in figure.axes}
    assert tops == {0, 1, 2}


def test_the_words_say_where_it_lies_most():
    figure = plot_alignment({"no red": -COSINES}, ["a_b", "c"], POSITIONS)
    assert figure.get_label().endswith("No red: 0.25 at most, at blue, a b.")


def test_what_cannot_be_drawn_is_refused():
    with refuses(ValueError, "number of kinds of lines is 0"):
        plot_alignment({}, LAYERS, POSITIONS)
    with refuses(ValueError, r"cosines\['red first'\] has shape \(2, 2\); expected \(2, 3\)"):
        panel(COSINES[:, :2])
    with refuses(ValueError, "reaches from -0.5 to 1.8; expected cosines, from -1 to 1"):
        panel(2 * COSINES)
    with refuses(ValueError, "holds NaN or infinity"):
        panel(float("nan") * COSINES)
    assert panel(COSINES / 0.9 * 1.005).texts  # of rounded cosines
