import json
import math
from itertools import pairwise

import numpy as np
import pytest
from curriculum.playhead.playing import measurements, negative, play, playheads, through_json
from hypothesis import given, settings
from hypothesis import strategies as st
from refusals import refuses

from latent_anchors.curriculum import (
    Above,
    Below,
    EndPhase,
    ExtendPhase,
    Keyframe,
    Phase,
    Plateau,
    Playhead,
    Predicate,
    Retarget,
    RunAction,
    Stop,
    Timeline,
    Track,
    Trigger,
)
from latent_anchors.transitions import linear, pchip, step_end

LONG = 400
PLAN = Timeline(
    {
        "lr": Track([Keyframe(0, 0.1), Keyframe(60, 0.5), Keyframe(120, 0.2)]),
        "anchor": Track([Keyframe(0, 1.0)]),
    },
    [Phase("hues", 0), Phase("all", 60), Phase("rest", 100)],
    {50: ["look"], 60: ["capture"], 110: ["save"]},
    steps=150,
)
RISES = Above(1.0)


def one(then, plan=PLAN, runs=1, when=RISES, **how):
    return Playhead(plan, [Trigger("recon", when, then, **how)], runs)


def fired_at(step, playhead, value=2.0):
    playhead.observe(step, {"recon": value})
    return playhead


@settings(max_examples=6)
@given(make=playheads(), measure=measurements(), stop=st.integers(0, 150))
def test_the_same_measurements_make_the_same_play_even_if_resumed_in_between(make, measure, stop):
    whole, before, after = make(), make(), make()
    rows = play(whole, measure, LONG)
    begun = play(before, measure, stop)
    state = through_json(before.state_dict())
    after.load_state_dict(state)
    assert after.state_dict() == before.state_dict()
    assert [dict(after.row(step)) for step in range(len(begun))] == begun
    after_rows = []
    for step in range(len(begun), len(rows)):
        after_rows.append(dict(after.row(step)))
        given_ = measure(step, after.runs)
        if given_ is not None:
            after.observe(step, given_)
    assert begun + after_rows == rows
    assert (after.log, after.steps) == (whole.log, whole.steps)


@settings(max_examples=6)
@given(make=playheads(), measure=measurements())
def test_what_it_turned_out_to_be_is_what_was_played(make, measure):
    playhead = make()
    rows = play(playhead, measure, LONG)
    for run in range(playhead.runs):
        turned_out = playhead.as_timeline(run)
        mine = [
            {name: v[run] if isinstance(v, tuple) else v for name, v in row.items()} for row in rows
        ]
        assert [dict(turned_out(step)) for step in range(len(rows))] == mine
        assert len(turned_out) == playhead.steps
    for step in range(playhead.steps):
        assert turned_out.actions(step) == playhead.actions(step)
        assert turned_out.phase(step) == playhead.phase(step)


@settings(max_examples=6)
@given(make=playheads(), measure=measurements())
def test_rows_once_played_never_change(make, measure):
    playhead = make()
    rows = play(playhead, measure, LONG)
    assert [dict(playhead.row(step)) for step in range(len(rows))] == rows


def test_where_nothing_fires_the_plan_is_played():
    playhead = one(EndPhase())
    rows = play(playhead, lambda *_: {"recon": 0.5}, LONG)
    assert rows == [dict(PLAN(step)) for step in range(150)]
    assert playhead.as_timeline() == PLAN


def test_what_fires_takes_effect_from_the_next_step_on():
    playhead = one(Retarget("anchor", 0.2, over=0))
    before, planned = dict(playhead.row(7)), playhead.row(8)["anchor"]
    fired_at(7, playhead)
    assert (dict(playhead.row(7)), planned) == (before, 1.0)
    assert playhead.row(8)["anchor"] == 0.2


# --- ending a phase ---------------------------------------------------------------------------


def test_when_a_phase_ends_early_all_that_follows_comes_with_it():
    playhead = fired_at(20, one(EndPhase()))
    realized = playhead.as_timeline()
    assert realized.phases == (Phase("hues", 0), Phase("all", 21), Phase("rest", 61))
    assert len(realized) == 150 - 39
    assert dict(realized.actions_by_step) == {21: ("capture",), 71: ("save",)}
    assert Timeline.from_json(through_json(realized.to_json())) == realized


def test_a_track_goes_on_to_its_first_key_after_the_next_phase_begins():
    playhead = fired_at(20, one(EndPhase()))
    values = [playhead.row(step)["lr"] for step in range(20, 82)]
    assert values[0] == PLAN(20)["lr"]
    assert values[-1] == playhead.row(140)["lr"] == 0.2
    assert max(values) < 0.5


def test_beyond_that_key_the_plan_is_played():
    keys = [Keyframe(0, 0.0), Keyframe(60, 1.0), Keyframe(80, 0.5), Keyframe(140, 0.9)]
    plan = Timeline({"lr": Track(keys)}, PLAN.phases, steps=150)
    playhead = fired_at(20, one(EndPhase(), plan))
    later = [playhead.row(step)["lr"] for step in range(41, 111)]
    assert later == [plan(step + 39)["lr"] for step in range(41, 111)]


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


def test_the_velocity_of_the_plan_is_that_of_its_polynomial():
    plan = Timeline({"lr": Track([Keyframe(0, 0.0), Keyframe(100, 1.0)])}, PLAN.phases, steps=150)
    (value, velocity, acceleration), _ = slopes(fired_at(25, one(EndPhase(), plan)), "lr", 25)
    assert value == 0.103515625
    assert math.isclose(velocity, 1.0546875e-2, abs_tol=1e-12)
    assert math.isclose(acceleration, 5.625e-4, abs_tol=1e-12)


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


def test_a_track_without_a_later_key_takes_the_time_that_was_left():
    plan = Timeline({"lr": Track([Keyframe(0, 0.0), Keyframe(50, 1.0)])}, PLAN.phases, steps=150)
    playhead = fired_at(20, one(EndPhase(), plan))
    assert [playhead.row(step)["lr"] for step in (20, 49, 50, 51)][2:] == [1.0, 1.0]
    for step in range(20, 51):
        assert math.isclose(playhead.row(step)["lr"], plan(step)["lr"], abs_tol=1e-12)


def test_a_track_that_waits_to_jump_jumps_to_the_plan():
    track = Track([Keyframe(0, 1.0, step_end), Keyframe(60, 2.0)])
    plan = Timeline({"bits": track}, PLAN.phases, steps=150)
    playhead = fired_at(20, one(EndPhase(), plan))
    assert [playhead.row(step)["bits"] for step in (20, 21)] == [1.0, 2.0]


def test_a_track_on_its_way_to_be_held_is_held_until_its_jump():
    keys = [Keyframe(0, 0.0), Keyframe(40, 1.0, step_end), Keyframe(70, 3.0)]
    plan = Timeline({"bits": Track(keys)}, PLAN.phases, steps=150)
    playhead = fired_at(20, one(EndPhase(), plan))
    values = [playhead.row(step)["bits"] for step in (20, 30, 31, 60)]
    assert values == [0.5, 1.0, 3.0, 3.0]


@settings(max_examples=6)
@given(first=st.integers(0, 58), later=st.integers(2, 39))
def test_phases_may_end_early_one_after_the_other_without_a_jump(first, later):
    playhead, second = one(EndPhase(), times=2), first + later
    for step, value in ((first, 2.0), (first + 1, 0.0), (second, 2.0)):
        fired_at(step, playhead, value)
    assert [playhead.phase(step).start for step in (first + 1, second + 1)] == [
        first + 1,
        second + 1,
    ]
    values = [playhead.row(step)["lr"] for step in range(first, second + 5)]
    assert max(abs(b - a) for a, b in pairwise(values)) < 0.05


def test_the_end_of_the_last_phase_is_the_end():
    playhead = fired_at(120, one(EndPhase()))
    assert (playhead.steps, playhead.row(500)) == (121, playhead.row(120))


# --- extending a phase ------------------------------------------------------------------------


def test_an_extended_phase_puts_off_all_that_follows():
    playhead = fired_at(59, one(ExtendPhase(30), last=1))
    realized = playhead.as_timeline()
    assert realized.phases == (Phase("hues", 0), Phase("all", 90), Phase("rest", 130))
    assert len(realized) == 180
    assert dict(realized.actions_by_step) == {50: ("look",), 90: ("capture",), 140: ("save",)}
    assert realized(90)["lr"] == 0.5
    later = [playhead.row(step)["lr"] for step in range(90, 180)]
    assert later == [PLAN(step)["lr"] for step in range(60, 150)]


def test_what_is_decided_at_the_end_of_a_phase_waits_for_it_and_may_recur():
    playhead = one(ExtendPhase(10), last=1, during="hues", times=3)
    play(playhead, lambda *_: {"recon": 2.0}, LONG)
    assert [line.step for line in playhead.log] == [59, 69, 79]
    assert playhead.steps == 180


def test_a_way_that_has_not_begun_is_stretched_with_its_transition():
    keys = [Keyframe(0, 0.0), Keyframe(40, 1.0), Keyframe(80, 3.0)]
    plan = Timeline({"lr": Track(keys)}, PLAN.phases, steps=150)
    playhead = fired_at(20, one(ExtendPhase(40), plan))
    stretched = Track([Keyframe(40, 1.0), Keyframe(120, 3.0)])
    values = [playhead.row(step)["lr"] for step in range(150)]
    assert values[:41] == [plan(step)["lr"] for step in range(41)]
    assert values[40:] == [stretched(step) for step in range(40, 150)]


def test_a_way_from_a_key_that_is_passed_through_keeps_its_velocity():
    keys = [Keyframe(step, value, pchip) for step, value in ((0, 0.0), (40, 1.0), (80, 3.0))]
    plan = Timeline({"lr": Track(keys)}, PLAN.phases, steps=150)
    playhead = fired_at(20, one(ExtendPhase(40), plan))
    before, after = slopes(playhead, "lr", 40)
    np.testing.assert_allclose(after, before, rtol=0, atol=1e-9)
    assert before[1] > 0.01
    assert playhead.row(120)["lr"] == 3.0


def test_a_value_that_moves_out_of_its_range_stops_dead_at_the_edge():
    plan = Timeline({"lr": Track([Keyframe(0, 0.0, linear), Keyframe(50, 1.0)])}, steps=99)
    for overshoot in ("clamp", "lengthen"):
        playhead = fired_at(50, one(Retarget("lr", 0.5, 20, overshoot), plan))
        values = [playhead.row(step)["lr"] for step in range(50, 71)]
        assert max(values) == values[0] == 1.0
        assert values == sorted(values, reverse=True)
    allowed = fired_at(50, one(Retarget("lr", 0.5, 20, "allow"), plan))
    assert allowed.row(51)["lr"] > 1.0


def test_an_extended_phase_puts_off_jumps_and_first_keys():
    jumping = Track([Keyframe(0, 1.0, step_end), Keyframe(60, 2.0)])
    late = Track([Keyframe(70, 1.0), Keyframe(80, 2.0)])
    plan = Timeline({"bits": jumping, "late": late}, PLAN.phases, steps=150)
    playhead = one(ExtendPhase(10), plan, times=2)
    for step, value in ((20, 2.0), (21, 0.0), (64, 2.0)):
        fired_at(step, playhead, value)
    rows = [playhead.row(step) for step in range(170)]
    assert [row["bits"] for row in rows] == [1.0] * 80 + [2.0] * 90
    assert [row["late"] for row in rows] == [late(max(step - 20, 0)) for step in range(170)]


def test_an_extended_phase_may_end_early_after_all():
    jumping = Track([Keyframe(0, 1.0, step_end), Keyframe(60, 2.0)])
    plan = Timeline({"bits": jumping, **{n: PLAN[n] for n in PLAN.names}}, PLAN.phases, steps=150)
    rules = [
        Trigger("recon", Above(1.0), ExtendPhase(40)),
        Trigger("recon", Below(-1.0), EndPhase()),
    ]
    playhead = Playhead(plan, rules)
    for step in range(80):
        playhead.observe(step, {"recon": {50: 2.0, 70: -2.0}.get(step, 0.0)})
    assert playhead.phase(70).name, playhead.phase(71) == ("hues", Phase("all", 71))
    assert [playhead.row(step)["bits"] for step in (70, 71)] == [1.0, 2.0]
    assert abs(playhead.row(71)["lr"] - playhead.row(70)["lr"]) < 0.01


# --- runs -------------------------------------------------------------------------------------


def test_a_value_is_retargeted_in_each_run_for_itself():
    playhead = one(Retarget("anchor", 0.2, over=10), runs=3)
    playhead.observe(5, {"recon": [0.0, 2.0, math.nan]})
    playhead.observe(9, {"recon": np.array([2.0, 2.0, 0.0])})
    assert playhead.row(5)["anchor"] == 1.0
    assert playhead.row(15)["anchor"] == (playhead.row(11)["anchor"][1], 0.2, 1.0)
    assert playhead.row(19)["anchor"] == (0.2, 0.2, 1.0)
    assert [line.runs for line in playhead.log] == [(1,), (0,)]
    assert playhead.row(19)["lr"] == PLAN(19)["lr"]


def test_a_run_plays_alone_as_it_does_among_others():
    many = one(Retarget("lr", 0.3, over=10), runs=2)
    alone = one(Retarget("lr", 0.3, over=10))
    play(many, lambda step, _: {"recon": [0.0, step - 20]}, LONG)
    play(alone, lambda step, _: {"recon": step - 20}, LONG)
    assert many.as_timeline(1) == alone.as_timeline()
    assert many.as_timeline(0) == PLAN


@pytest.mark.parametrize(
    ("vote", "needed"), [("any", 1), ("majority", 3), ("all", 4), (0.5, 2), (0.51, 3), (1.0, 4)]
)
def test_what_changes_for_all_runs_is_put_to_the_vote(vote, needed):
    playhead = one(RunAction("capture"), runs=5, vote=vote)
    for step in range(5):
        playhead.observe(step, {"recon": [2.0] * step + [0.0] * (4 - step) + [None]})
    assert [(line.step, line.runs) for line in playhead.log] == [(needed, tuple(range(needed)))]
    assert f"in {needed} of 4 runs" in playhead.log[0].why


def test_where_no_run_is_measured_nothing_fires():
    playhead = one(Stop(), runs=2, vote="any")
    assert playhead.observe(0, {"recon": None}) == ()
    assert playhead.observe(1, {"recon": [math.inf, math.nan]}) == ()
    assert playhead.observe(2, {"recon": 2.0}) != ()


# --- the rest ---------------------------------------------------------------------------------


def test_an_action_happens_at_the_next_step_beside_what_was_planned():
    playhead = fired_at(49, one(RunAction("capture")))
    assert playhead.actions(49) == ()
    assert playhead.actions(50) == ("look", "capture")
    assert fired_at(149, one(RunAction("capture"))).actions(150) == ()


def test_a_stop_ends_the_training_and_leaves_later_triggers_unasked():
    rules = [Trigger("recon", RISES, Stop()), Trigger("recon", RISES, ExtendPhase(5))]
    playhead = Playhead(PLAN, rules)
    assert [line.action for line in fired_at(30, playhead).log] == [Stop()]
    assert playhead.steps == len(playhead.as_timeline()) == 31
    with refuses(ValueError, "Step 31 was observed; expected one from 31 on, .* end at 31"):
        playhead.observe(31, {"recon": 0.0})


def test_a_rule_fires_once_or_each_time_anew():
    swings = [0, 2, 2, 0, 2, 0, 2]
    once, thrice = one(RunAction("look")), one(RunAction("look"), times=None)
    for step, value in enumerate(swings):
        fired_at(step, once, value)
        fired_at(step, thrice, value)
    assert [line.step for line in once.log] == [1]
    assert [line.step for line in thrice.log] == [1, 4, 6]


def test_a_rule_fires_in_its_window_and_watches_before_it():
    playhead = one(RunAction("look"), when=Above(1.0, patience=5), during="all", times=None)
    play(playhead, lambda *_: {"recon": 2.0}, LONG)
    assert [line.step for line in playhead.log] == [60]


def test_the_log_tells_what_fired_and_why():
    playhead = one(EndPhase(), when=Above(1.0, patience=2))
    (line,) = [line for step in (3, 5) for line in playhead.observe(step, {"recon": 1.5})]
    assert (line.step, line.trigger, line.runs, line.values) == (5, 0, (0,), (1.5,))
    assert line.words == (
        "step 5: recon above 1 for 2 observations in a row (1.5), so the phase ends"
    )
    assert playhead.log == (line,)


def test_a_playhead_returns_from_json_in_the_middle_of_its_play():
    playhead = fired_at(20, one(EndPhase(), runs=2), 2.0)
    again = Playhead.from_json(json.loads(json.dumps(playhead.to_json())))
    assert repr(again) == repr(playhead)
    assert again.as_timeline() == playhead.as_timeline()


def test_steps_are_observed_in_order_and_once():
    playhead = fired_at(5, one(Stop()), 0.0)
    for step in (5, 4):
        with refuses(ValueError, f"Step {step} was observed; expected one from 6 on"):
            playhead.observe(step, {"recon": 0.0})


def test_a_state_belongs_to_the_triggers_and_runs_that_made_it():
    state = one(Stop()).state_dict()
    with refuses(ValueError, r"The state is of the triggers .*Stop.*; expected .*EndPhase"):
        one(EndPhase()).load_state_dict(state)
    with refuses(ValueError, "The state is of 1 runs; expected 2"):
        one(Stop(), runs=2).load_state_dict(state)
    with refuses(ValueError, r"The state has \[1\] runs for its triggers; expected 2"):
        one(Stop(), runs=2).load_state_dict({**state, "runs": 2})


def test_the_state_of_a_predicate_of_yours_can_be_saved_though_it_cannot():
    playhead = one(Stop(), when=Predicate(negative))
    other = one(Stop(), when=Predicate(negative))
    playhead.observe(0, {"recon": 1.0})
    other.load_state_dict(through_json(playhead.state_dict()))
    assert other.step == 1
    with refuses(ValueError, "calls the function 'negative', which cannot be written"):
        playhead.to_json()


def test_there_is_no_row_before_the_first_step():
    playhead = one(Stop())
    for ask in (playhead.row, playhead.phase, playhead.actions):
        with refuses(ValueError, "The step is -1; expected at least 0"):
            ask(-1)


def test_an_unknown_run_is_refused():
    with refuses(ValueError, "Unknown run 1; expected one of '0'"):
        one(Stop()).as_timeline(1)


def test_a_relative_retarget_is_relative_to_each_run_at_its_time():
    plan = Timeline({"lr": Track([Keyframe(0, 0.4)])}, steps=50)
    halve = one(Retarget("lr", 0.5, over=0, of="factor"), plan, runs=2, times=None)
    for step, recon in ((3, [2.0, 0.0]), (4, [0.0, 2.0]), (5, [2.0, 0.0])):
        halve.observe(step, {"recon": recon})
    assert halve.row(6)["lr"] == (0.1, 0.2)
    again = Playhead.from_json(through_json(halve.to_json()))
    assert again.row(6)["lr"] == (0.1, 0.2)
    logarithmic = Timeline({"lr": Track([Keyframe(0, 0.4)], "log")}, steps=50)
    with refuses(ValueError, "in log space; expected a value above 0, or a factor"):
        one(Retarget("lr", 0.1, 5, of="difference"), logarithmic)


def test_two_actions_that_fire_together_both_happen():
    rules = [Trigger("recon", Below(1), RunAction(name)) for name in ("save", "measure")]
    playhead = Playhead(Timeline({}, steps=9), rules)
    playhead.observe(3, {"recon": 0.5})
    assert playhead.actions(4) == ("save", "measure")


def test_a_plateau_fires_again_whenever_its_patience_is_over_anew():
    rule = Trigger("recon", Plateau(2), RunAction("save"), times=None)
    playhead = Playhead(Timeline({}, steps=20), [rule])
    for step in range(9):
        playhead.observe(step, {"recon": 1.0})
    assert [line.step for line in playhead.log] == [2, 4, 6, 8]


def test_a_state_takes_the_place_of_what_was_played_before():
    plan = Timeline({"lr": Track([Keyframe(0, 0.0), Keyframe(20, 1.0)])}, [Phase("a", 0)])
    rules = [
        Trigger("recon", Below(1), RunAction("save"), times=None),
        Trigger("recon", Below(1), Retarget("lr", 5.0, 3)),
    ]
    one, other = Playhead(plan, rules), Playhead(plan, rules)
    one.observe(3, {"recon": 0.5})
    for step in (1, 2, 5):
        other.observe(step, {"recon": 2.0 if step == 2 else 0.5})
    other.load_state_dict(one.state_dict())
    assert other.log == one.log
    assert [other.actions(step) for step in range(9)] == [one.actions(step) for step in range(9)]
    assert [dict(other.row(step)) for step in range(9)] == [
        dict(one.row(step)) for step in range(9)
    ]


def test_a_key_that_an_early_end_cuts_off_is_not_played_be_it_by_a_single_step():
    lr = Track([Keyframe(0, 0.0, linear), Keyframe(9, 5.0, linear), Keyframe(20, 1.0)])
    plan = Timeline({"lr": lr}, [Phase("a", 0), Phase("b", 10)])
    playhead = Playhead(plan, [Trigger("recon", Below(1), EndPhase())])
    playhead.observe(8, {"recon": 0.5})
    assert (playhead.phase(9).name, playhead.steps) == ("b", 20)
    assert playhead.row(9)["lr"] < 5.0
    assert playhead.row(19)["lr"] == 1.0
