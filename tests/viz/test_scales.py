from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latent_anchors.viz._scales import LIKE, TRACKS, levels, panels_by_scale, spread

peaks = st.dictionaries(
    st.text("abcdefgh", min_size=1, max_size=3),
    st.one_of(st.just(0.0), st.floats(1e-6, 1e3)),
    min_size=1,
    max_size=20,
)


def panels(given_, logarithmic=()):
    values = {name: np.array([0.0, -peak]) for name, peak in given_.items()}
    return panels_by_scale(values, logarithmic)


@given(given_=peaks)
def test_every_track_is_on_one_panel_with_others_of_like_size(given_):
    found = panels(given_)
    assert sorted(name for panel in found for name in panel) == sorted(given_)
    for panel in found:
        sizes = [given_[name] for name in panel if given_[name] > 0]
        assert len(panel) <= TRACKS
        assert not sizes or max(sizes) <= LIKE * min(sizes) * (1 + 1e-12)


def test_weights_and_rates_part_and_those_in_log_space_stay_apart():
    sizes = {"lr": 0.01, "recon": 1.0, "planar": 0.4, "still": 0.0, "decay": 1.0}
    assert panels(sizes, ["decay"]) == [["recon", "planar"], ["lr", "still"], ["decay"]]


def test_tracks_for_which_there_is_no_ink_have_another_panel():
    found = panels({str(k): 1.0 for k in range(13)})
    assert [len(panel) for panel in found] == [4, 4, 5]


heights = st.lists(st.floats(0, 1), min_size=1, max_size=8).map(sorted)


@given(wanted=heights, gap=st.floats(0.01, 0.2))
def test_names_are_spread_by_a_gap_and_no_farther(wanted, gap):
    found = spread(wanted, gap)
    assert all(later - earlier >= gap - 1e-9 for earlier, later in pairwise(found))
    assert sum(found) == pytest.approx(sum(wanted))
    if all(later - earlier >= gap for earlier, later in pairwise(wanted)):
        assert found == pytest.approx(wanted)


@given(things=st.lists(st.tuples(st.floats(0, 100), st.floats(1, 40)), max_size=12).map(sorted))
def test_nothing_touches_in_a_level_and_levels_are_filled_from_below(things):
    chosen = levels([start for start, _ in things], [width for _, width in things])
    for k, (start, _) in enumerate(things):
        ends = {}
        for (before, width), level in zip(things[:k], chosen, strict=False):
            ends[level] = before + width
        assert ends.get(chosen[k], 0.0) <= start
        assert all(ends[level] > start for level in range(chosen[k]))
