import gc
from itertools import pairwise

import numpy as np
import pytest
from curriculum.strategies import keyframes, made
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import PchipInterpolator

from latent_anchors.curriculum import Keyframe, Track, read_dopesheet
from latent_anchors.transitions import linear, pchip, quintic, smoothness


@given(keys=keyframes())
def test_the_keys_of_a_track_are_those_that_it_was_given(keys):
    assert made(Track, iter(keys)).keyframes == tuple(keys)


def tracked_by(make) -> int:
    """How many objects the garbage collector has to look at for what is made."""
    gc.collect()
    before = len(gc.get_objects())
    _ = make()
    gc.collect()
    return len(gc.get_objects()) - before


def test_the_garbage_collector_need_not_look_at_the_rows_and_keys_of_a_sheet():
    text = "STEP,lr,anchor\n" + "\n".join(f"{step},0.1,0.2" for step in range(1000)) + "\n"
    assert tracked_by(lambda: read_dopesheet(text)) < 300
    assert tracked_by(lambda: read_dopesheet(text).timeline()["lr"].keyframes) > 1000


few = settings(max_examples=15)  # each of them is slow under the shape checks

gaps = st.lists(st.integers(1, 50), min_size=3, max_size=6)
rises = st.lists(st.floats(0.01, 10.0), min_size=6, max_size=6)
ways = st.sampled_from([pchip, quintic])
spaces = st.sampled_from(["linear", "log"])


def climbing(gaps, rises, leave, space="linear") -> Track:
    steps, values = np.cumsum([0, *gaps]).tolist(), np.cumsum([1.0, *rises])[: len(gaps) + 1]
    keys = zip(steps, values.tolist(), strict=True)
    return Track([Keyframe(step, value, leave) for step, value in keys], space)


def moved(track: Track, values) -> np.ndarray:
    return np.log(values) if track.space == "log" else np.asarray(values)


@few
@given(gaps=gaps, rises=rises, leave=ways, space=spaces)
def test_a_track_is_monotone_where_its_keys_are(gaps, rises, leave, space):
    track = climbing(gaps, rises, leave, space)
    fine = track.table(np.linspace(0, track.keyframes[-1].step, 1000))
    assert (np.diff(fine) >= -1e-14).all()


@few
@given(gaps=gaps, rises=rises, leave=ways, space=spaces)
def test_a_monotone_track_passes_through_its_inner_keys_without_a_stop(gaps, rises, leave, space):
    track = climbing(gaps, rises, leave, space)
    for before, key, after in zip(*(track.keyframes[k:] for k in range(3)), strict=False):
        slower = min(
            (moved(track, key.value) - moved(track, before.value)) / (key.step - before.step),
            (moved(track, after.value) - moved(track, key.value)) / (after.step - key.step),
        )
        h = 1e-6
        speed = np.diff(moved(track, [track(key.step - h), track(key.step + h)]))[0] / (2 * h)
        assert speed >= 0.99 * slower - 1e-8


@few
@given(gaps=gaps, rises=rises, leave=ways, space=spaces)
def test_a_track_has_as_many_continuous_derivatives_at_its_keys_as_declared(
    gaps, rises, leave, space
):
    track, h = climbing(gaps, rises, leave, space), 1e-4
    before = climbing(gaps, rises, leave, space)
    for key in before.keyframes:
        at = key.step + h * np.arange(-2, 3)
        left2, left, here, right, right2 = moved(track, track.table(at))
        # a jump of a slope or an acceleration would not shrink with h
        assert abs((right - here) - (here - left)) / h < 100 * h
        if smoothness(leave) == 2:
            left_bend, right_bend = left2 - 2 * left + here, right2 - 2 * right + here
            assert max(abs(left_bend), abs(right_bend)) / h**2 < 0.05


def test_cubics_leave_accelerations_that_jump_where_quintics_leave_none():
    bend = {}
    for leave in (pchip, quintic):
        keys = [Keyframe(0, 0.0, leave), Keyframe(4, 1.0, leave), Keyframe(6, 4.0, leave)]
        at, h = Track(keys), 1e-4
        bend[leave] = [abs(at(4 + s * 2 * h) - 2 * at(4 + s * h) + at(4)) / h**2 for s in (-1, 1)]
    assert min(bend[pchip]) > 0.05 > 0.01 > max(bend[quintic])


@few
@given(gaps=gaps, rises=rises)
def test_between_inner_keys_cubics_are_those_of_scipy(gaps, rises):
    track = climbing(gaps, rises, pchip)
    steps, values = zip(*((key.step, key.value) for key in track.keyframes), strict=True)
    at = np.linspace(steps[1], steps[-2], 100)
    expected = PchipInterpolator(steps, values)(at)
    np.testing.assert_allclose(track.table(at), expected, rtol=1e-10)


@few
@given(gaps=gaps, rises=rises, leave=ways)
def test_a_track_rests_at_its_ends_and_where_it_turns_back(gaps, rises, leave):
    there = climbing(gaps, rises, leave).keyframes
    last = there[-1].step
    back = [Keyframe(last + key.step, there[-k - 1].value, leave) for k, key in enumerate(there)]
    track, h = Track([*there, *back[1:]]), 1e-6
    for step in (0, last, 2 * last):
        assert abs(track(step + h) - track(abs(step - h))) / h < 1e-4


@pytest.mark.parametrize("leave", [pchip, quintic])
def test_a_key_rests_if_it_says_so_or_if_a_neighboring_segment_cannot_pass_through(leave):
    def speeds(*, rest=False, before=leave, after=leave):
        keys = [Keyframe(0, 0.0, before), Keyframe(10, 1.0, after, rest), Keyframe(20, 2.0)]
        track, h = Track(keys), 1e-6
        return [(track(10) - track(10 - h)) / h, (track(10 + h) - track(10)) / h]

    assert speeds() == pytest.approx([0.1, 0.1], abs=1e-5)
    assert speeds(rest=True) == pytest.approx([0.0, 0.0], abs=1e-5)
    assert speeds(before=linear) == pytest.approx([0.1, 0.0], abs=1e-5)
    assert speeds(after=linear) == pytest.approx([0.0, 0.1], abs=1e-5)


def test_where_cubics_meet_quintics_the_slope_is_the_same_and_valid_for_both():
    keys = [Keyframe(0, 0.0, pchip), Keyframe(1, 1.0, quintic), Keyframe(2, 9.0, pchip)]
    track, h = Track([*keys, Keyframe(3, 20.0)]), 1e-6
    left, right = (track(1) - track(1 - h)) / h, (track(1 + h) - track(1)) / h
    assert left == pytest.approx(right, abs=1e-4)
    assert left == pytest.approx(1.25, abs=1e-4)


@few
@given(gaps=gaps, rises=rises, leave=ways, space=spaces, times=st.integers(2, 9))
def test_a_stretched_track_has_the_same_values_at_stretched_steps(gaps, rises, leave, space, times):
    track = climbing(gaps, rises, leave, space)
    stretched = climbing([gap * times for gap in gaps], rises, leave, space)
    at = np.linspace(0, track.keyframes[-1].step, 200)
    np.testing.assert_allclose(stretched.table(at * times), track.table(at), rtol=1e-10)


@pytest.mark.parametrize("leave", [pchip, quintic])
def test_keys_too_far_apart_for_a_ratio_still_stay_monotone(leave):
    values = [0.0, 1e-300, 1e300, 1.1e300]
    track = Track([Keyframe(step, value, leave) for step, value in enumerate(values)])
    assert (np.diff(track.table(np.linspace(0, 3, 301))) >= 0.0).all()


def test_a_columns_easing_passes_through_its_keys():
    sheet = "STEP,lr:log:pchip,anchor::quintic\n0,1e-3,0\n10,1e-2,1\n30,1e-1,4\n"
    timeline = read_dopesheet(sheet).timeline()
    assert {key.leave for key in timeline["lr"].keyframes} == {pchip}
    assert {key.leave for key in timeline["anchor"].keyframes} == {quintic}
    for earlier, later in pairwise(range(5, 16)):
        assert timeline["anchor"](earlier) < timeline["anchor"](later)
