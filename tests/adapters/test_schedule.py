import pytest
from adapters.lit import objective, timeline
from refusals import refuses

from latent_anchors.adapters._schedule import Schedule
from latent_anchors.curriculum import (
    Below,
    Keyframe,
    Playhead,
    RunAction,
    Stop,
    Timeline,
    Track,
    Trigger,
)

NEAR = Below(0.1)


def with_actions(actions):
    tracks = {name: Track([Keyframe(0, 1.0)]) for name in timeline().names}
    return Timeline(tracks, actions=actions)


@pytest.mark.parametrize(
    "plan",
    [with_actions({3: ["look"]}), Playhead(timeline(), [Trigger("red", NEAR, RunAction("look"))])],
)
def test_actions_are_refused_where_nothing_would_call_them(plan):
    with refuses(ValueError, "The timeline has the actions 'look'; expected none, since nothing"):
        Schedule(plan, objective())


def test_a_playhead_of_several_runs_is_refused():
    with refuses(ValueError, "The playhead is of 2 runs; expected 1, as one model is trained"):
        Schedule(Playhead(timeline(), runs=2), objective())


def test_a_trigger_that_would_never_fire_is_refused():
    with refuses(ValueError, "Triggers watch 'val_loss'; expected some of 'total', 'red'"):
        Schedule(Playhead(timeline(), [Trigger("val_loss", NEAR, Stop())]), objective())


def test_tracks_have_to_match():
    with refuses(ValueError, "Missing weights: 'x'; unused tracks: nothing"):
        Schedule(
            timeline(),
            objective(losses=["task", "more"], constants={"more": 1.0}, other_tracks=["lr", "x"]),
        )
