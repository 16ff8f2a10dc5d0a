from itertools import pairwise

import pytest
from curriculum.playhead.playing import (
    LONG,
    PLAN,
    fired_at,
    measurements,
    one,
    play,
    playheads,
    through_json,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from latent_anchors.curriculum import (
    Above,
    Below,
    EndPhase,
    ExtendPhase,
    Keyframe,
    Phase,
    Playhead,
    Retarget,
    RunAction,
    Timeline,
    Track,
    Trigger,
)
from latent_anchors.transitions import step_end


def test_when_a_phase_ends_early_all_that_follows_is_earlier():
    playhead = fired_at(20, one(EndPhase()))
    realized = playhead.as_timeline()
    assert realized.phases == (Phase("hues", 0), Phase("all", 21), Phase("rest", 61))
    assert len(realized) == 150 - 39
    assert dict(realized.actions_by_step) == {21: ("capture",), 71: ("save",)}
    assert Timeline.from_json(through_json(realized.to_json())) == realized


@pytest.mark.parametrize("by", [1, 7])
def test_a_longer_phase_makes_all_that_follows_later_by_as_much(by):
    realized = fired_at(20, one(ExtendPhase(by))).as_timeline()
    assert [phase.start for phase in realized.phases] == [0, 60 + by, 100 + by]
    assert len(realized) == 150 + by


@settings(max_examples=6)
@given(first=st.integers(0, 58), later=st.integers(2, 39))
def test_several_phases_can_end_early_without_a_jump(first, later):
    playhead, second = one(EndPhase(), times=2), first + later
    for step, value in ((first, 2.0), (first + 1, 0.0), (second, 2.0)):
        fired_at(step, playhead, value)
    assert [playhead.phase(step).start for step in (first + 1, second + 1)] == [
        first + 1,
        second + 1,
    ]
    values = [playhead.row(step)["lr"] for step in range(first, second + 5)]
    assert max(abs(b - a) for a, b in pairwise(values)) < 0.05


def test_ending_the_last_phase_ends_the_training():
    playhead = fired_at(120, one(EndPhase()))
    assert (playhead.steps, playhead.row(500)) == (121, playhead.row(120))


def test_an_extended_phase_delays_all_that_follows():
    playhead = fired_at(59, one(ExtendPhase(30), last=1))
    realized = playhead.as_timeline()
    assert realized.phases == (Phase("hues", 0), Phase("all", 90), Phase("rest", 130))
    assert len(realized) == 180
    assert dict(realized.actions_by_step) == {50: ("look",), 90: ("capture",), 140: ("save",)}
    assert realized(90)["lr"] == 0.5
    later = [playhead.row(step)["lr"] for step in range(90, 180)]
    assert later == [PLAN(step)["lr"] for step in range(60, 150)]


def test_a_trigger_for_the_last_steps_of_a_phase_waits_for_them_and_can_fire_again():
    playhead = one(ExtendPhase(10), last=1, during="hues", times=3)
    play(playhead, lambda *_: {"recon": 2.0}, LONG)
    assert [line.step for line in playhead.log] == [59, 69, 79]
    assert playhead.steps == 180


def test_an_extended_phase_can_end_early():
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


@settings(max_examples=6)
@given(make=playheads(), measure=measurements())
def test_as_timeline_has_the_rows_that_were_played(make, measure):
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


def test_a_run_has_the_same_timeline_alone_and_among_others():
    many = one(Retarget("lr", 0.3, over=10), runs=2)
    alone = one(Retarget("lr", 0.3, over=10))
    play(many, lambda step, _: {"recon": [0.0, step - 20]}, LONG)
    play(alone, lambda step, _: {"recon": step - 20}, LONG)
    assert many.as_timeline(1) == alone.as_timeline()
    assert many.as_timeline(0) == PLAN


def test_an_action_runs_at_the_next_step_after_the_planned_ones():
    playhead = fired_at(49, one(RunAction("capture")))
    assert playhead.actions(49) == ()
    assert playhead.actions(50) == ("look", "capture")
    assert fired_at(149, one(RunAction("capture"))).actions(150) == ()


def test_two_actions_that_fire_together_both_happen():
    rules = [Trigger("recon", Below(1), RunAction(name)) for name in ("save", "measure")]
    playhead = Playhead(Timeline({}, steps=9), rules)
    playhead.observe(3, {"recon": 0.5})
    assert playhead.actions(4) == ("save", "measure")


@pytest.mark.parametrize("keys", [(0, 50, 200), (0, 90, 150)])
def test_a_phase_that_has_just_ended_is_not_extended(keys):
    """What was skipped would come back, or keys cross."""
    track = Track(
        [Keyframe(step, value) for step, value in zip(keys, (0.0, 1.0, 0.0), strict=True)]
    )
    plan = Timeline({"w": track}, [Phase("a", 0), Phase("b", 100)], {13: ("save",)}, steps=300)
    end = Trigger("m", Above(0.0), EndPhase())
    longer = Trigger("n", Above(0.0), ExtendPhase(45))
    played = []
    for rules in ([end], [end, longer], [longer, end]):
        playhead = Playhead(plan, rules)
        for step in range(11):
            playhead.observe(step, dict.fromkeys("mn", step - 9.5))
        again = Playhead(plan, rules)
        again.load_state_dict(playhead.state_dict())
        for each in (playhead, again):
            rows = tuple(each.row(step)["w"] for step in range(200))
            played.append((rows, each.actions(13), each.phase(11), each.steps))
    assert played[0][1:] == ((), Phase("b", 11), 211)
    assert set(played[:4]) == {played[0]}
    assert played[4][1:] == played[0][1:]
