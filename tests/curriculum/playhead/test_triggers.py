import json

import pytest
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

RULES = [
    Trigger("recon", Below(0.01, 3, 0.02, 0.9), EndPhase(), vote=0.9, during="hues"),
    Trigger("recon", Above(0.1), ExtendPhase(100), vote="any", times=None, last=1),
    Trigger("grid", Plateau(10, 0.1), Retarget("lr", 0.1, over=20)),
    Trigger("grid", Above(1), RunAction("capture")),
    Trigger("grid", Above(1), Stop(), vote="majority"),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: type(rule.then).__name__)
def test_a_trigger_survives_json(rule):
    assert Trigger.from_json(json.loads(json.dumps(rule.to_json()))) == rule


def test_a_trigger_describes_itself():
    assert RULES[1].words == "recon above 0.1: the phase lasts 100 steps longer"
    assert RULES[2].words == (
        "grid not lower by 0.1 for 10 observations in a row: 'lr' goes to 0.1 over 20 steps"
    )


@pytest.mark.parametrize("vote", ["all", "any", "majority", 0.01, 1.0])
def test_no_vote_passes_without_runs_and_every_vote_passes_with_all(vote):
    rule = Trigger("recon", Above(1), Stop(), vote=vote)
    assert not rule.passes(0, 0)
    assert not rule.passes(0, 3)
    assert rule.passes(3, 3)


def test_a_trigger_needs_a_condition_and_an_action():
    with refuses(TypeError, "when is 0.1; expected one of Below, Above, Plateau, Predicate"):
        Trigger("recon", 0.1, Stop())
    with refuses(TypeError, "then is 'stop'; expected one of EndPhase, .*, Stop"):
        Trigger("recon", Above(1), "stop")


def test_a_vote_is_a_word_or_a_share():
    with refuses(ValueError, "Unknown vote 'most'; expected one of 'all', 'any', 'majority'"):
        Trigger("recon", Above(1), Stop(), vote="most")
    for share in (0.0, 1.1, float("nan")):
        with refuses(ValueError, f"The vote is {share}; expected a share above 0, at most 1"):
            Trigger("recon", Above(1), Stop(), vote=share)


@pytest.mark.parametrize("name", ["times", "last"])
def test_limits_are_positive_integers(name):
    with refuses(ValueError, f"{name} is 0; expected at least 1"):
        Trigger("recon", Above(1), Stop(), **{name: 0})


def test_a_custom_function_cannot_be_written():
    with refuses(ValueError, "calls the function 'bool', .* cannot be written. Save .*state_dict"):
        Trigger("recon", Predicate(bool), Stop()).to_json()
    data = {**RULES[0].to_json(), "when": {"kind": "Predicate"}}
    with refuses(ValueError, "Unknown kind 'Predicate'; expected one of 'Below', 'Above'"):
        Trigger.from_json(data)


PLAN = Timeline({"lr": Track([Keyframe(0, 0.1)], "log")}, [Phase("hues", 0)], steps=10)


def played(then, plan=PLAN, **how):
    return Playhead(plan, [Trigger("recon", Above(1.0), then, **how)])


def test_a_phase_can_only_change_in_a_timeline_with_phases():
    plan = Timeline({}, steps=10)
    for then in (EndPhase(), ExtendPhase(3)):
        with refuses(ValueError, r"'recon above 1: the phase .*timeline has none; .*use Stop\(\)"):
            played(then, plan)


def test_a_window_is_a_phase_of_the_timeline():
    with refuses(ValueError, "Unknown phase 'hue'; expected one of 'hues'"):
        played(Stop(), during="hue")


def test_a_track_to_retarget_is_one_of_the_timeline():
    with refuses(ValueError, "Unknown track 'rl'; expected one of 'lr'"):
        played(Retarget("rl", 0.2, over=3))


def test_a_track_in_log_space_cannot_go_to_zero():
    with refuses(ValueError, "'lr' goes to 0 over 3 steps' acts on .* log space; .* above 0"):
        played(Retarget("lr", 0.0, over=3))
    assert played(Retarget("lr", 1e-8, over=3)).runs == 1


def test_there_is_at_least_one_run():
    with refuses(ValueError, "runs is 0; expected at least 1"):
        Playhead(PLAN, runs=0)


def test_a_share_that_was_divided_out_is_passed_by_exactly_so_many_runs():
    for runs in range(1, 65):
        for k in range(1, runs + 1):
            rule = Trigger("recon", Above(1.0), Stop(), vote=k / runs)
            assert rule.passes(k, runs)
            assert not rule.passes(k - 1, runs)
    assert Trigger("recon", Above(1.0), Stop(), vote=0.28).passes(7, 25)
