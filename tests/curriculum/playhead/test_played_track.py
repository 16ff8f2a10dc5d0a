import math

import numpy as np
import pytest
from curriculum.playhead.playing import LONG, PLAN, fired_at, measurements, one, play, playheads
from hypothesis import given, settings
from hypothesis import strategies as st

from latent_anchors.curriculum import (
    Below,
    EndPhase,
    ExtendPhase,
    Keyframe,
    Phase,
    Playhead,
    Retarget,
    Timeline,
    Track,
    Trigger,
)
from latent_anchors.curriculum._playhead._played_track import Held, Planned, _move
from latent_anchors.transitions import linear, pchip, step_end


@pytest.mark.parametrize("space", ["linear", "log"])
@pytest.mark.parametrize("step", [1, 2, 4, 6, 9, 11])
def test_the_motion_of_a_planned_track_is_the_derivatives_of_its_polynomial(step, space):
    start, end, span, shift = 1.0, 3.0, 12, 7
    path = Planned(Track([Keyframe(0, start), Keyframe(span, end)], space), shift)
    change = 2.0 if space == "linear" else 1.0986122886681098
    tau = step / span
    velocity, acceleration = path.motion(step + shift)
    assert velocity == pytest.approx(change / span * 30 * tau**2 * (1 - tau) ** 2, rel=1e-6)
    bend = 60 * tau * (1 - tau) * (1 - 2 * tau)
    assert acceleration == pytest.approx(change / span**2 * bend, rel=1e-4, abs=1e-9)


@pytest.mark.parametrize("at", [0, 5, 20])
def test_a_track_rests_before_its_first_key_between_jumps_and_after_its_last_key(at):
    track = Track([Keyframe(3, 1.0, step_end), Keyframe(9, 2.0)])
    assert Planned(track).motion(at) == (0.0, 0.0)


def test_a_track_in_motion_passes_a_goal_that_it_is_at_and_one_at_rest_stays():
    moving = Planned(Track([Keyframe(0, 0.0), Keyframe(20, 1.0)]))
    goal = moving(10)
    passing = _move(moving.track, moving, 10, goal, 10, "allow")
    assert passing(10) == pytest.approx(goal)
    assert passing.motion(10) == pytest.approx(moving.motion(10))
    assert passing(12) > goal + 0.05
    assert passing(30) == pytest.approx(goal)
    assert _move(moving.track, moving, 25, 1.0, 10, "allow") == Held(1.0)


def slopes(playhead, name, around):
    """Value, velocity and acceleration just before and just after a step, by finer playing."""
    course = playhead._now.track(name, 0)
    before, after = course.at(around), course.at(around + 1)
    return (before(around), *before.motion(around)), (after(around), *after.motion(around))


@given(
    step=st.integers(1, 98),
    space=st.sampled_from(["linear", "log"]),
    then=st.sampled_from([EndPhase(), ExtendPhase(30), Retarget("lr", 0.4, 25, "allow")]),
)
def test_value_velocity_and_acceleration_are_carried_over(step, space, then):
    track = Track([Keyframe(0, 0.1), Keyframe(110, 0.5), Keyframe(140, 0.3)], space)
    plan = Timeline({"lr": track}, PLAN.phases, steps=150)
    playhead = fired_at(step, one(then, plan))
    before, after = slopes(playhead, "lr", step)
    np.testing.assert_allclose(after, before, rtol=0, atol=1e-9)
    assert any(abs(part) > 1e-5 for part in before[1:])


def test_the_velocity_of_a_planned_track_is_that_of_its_polynomial():
    plan = Timeline({"lr": Track([Keyframe(0, 0.0), Keyframe(100, 1.0)])}, PLAN.phases, steps=150)
    (value, velocity, acceleration), _ = slopes(fired_at(25, one(EndPhase(), plan)), "lr", 25)
    assert value == 0.103515625
    assert math.isclose(velocity, 1.0546875e-2, abs_tol=1e-12)
    assert math.isclose(acceleration, 5.625e-4, abs_tol=1e-12)


def test_a_segment_from_a_key_that_is_passed_through_keeps_its_velocity():
    keys = [Keyframe(step, value, pchip) for step, value in ((0, 0.0), (40, 1.0), (80, 3.0))]
    plan = Timeline({"lr": Track(keys)}, PLAN.phases, steps=150)
    playhead = fired_at(20, one(ExtendPhase(40), plan))
    before, after = slopes(playhead, "lr", 40)
    np.testing.assert_allclose(after, before, rtol=0, atol=1e-9)
    assert before[1] > 0.01
    assert playhead.row(120)["lr"] == 3.0


def test_a_value_that_moves_out_of_its_range_stops_at_the_edge():
    plan = Timeline({"lr": Track([Keyframe(0, 0.0, linear), Keyframe(50, 1.0)])}, steps=99)
    for overshoot in ("clamp", "lengthen"):
        playhead = fired_at(50, one(Retarget("lr", 0.5, 20, overshoot), plan))
        values = [playhead.row(step)["lr"] for step in range(50, 71)]
        assert max(values) == values[0] == 1.0
        assert values == sorted(values, reverse=True)
    allowed = fired_at(50, one(Retarget("lr", 0.5, 20, "allow"), plan))
    assert allowed.row(51)["lr"] > 1.0


@settings(max_examples=6)
@given(make=playheads(), measure=measurements())
def test_tracks_stay_within_their_keys_and_new_targets(make, measure):
    playhead = make()
    goals = {"lr": []}
    for rule in playhead.triggers:
        if isinstance(rule.then, Retarget):
            if rule.then.overshoot == "allow":
                return
            goals.setdefault(rule.then.track, []).append(rule.then.value)
    rows = play(playhead, measure, LONG)
    for name in playhead.timeline.names:
        allowed = [key.value for key in playhead.timeline[name].keyframes] + goals.get(name, [])
        for row in rows:
            values = row[name] if isinstance(row[name], tuple) else (row[name],)
            assert min(allowed) <= min(values)
            assert max(values) <= max(allowed)


def test_a_track_without_a_later_key_arrives_at_the_planned_step():
    plan = Timeline({"lr": Track([Keyframe(0, 0.0), Keyframe(50, 1.0)])}, PLAN.phases, steps=150)
    playhead = fired_at(20, one(EndPhase(), plan))
    assert [playhead.row(step)["lr"] for step in (20, 49, 50, 51)][2:] == [1.0, 1.0]
    for step in range(20, 51):
        assert math.isclose(playhead.row(step)["lr"], plan(step)["lr"], abs_tol=1e-12)


def test_a_track_that_waits_to_jump_jumps_to_the_plans_value():
    track = Track([Keyframe(0, 1.0, step_end), Keyframe(60, 2.0)])
    plan = Timeline({"bits": track}, PLAN.phases, steps=150)
    playhead = fired_at(20, one(EndPhase(), plan))
    assert [playhead.row(step)["bits"] for step in (20, 21)] == [1.0, 2.0]


def test_a_track_on_its_way_to_a_held_value_holds_it_until_its_jump():
    keys = [Keyframe(0, 0.0), Keyframe(40, 1.0, step_end), Keyframe(70, 3.0)]
    plan = Timeline({"bits": Track(keys)}, PLAN.phases, steps=150)
    playhead = fired_at(20, one(EndPhase(), plan))
    values = [playhead.row(step)["bits"] for step in (20, 30, 31, 60)]
    assert values == [0.5, 1.0, 3.0, 3.0]


def test_when_a_phase_ends_early_a_track_moves_to_its_first_key_in_the_next_phase():
    playhead = fired_at(20, one(EndPhase()))
    values = [playhead.row(step)["lr"] for step in range(20, 82)]
    assert values[0] == PLAN(20)["lr"]
    assert values[-1] == playhead.row(140)["lr"] == 0.2
    assert max(values) < 0.5


def test_beyond_that_key_a_track_follows_the_plan():
    keys = [Keyframe(0, 0.0), Keyframe(60, 1.0), Keyframe(80, 0.5), Keyframe(140, 0.9)]
    plan = Timeline({"lr": Track(keys)}, PLAN.phases, steps=150)
    playhead = fired_at(20, one(EndPhase(), plan))
    later = [playhead.row(step)["lr"] for step in range(41, 111)]
    assert later == [plan(step + 39)["lr"] for step in range(41, 111)]


def test_a_segment_that_has_not_begun_is_stretched_with_its_transition():
    keys = [Keyframe(0, 0.0), Keyframe(40, 1.0), Keyframe(80, 3.0)]
    plan = Timeline({"lr": Track(keys)}, PLAN.phases, steps=150)
    playhead = fired_at(20, one(ExtendPhase(40), plan))
    stretched = Track([Keyframe(40, 1.0), Keyframe(120, 3.0)])
    values = [playhead.row(step)["lr"] for step in range(150)]
    assert values[:41] == [plan(step)["lr"] for step in range(41)]
    assert values[40:] == [stretched(step) for step in range(40, 150)]


def test_a_key_skipped_by_an_early_end_is_not_played_even_if_it_was_the_next_step():
    lr = Track([Keyframe(0, 0.0, linear), Keyframe(9, 5.0, linear), Keyframe(20, 1.0)])
    plan = Timeline({"lr": lr}, [Phase("a", 0), Phase("b", 10)])
    playhead = Playhead(plan, [Trigger("recon", Below(1), EndPhase())])
    playhead.observe(8, {"recon": 0.5})
    assert (playhead.phase(9).name, playhead.steps) == ("b", 20)
    assert playhead.row(9)["lr"] < 5.0
    assert playhead.row(19)["lr"] == 1.0


def test_an_extended_phase_delays_jumps_and_first_keys():
    jumping = Track([Keyframe(0, 1.0, step_end), Keyframe(60, 2.0)])
    late = Track([Keyframe(70, 1.0), Keyframe(80, 2.0)])
    plan = Timeline({"bits": jumping, "late": late}, PLAN.phases, steps=150)
    playhead = one(ExtendPhase(10), plan, times=2)
    for step, value in ((20, 2.0), (21, 0.0), (64, 2.0)):
        fired_at(step, playhead, value)
    rows = [playhead.row(step) for step in range(170)]
    assert [row["bits"] for row in rows] == [1.0] * 80 + [2.0] * 90
    assert [row["late"] for row in rows] == [late(max(step - 20, 0)) for step in range(170)]
