import json
import math

import numpy as np
import pytest
from curriculum.playhead.playing import (
    LONG,
    PLAN,
    RISES,
    fired_at,
    measurements,
    negative,
    one,
    play,
    playheads,
    through_json,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from refusals import refuses, unchecked

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


@settings(max_examples=6)
@given(make=playheads(), measure=measurements(), stop=st.integers(0, 150))
def test_the_same_measurements_give_the_same_rows_even_if_resumed_in_between(make, measure, stop):
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
def test_rows_that_were_played_never_change(make, measure):
    playhead = make()
    rows = play(playhead, measure, LONG)
    assert [dict(playhead.row(step)) for step in range(len(rows))] == rows


def test_where_nothing_fires_the_plan_is_played():
    playhead = one(EndPhase())
    rows = play(playhead, lambda *_: {"recon": 0.5}, LONG)
    assert rows == [dict(PLAN(step)) for step in range(150)]
    assert playhead.as_timeline() == PLAN


def test_a_trigger_takes_effect_from_the_next_step():
    playhead = one(Retarget("anchor", 0.2, over=0))
    before, planned = dict(playhead.row(7)), playhead.row(8)["anchor"]
    fired_at(7, playhead)
    assert (dict(playhead.row(7)), planned) == (before, 1.0)
    assert playhead.row(8)["anchor"] == 0.2


def test_a_track_is_retargeted_separately_in_each_run():
    playhead = one(Retarget("anchor", 0.2, over=10), runs=3)
    playhead.observe(5, {"recon": [0.0, 2.0, math.nan]})
    playhead.observe(9, {"recon": np.array([2.0, 2.0, 0.0])})
    assert playhead.row(5)["anchor"] == 1.0
    assert playhead.row(15)["anchor"] == (playhead.row(11)["anchor"][1], 0.2, 1.0)
    assert playhead.row(19)["anchor"] == (0.2, 0.2, 1.0)
    assert [line.runs for line in playhead.log] == [(1,), (0,)]
    assert playhead.row(19)["lr"] == PLAN(19)["lr"]


@pytest.mark.parametrize(
    ("vote", "needed"), [("any", 1), ("majority", 3), ("all", 4), (0.5, 2), (0.51, 3), (1.0, 4)]
)
def test_the_runs_vote_on_what_changes_for_all(vote, needed):
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


def test_a_stop_ends_the_training_and_later_triggers_are_not_evaluated():
    rules = [Trigger("recon", RISES, Stop()), Trigger("recon", RISES, ExtendPhase(5))]
    playhead = Playhead(PLAN, rules)
    assert [line.action for line in fired_at(30, playhead).log] == [Stop()]
    assert playhead.steps == len(playhead.as_timeline()) == 31
    with refuses(ValueError, "Step 31 was observed; expected one from 31 on, .* end at 31"):
        playhead.observe(31, {"recon": 0.0})


def test_a_trigger_fires_once_or_each_time_its_condition_becomes_true():
    swings = [0, 2, 2, 0, 2, 0, 2]
    once, thrice = one(RunAction("look")), one(RunAction("look"), times=None)
    for step, value in enumerate(swings):
        fired_at(step, once, value)
        fired_at(step, thrice, value)
    assert [line.step for line in once.log] == [1]
    assert [line.step for line in thrice.log] == [1, 4, 6]


def test_a_trigger_fires_in_its_window_but_counts_observations_before_it():
    playhead = one(RunAction("look"), when=Above(1.0, patience=5), during="all", times=None)
    play(playhead, lambda *_: {"recon": 2.0}, LONG)
    assert [line.step for line in playhead.log] == [60]


def test_the_log_says_what_fired_and_why():
    playhead = one(EndPhase(), when=Above(1.0, patience=2))
    (line,) = [line for step in (3, 5) for line in playhead.observe(step, {"recon": 1.5})]
    assert (line.step, line.trigger, line.runs, line.values) == (5, 0, (0,), (1.5,))
    assert line.words == (
        "step 5: recon above 1 for 2 observations in a row (1.5), so the phase ends"
    )
    assert playhead.log == (line,)


def test_a_playhead_survives_json_in_the_middle_of_a_training():
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
    with refuses(ValueError, "A playhead's state has the keys .* unknown: 'other'"):
        one(Stop()).load_state_dict({**state, "other": 1})
    with refuses(ValueError, r"The state has \[1\] runs for its triggers; expected 2"):
        one(Stop(), runs=2).load_state_dict({**state, "runs": 2})


def test_the_state_of_a_predicate_can_be_saved_but_its_function_cannot():
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


def test_a_plateau_fires_again_after_each_patience():
    rule = Trigger("recon", Plateau(2), RunAction("save"), times=None)
    playhead = Playhead(Timeline({}, steps=20), [rule])
    for step in range(9):
        playhead.observe(step, {"recon": 1.0})
    assert [line.step for line in playhead.log] == [2, 4, 6, 8]


def test_loading_a_state_replaces_what_was_played_before():
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


def test_triggers_may_come_from_an_iterator():
    rules = (Trigger(name, Above(0.0), Stop()) for name in "ab")
    with unchecked():
        playhead = Playhead(Timeline({}, steps=9), rules)
    assert [rule.watch for rule in playhead.triggers] == ["a", "b"]
    assert [fired.trigger for fired in playhead.observe(0, {"a": -1.0, "b": 1.0})] == [1]


def test_a_playhead_with_thresholds_of_numpy_survives_json():
    with unchecked():
        below = Below(np.float64(0.01), smoothing=np.float32(0.5))
        retarget = Retarget("lr", np.float64(0.5), over=9)
    rules = [Trigger("a", below, Stop()), Trigger("a", Plateau(3, np.float64(0.1)), retarget)]
    playhead = Playhead(Timeline({"lr": Track([Keyframe(0, 1.0)])}, steps=9), rules)
    again = Playhead.from_json(json.loads(json.dumps(playhead.to_json())))
    assert again.triggers == playhead.triggers
