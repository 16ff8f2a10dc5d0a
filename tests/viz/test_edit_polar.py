import numpy as np
import pytest
import torch
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from refusals import refuses

from latent_anchors.interventions import Suppression
from latent_anchors.viz import plot_edit_polar
from latent_anchors.viz._edit_polar import DEGREES, NAMES, plane_of

MUTE = Suppression([1.0, 0.0])
ALONG, ACROSS = np.cos(np.radians(DEGREES)), np.sin(np.radians(DEGREES))
LEFT = np.where(ALONG > 0, 0, ALONG)


def lines(axes: Axes) -> list[np.ndarray]:
    """Points of each line, in the order of drawing."""
    return [line.get_xydata() for line in axes.lines]


def threads(axes: Axes) -> np.ndarray:
    (found,) = [drawn for drawn in axes.collections if type(drawn) is LineCollection]
    return np.array(found.get_segments())


def test_the_circle_goes_in_and_the_shape_comes_out():
    lobe, _ = plot_edit_polar({"muted": MUTE}, [1, 0]).axes
    out, _, circle = lines(lobe)
    np.testing.assert_allclose(circle, np.stack([ACROSS, ALONG], -1), atol=1e-6)
    np.testing.assert_allclose(out, np.stack([ACROSS, LEFT], -1), atol=1e-6)


def test_the_petal_is_as_long_as_the_way_that_vectors_move():
    lobe, _ = plot_edit_polar({"muted": MUTE}, [1, 0]).axes
    petal = lines(lobe)[1]
    np.testing.assert_allclose(np.linalg.norm(petal, axis=1), ALONG.clip(0), atol=1e-6)
    assert petal[len(DEGREES) // 2].tolist() == pytest.approx([0, 1])


def test_a_thread_leads_from_what_goes_in_to_what_comes_out_every_ten_degrees():
    lobe, _ = plot_edit_polar({"muted": MUTE}, [1, 0]).axes
    begin, end = threads(lobe).transpose(1, 0, 2)
    at = np.radians(np.arange(-180, 180, 10))
    np.testing.assert_allclose(begin, np.stack([np.sin(at), np.cos(at)], -1), atol=1e-6)
    np.testing.assert_allclose(end[:, 1], np.minimum(np.cos(at), 0), atol=1e-6)


def test_an_edit_that_does_nothing_has_no_petal():
    lobe, alignment = plot_edit_polar({"none": MUTE.at(0.0)}, [1, 0]).axes
    out, petal, circle = lines(lobe)
    np.testing.assert_allclose(out, circle, atol=1e-6)
    np.testing.assert_allclose(petal, 0, atol=1e-6)
    np.testing.assert_allclose(lines(alignment)[1][:, 1], ALONG, atol=1e-6)


def test_alignment_before_is_below_and_what_becomes_of_it_above():
    _, alignment = plot_edit_polar({"muted": MUTE}, [1, 0]).axes
    before, after, moved = lines(alignment)
    assert before.tolist() == [[-1, -1], [1, 1]]
    np.testing.assert_allclose(after, np.stack([ALONG, LEFT], -1), atol=1e-6)
    np.testing.assert_allclose(moved, np.stack([ALONG, ALONG.clip(0)], -1), atol=1e-6)
    assert [text.get_text() for text in alignment.texts] == [*NAMES]


def test_angles_stand_at_their_cosines():
    _, alignment = plot_edit_polar({"muted": MUTE}, [1, 0]).axes
    told = {
        label.get_text().split("\n")[0]: tick
        for tick, label in zip(alignment.get_xticks(), alignment.get_xticklabels(), strict=True)
    }
    for angle in (180, 120, 90, 60, 30, 0):
        assert told[f"{angle}°"] == pytest.approx(np.cos(np.radians(angle)))


@pytest.mark.parametrize(
    "direction", [[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 3.0, 0.0], [1.0, 1.0, 0.0, -1.0]]
)
def test_the_edit_of_a_model_is_seen_in_a_plane_through_its_direction(direction: list[float]):
    lobe, _ = plot_edit_polar({"muted": Suppression(direction)}, direction).axes
    np.testing.assert_allclose(lines(lobe)[0], np.stack([ACROSS, LEFT], -1), atol=1e-6)


@pytest.mark.parametrize("direction", [[1.0, 0.0], [0.6, 0.8, 0.0], [-0.5, 0.5, 0.5, 0.5]])
def test_the_plane_has_two_orthonormal_directions_the_second_the_concept_s(direction: list[float]):
    v = torch.tensor(direction)
    plane = plane_of(v)
    torch.testing.assert_close(plane @ plane.mT, torch.eye(2))
    assert torch.equal(plane[1], v)


def test_what_leaves_the_plane_moves_as_far_as_it_does():
    def lift(z: torch.Tensor) -> torch.Tensor:
        return z + torch.tensor([0.0, 0.0, 2.0])

    lobe, _ = plot_edit_polar({"lifted": lift}, [1, 0, 0]).axes
    out, petal, circle = lines(lobe)
    np.testing.assert_allclose(out, circle, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(petal, axis=1), 2, atol=1e-6)


def test_every_edit_has_a_row_with_its_name_and_what_moves_far_is_in_sight():
    def flip(z: torch.Tensor) -> torch.Tensor:
        return -3 * z

    axes = plot_edit_polar({"muted": MUTE, "flipped": flip}, [1, 0]).axes
    assert [panel.get_ylabel() for panel in axes] == ["muted", "", "flipped", ""]
    assert axes[0].get_ylim()[1] < 1.5
    assert axes[2].get_ylim()[1] > 4 > 3 < -axes[2].get_ylim()[0]
    assert axes[3].get_ylim() == pytest.approx((-3.05, 4.05))


def test_what_does_not_fit_is_refused():
    with refuses(ValueError, "number of edits is 0"):
        plot_edit_polar({}, [1, 0])
    with refuses(ValueError, "direction has 1 dimension; expected two or more"):
        plot_edit_polar({"muted": MUTE}, [1])
    with refuses(ValueError, "points nowhere"):
        plot_edit_polar({"muted": MUTE}, [0, 0])
    with refuses(ValueError, r"what edits\['summed'\] gives has shape \(1441,\)"):
        plot_edit_polar({"summed": lambda z: z.sum(-1)}, [1, 0])
    with refuses(ValueError, "NaN or infinity"):
        plot_edit_polar({"broken": lambda z: z / 0}, [1, 0])
