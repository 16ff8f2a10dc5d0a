from refusals import refuses

from latent_anchors.curriculum import (
    Above,
    EndPhase,
    ExtendPhase,
    Keyframe,
    Phase,
    Playhead,
    Retarget,
    Stop,
    Timeline,
    Track,
    Trigger,
)

PLAN = Timeline({"lr": Track([Keyframe(0, 0.1)], "log")}, [Phase("hues", 0)], steps=10)


def played(then, plan=PLAN, **how):
    return Playhead(plan, [Trigger("recon", Above(1.0), then, **how)])


def test_phases_can_only_change_where_there_are_some():
    plan = Timeline({}, steps=10)
    for then in (EndPhase(), ExtendPhase(3)):
        with refuses(ValueError, r"'recon above 1: the phase .*has no phases; .*use Stop\(\)"):
            played(then, plan)


def test_a_window_is_a_phase_of_the_timeline():
    with refuses(ValueError, "Unknown phase 'hue'; expected one of 'hues'"):
        played(Stop(), during="hue")


def test_a_track_to_retarget_is_one_of_the_timeline():
    with refuses(ValueError, "Unknown track 'rl'; expected one of 'lr'"):
        played(Retarget("rl", 0.2, over=3))


def test_a_track_in_log_space_cannot_go_to_zero():
    with refuses(ValueError, "'lr' goes to 0 over 3 steps', but .* log space; .* above 0"):
        played(Retarget("lr", 0.0, over=3))
    assert played(Retarget("lr", 1e-8, over=3)).runs == 1


def test_there_is_at_least_one_run():
    with refuses(ValueError, "runs is 0; expected at least 1"):
        Playhead(PLAN, runs=0)
