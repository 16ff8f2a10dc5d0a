import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from refusals import refuses

from latent_anchors.colorspace import COLOR_NAMES, hue_of, named_colors
from latent_anchors.viz import plot_before_after

NAMED = named_colors(*COLOR_NAMES)
HUE = torch.arange(24) / 24
MUTED = torch.stack([1 - NAMED, NAMED / 2])


def figure(concept: str = "red", **changed: object) -> Figure:
    given = {
        "anchor": [0, 2, 0, 0],
        "z": torch.eye(4)[:3],
        "colors": NAMED[:3],
        "outputs": {"as trained": NAMED, "muted": MUTED},
        "hues": HUE,
        "errors": {"as trained": 0 * HUE, "muted": HUE},
    }
    return plot_before_after(concept, **(given | changed))


def test_every_patch_shows_what_each_run_made_of_its_color():
    strip = figure().axes[2]
    before, after = strip.images[:17], strip.images[17:]
    np.testing.assert_allclose(np.concatenate([patch.get_array() for patch in before], 1)[0], NAMED)
    np.testing.assert_allclose(np.concatenate([patch.get_array() for patch in after], 1), MUTED)


def test_squares_in_the_middle_have_the_true_colors():
    for row, squares in enumerate(figure().axes[2].collections):
        np.testing.assert_allclose(squares.get_facecolors()[:, :3], NAMED)
        assert squares.get_offsets().tolist() == [[column, row] for column in range(17)]


def test_patches_are_named_by_condition_and_color():
    strip = figure().axes[2]
    assert [label.get_text() for label in strip.get_yticklabels()] == ["as trained", "muted"]
    names = [label.get_text().replace("\n", "_") for label in strip.get_xticklabels()]
    assert names == [*COLOR_NAMES]


def test_layers_are_named_only_where_there_are_several_runs():
    assert "a layer for each run" in figure().axes[2].get_title()
    assert "layer" not in figure(outputs={"as trained": NAMED}).axes[2].get_title()


def test_the_arrow_points_at_the_anchor_on_the_sphere():
    arrow = figure(view=(1, 0, 2)).axes[0].texts[-1]
    assert arrow.get_text() == "red was put here"
    assert arrow.xy == pytest.approx((1, 0))


@pytest.mark.parametrize("concept", ["red", "orange", "azure"])
def test_the_concept_is_in_the_middle_of_the_hues_and_named(concept: str):
    wheel = figure(concept).axes[1]
    names = [label.get_text() for label in wheel.get_xticklabels()]
    assert np.mean(wheel.get_xlim()) == pytest.approx(hue_of(concept))
    assert names[3] == concept
    assert len(names) == 7


@pytest.mark.parametrize(("concept", "error"), [("red", 0.25), ("cyan", 0.25), ("orange", 1 / 6)])
def test_the_reference_is_the_distance_to_mid_gray(concept: str, error: float):
    reference = figure(concept).axes[1].texts[0]
    assert reference.get_text() == f"{concept} shown as mid-gray"
    assert reference.xy[1] == pytest.approx(error)


def test_what_does_not_fit_is_refused():
    with refuses(ValueError, "Unknown hue 'rde'.*mean 'red'"):
        figure("rde")
    with refuses(ValueError, r"anchor has shape \(3,\); expected \(4\)"):
        figure(anchor=[1, 0, 0])
    with refuses(ValueError, "direction is .*, which points nowhere"):
        figure(anchor=[0, 0, 0, 0])
    with refuses(ValueError, r"outputs\['muted'\] has shape \(12, 3\); expected \(17, 3\)"):
        figure(outputs={"muted": NAMED[:12]})
    with refuses(ValueError, "number of outputs is 0"):
        figure(outputs={})
    with refuses(ValueError, r"View \(1, 0, 4\) does not fit"):
        figure(view=(1, 0, 4))
