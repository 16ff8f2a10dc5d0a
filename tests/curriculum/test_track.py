import json
import pickle
from itertools import pairwise

import numpy as np
import pytest
from curriculum.strategies import LAST_STEP, tracks
from hypothesis import given
from hypothesis import strategies as st
from refusals import refuses

from latent_anchors.curriculum import Keyframe, Track
from latent_anchors.transitions import cosine, linear, minimum_jerk, named, smoothness

EVERY_STEP = range(LAST_STEP + 20)


@given(track=tracks())
def test_a_track_passes_through_its_keys_exactly(track):
    assert [track(key.step) for key in track.keyframes] == [key.value for key in track.keyframes]


@given(track=tracks(), step=st.floats(0, LAST_STEP + 20))
def test_a_track_stays_between_the_keys_around_it(track, step):
    before = [key.value for key in track.keyframes if key.step <= step]
    after = [key.value for key in track.keyframes if key.step > step]
    around = [*before[-1:], *after[:1]]
    assert min(around) <= track(step) <= max(around)


@given(track=tracks())
def test_a_track_never_turns_back_between_two_keys(track):
    for start, end in pairwise(track.keyframes):
        moves = np.diff([track(step) for step in range(start.step, end.step + 1)])
        assert (moves >= 0).all() or (moves <= 0).all()


@given(track=tracks())
def test_a_track_holds_its_first_value_before_and_its_last_value_after(track):
    first, last = track.keyframes[0], track.keyframes[-1]
    assert {track(step) for step in (0, first.step)} == {first.value}
    assert {track(step) for step in (last.step, last.step + 1, 10**9)} == {last.value}


@given(track=tracks(), order=st.permutations(range(0, LAST_STEP, 7)))
def test_steps_in_any_order_give_what_replaying_them_gives(track, order):
    replayed = {step: track(step) for step in range(0, LAST_STEP, 7)}
    assert {step: track(step) for step in order} == replayed


@given(track=tracks(space="linear"))
def test_a_linear_table_is_bit_for_bit_what_single_calls_give(track):
    single = [track(step) for step in EVERY_STEP]
    exact = all(key.leave is not cosine for key in track.keyframes)
    spread = max(1.0, *(abs(key.value) for key in track.keyframes))
    np.testing.assert_allclose(
        track.table(EVERY_STEP), single, rtol=0.0, atol=0.0 if exact else 1e-14 * spread
    )


@given(track=tracks(space="log"))
def test_a_log_table_is_what_single_calls_give(track):
    single = [track(step) for step in EVERY_STEP]
    np.testing.assert_allclose(track.table(EVERY_STEP), single, rtol=1e-12)


@pytest.mark.parametrize("steps", [[], [5], range(4), np.arange(6).reshape(2, 3), [0.5, 1.5]])
def test_a_table_has_the_shape_of_its_steps(steps):
    track = Track([Keyframe(1, 0.0), Keyframe(4, 1.0)])
    table = track.table(steps)
    assert (table.shape, table.dtype) == (np.shape(steps), np.float64)


@pytest.mark.parametrize("name", ["step-end", "linear", "smoothstep", "cosine", "minimum-jerk"])
@pytest.mark.parametrize("space", ["linear", "log"])
def test_a_track_is_as_smooth_at_its_keys_as_its_transition_declares(name, space):
    leave = named(name)
    keys = [Keyframe(0, 1.0, leave), Keyframe(10, 3.0, leave), Keyframe(15, 2.0, leave)]
    track, order, h = Track(keys, space), smoothness(leave) + 1, 1e-2
    # at rest on either side up to the declared derivative, and no further
    before = abs(track(10 - h) - 3.0) / h**order
    after = abs(track(10 + h) - 3.0) / h**order
    assert 1e-3 < max(before, after) < 3.0


@given(track=tracks())
def test_a_track_survives_json_and_pickling(track):
    assert Track.from_json(json.loads(json.dumps(track.to_json()))) == track
    assert pickle.loads(pickle.dumps(track)) == track


def test_one_key_makes_a_constant():
    assert Track([Keyframe(5, 0.3)]).table(range(9)).tolist() == [0.3] * 9


def test_equal_tracks_have_equal_hashes_and_another_easing_makes_another_track():
    first, second = (Track([Keyframe(0, 1), Keyframe(5, 2)]) for _ in range(2))
    other = Track([Keyframe(0, 1, leave=linear), Keyframe(5, 2)])
    assert len({first, second, other}) == 2


def test_a_tracks_repr_has_its_keys_and_space():
    track = Track([Keyframe(0, 0.1, leave=minimum_jerk)], space="log")
    assert repr(track) == ("Track(keyframes=(Keyframe(0, 0.1, leave=minimum_jerk),), space='log')")


def test_a_track_without_keys_is_refused():
    with refuses(ValueError, "no keyframe; one makes a constant"):
        Track([])


@pytest.mark.parametrize("second", [3, 5])
def test_steps_of_keys_strictly_increase(second):
    with refuses(ValueError, rf"Keyframe\({second}, 2.0.* after Keyframe\(5, 1.0.*increasing"):
        Track([Keyframe(5, 1.0), Keyframe(second, 2.0)])


def test_an_unknown_space_is_refused():
    with refuses(ValueError, "Unknown space 'cubic'; expected one of 'linear', 'log'"):
        Track([Keyframe(0, 1.0)], space="cubic")


@pytest.mark.parametrize("value", [0.0, -1.0])
def test_values_in_log_space_are_positive(value):
    with refuses(ValueError, rf"Keyframe\(4, {value}, .* log space; expected a value above 0"):
        Track([Keyframe(0, 1.0), Keyframe(4, value)], space="log")
