import numpy as np
import pytest
from curriculum.strategies import easings, steps, timelines, tracks
from hypothesis import given, settings
from hypothesis import strategies as st
from refusals import refuses

from latent_anchors.curriculum import Keyframe, Phase, Timeline, Track, scale, shift, warm_up

few = settings(max_examples=15)  # each of them is slow under the shape checks

PLAN = Timeline(
    {"lr": Track([Keyframe(3, 0.5), Keyframe(9, 0.1)], "log"), "anchor": Track([Keyframe(0, 1)])},
    [Phase("hues", 0), Phase("all", 5)],
    {9: ["save"]},
)


@given(track=tracks(), factor=st.floats(0.001, 1000.0), step=st.floats(0, 150))
def test_a_scaled_track_has_scaled_values(track, factor, step):
    timeline = Timeline({"lr": track, "other": track}, steps=200)
    scaled = scale(timeline, {"lr": factor})
    largest = max(abs(key.value) for key in track.keyframes)
    assert scaled["lr"](step) == pytest.approx(
        factor * track(step), rel=1e-9, abs=1e-12 * largest * factor
    )
    assert scaled["other"] == track


def test_a_linear_track_can_be_scaled_to_nothing_or_turned_round():
    assert scale(PLAN, {"anchor": 0})["anchor"](5) == 0.0
    assert scale(PLAN, {"anchor": -2})["anchor"](5) == -2.0


def test_scaling_changes_no_phase_and_no_action():
    scaled = scale(PLAN, {"lr": 2.0})
    assert (scaled.phases, scaled.actions_by_step) == (PLAN.phases, PLAN.actions_by_step)
    assert len(scaled) == len(PLAN)


@pytest.mark.parametrize(
    ("factors", "message"),
    [
        ({"lt": 2.0}, "Unknown track 'lt'; expected one of 'lr', 'anchor'."),
        ({"lr": 0.0}, "is in log space; expected a value above 0"),
        ({"anchor": float("inf")}, "The value at step 0 is inf; expected a finite number"),
    ],
)
def test_a_factor_that_makes_no_track_is_refused(factors, message):
    with refuses(ValueError, message):
        scale(PLAN, factors)


@few
@given(timeline=timelines(), by=st.integers(0, 50))
def test_a_shifted_timeline_waits_and_is_then_as_it_was(timeline, by):
    shifted, own = shift(timeline, by), np.arange(len(timeline))
    assert len(shifted) == len(timeline) + by
    np.testing.assert_array_equal(shifted.table(own + by), timeline.table(own))
    assert all(shifted(step) == timeline(0) for step in range(by))
    assert [(p.name, p.start - by) for p in shifted.phases] == [
        (p.name, p.start) for p in timeline.phases
    ]
    happened = {step - by: names for step, names in shifted.actions_by_step.items()}
    assert happened == timeline.actions_by_step


@pytest.mark.parametrize(("by", "error"), [(-1, ValueError), (0.5, TypeError)])
def test_a_timeline_is_shifted_by_whole_steps_to_later(by, error):
    with refuses(error, "by is"):
        shift(PLAN, by)


@few
@given(
    track=tracks(),
    ramp=st.integers(1, 40),
    start=st.floats(1e-6, 1e3),
    leave=easings,
    length=steps,
)
def test_a_warm_up_leads_to_the_first_value_and_changes_nothing_after(
    track, ramp, start, leave, length
):
    timeline = Timeline({"lr": track, "other": track}, steps=150 + length)
    warmed, own = warm_up(timeline, "lr", ramp, start=start, leave=leave), np.arange(150)
    assert len(warmed) == len(timeline) + ramp
    np.testing.assert_array_equal(warmed.table(own + ramp), timeline.table(own))
    assert warmed["lr"](0) == start
    low, high = sorted([start, track(0)])
    assert all(low <= warmed["lr"](step) <= high for step in range(ramp))
    assert {warmed["other"](step) for step in range(ramp)} == {track(0)}


def test_phases_and_actions_go_along_with_a_warm_up():
    warmed = warm_up(PLAN, "lr", 100, start=1e-8)
    assert warmed.phases == (Phase("hues", 100), Phase("all", 105))
    assert warmed.actions_by_step == {109: ("save",)}


@pytest.mark.parametrize(
    ("name", "ramp", "start", "error", "message"),
    [
        ("lt", 5, 0.1, ValueError, "Unknown track 'lt'"),
        ("lr", 0, 0.1, ValueError, "steps is 0; expected at least 1"),
        ("lr", 2.5, 0.1, TypeError, "steps is 2.5; expected a whole number"),
        ("lr", 5, 0.0, ValueError, "is in log space; expected a value above 0"),
    ],
)
def test_a_warm_up_that_makes_no_track_is_refused(name, ramp, start, error, message):
    with refuses(error, message):
        warm_up(PLAN, name, ramp, start=start)
