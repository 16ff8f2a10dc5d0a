import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from refusals import refuses

from latent_anchors.colorspace import hsv_grid, hue_distance
from latent_anchors.testbed import color_extent, hue_focus

GRID = hsv_grid(36, 11, 11, dtype=torch.float64)
HUE, SATURATION, VALUE = GRID.hsv.unbind(-1)
SIX = [k / 6 for k in range(6)]
shares = st.floats(0, 1)


def test_by_default_all_of_color_space_is_inside():
    assert color_extent(GRID.hsv).unique().tolist() == [1.0]


@given(reach=st.floats(0, 0.5), low=shares, dark=shares)
def test_weights_are_one_inside_and_zero_beyond_the_edges(reach, low, dark):
    weights = color_extent(
        GRID.hsv, hues=[0.0], reach=reach, saturation=(low, 1.0), value=(dark, 1.0)
    )
    away = hue_distance(HUE, 0.0)
    inside = (away <= reach) & (low <= SATURATION) & (dark <= VALUE)
    beyond = (away >= reach + 1 / 12) | (low - 0.1 >= SATURATION) | (dark - 0.1 >= VALUE)
    assert bool((weights[inside] == 1).all())
    assert not weights[beyond & (~inside)].gt(1e-12).any()
    assert bool(((weights >= 0) & (weights <= 1)).all())


@given(low=shares, by=st.floats(0, 0.01))
def test_weights_grow_with_the_part_and_never_jump(low, by):
    narrow = color_extent(GRID.hsv, value=(low, 1.0))
    wide = color_extent(GRID.hsv, value=(max(low - by, 0.0), 1.0))
    # A raised cosine is nowhere steeper than pi over twice its width.
    assert bool((wide - narrow >= -1e-12).all())
    assert float((wide - narrow).max()) <= torch.pi / 0.2 * by + 1e-12


def test_the_hues_of_a_set_are_reached_both_ways_round():
    weights = color_extent(GRID.hsv, hues=SIX, edges=(1 / 36, 0.1, 0.1))
    expected = (torch.arange(36) % 6 == 0).repeat_interleave(121).double()
    torch.testing.assert_close(weights, expected, rtol=0, atol=1e-12)
    red = color_extent(GRID.hsv, hues=[0.0], reach=1 / 36)
    assert torch.equal(red.reshape(36, -1)[1], red.reshape(36, -1)[-1])
    assert float(red[-1]) == 1


def test_cells_come_in_one_by_one_where_an_edge_is_as_wide_as_a_cell():
    cells = torch.tensor([[0.0, s / 10, 1.0] for s in range(11)], dtype=torch.float64)
    for low, seen in ((1.0, 1), (0.95, 2), (0.9, 2), (0.85, 3)):
        assert int((color_extent(cells, saturation=(low, 1.0)) > 1e-9).sum()) == seen


def test_columns_of_ends_give_the_weights_of_each_step():
    reach, low = torch.tensor([[0.0], [0.2]]), torch.tensor([[1.0], [0.5]])
    at_once = color_extent(GRID.hsv, hues=SIX[:2], reach=reach, value=(low, 1.0))
    for k in range(2):
        ends = {"reach": float(reach[k]), "value": (float(low[k]), 1.0)}
        single = color_extent(GRID.hsv, hues=SIX[:2], **ends)
        torch.testing.assert_close(at_once[k], single)


@pytest.mark.parametrize(
    ("given_", "words"),
    [
        ({"hues": []}, "number of hues is 0; expected at least 1"),
        ({"hues": SIX, "reach": -0.1}, "reach is -0.1; expected at least 0 turns"),
        ({"saturation": (0.5, 0.4)}, "saturation reaches from 0.5 to 0.4; expected two ends"),
        ({"value": (0.0, 1.1)}, "value reaches from 0 to 1.1; expected two ends from 0 to 1"),
        ({"value": (torch.nan, 1.0)}, "value reaches from nan to 1"),
        ({"edges": (0.1, 0.0, 0.1)}, "An edge is 0.0 wide; expected more than 0"),
    ],
)
def test_what_is_no_part_of_color_space_is_refused(given_, words):
    with refuses(ValueError, words):
        color_extent(GRID.hsv, **given_)


def test_pure_hues_have_full_focus_and_those_between_none():
    degrees = torch.arange(0, 360, 5, dtype=torch.float64)
    distance = torch.minimum(degrees % 60, 60 - degrees % 60)
    expected = (torch.cos(torch.pi * distance / 30) + 1) / 2
    torch.testing.assert_close(hue_focus(degrees / 360), expected, rtol=0, atol=1e-12)
