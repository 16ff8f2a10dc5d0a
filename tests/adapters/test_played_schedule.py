"""What weighs a step and sets the optimizer, beside what a trainer does with it."""

import pytest
import torch
from refusals import refuses

import latent_anchors as la
from latent_anchors.adapters._played_schedule import PlayedSchedule
from latent_anchors.curriculum import (
    Above,
    Below,
    Playhead,
    Retarget,
    RunAction,
    Stop,
    Timeline,
    Trigger,
    read_dopesheet,
)


def plan(sheet: str = "STEP,lr,red\n0,0,1\n10,1,2\n") -> Timeline:
    return read_dopesheet(sheet).timeline()


def played(timeline: Timeline | Playhead, *settings: str, factors: tuple[str, ...] = ()):
    """A schedule with its optimizer, of two groups."""
    groups = [{"params": [torch.zeros(1)], "weight_decay": w} for w in (0.0, 0.1)]
    optimizer = torch.optim.SGD(groups, lr=0.1)
    schedule = PlayedSchedule(timeline, reading(*settings), factors, metrics=["eval"])
    schedule.drive(optimizer)
    return schedule, optimizer


def reading(*settings: str) -> la.Objective:
    return la.Objective([], losses=["red"], other_tracks=settings)


def test_a_step_that_was_skipped_is_one_of_the_timeline_all_the_same():
    schedule, optimizer = played(plan(), "lr")
    schedule.begin(3, optimizer, None)
    assert optimizer.param_groups[1]["lr"] == plan()(3)["lr"]


def test_settings_without_a_rate_are_written_before_each_step():
    timeline = plan("STEP,momentum,red\n0,0.5,1\n10,0.9,2\n")
    schedule, optimizer = played(timeline, "momentum")
    schedule.begin(5, optimizer, None)
    assert optimizer.param_groups[0]["momentum"] == timeline(5)["momentum"]


def test_factors_keep_what_groups_differ_in():
    timeline = plan("STEP,lr,weight_decay,red\n0,0.1,1,1\n10,1,3,2\n")
    schedule, optimizer = played(timeline, "lr", "weight_decay", factors=("weight_decay",))
    schedule.begin(10, optimizer, None)
    assert [group["weight_decay"] for group in optimizer.param_groups] == pytest.approx([0.0, 0.3])


def test_metrics_of_an_evaluation_reach_triggers_once():
    rule = Trigger("eval_red_auc", Above(0.9, patience=2), Retarget("red", 0.0, over=0))
    schedule, _ = played(Playhead(plan(), [rule]), "lr")
    for step in range(3):
        schedule.evaluated({"eval_red_auc": 0.95} if step != 1 else {})
        schedule.observe(step, lambda: {"red": 0.1})
        assert schedule.row(step + 1)["red"] == (0.0 if step == 2 else plan()(step + 1)["red"])


NEAR = Below(0.1)


def of(timeline: Timeline | Playhead, *settings: str, **given) -> PlayedSchedule:
    return PlayedSchedule(timeline, reading(*(settings or ["lr"])), **given)


def acting() -> Timeline:
    return Timeline({name: plan()[name] for name in plan().names}, actions={3: ["look"]})


@pytest.mark.parametrize(
    "played", [acting(), Playhead(plan(), [Trigger("red", NEAR, RunAction("look"))])]
)
def test_actions_and_functions_have_to_match(played: Timeline | Playhead):
    with refuses(ValueError, "name the actions 'look'; there are functions for nothing"):
        of(played)
    with refuses(ValueError, "name the actions 'look'; there are functions for 'listen', 'look'"):
        of(played, actions={"look": print, "listen": print})
    of(played, actions={"look": print})


def test_a_trigger_that_would_never_fire_is_refused():
    for watch in ("total", "red", "red/weighted"):
        of(Playhead(plan(), [Trigger(watch, NEAR, Stop())]))
    stop = Playhead(plan(), [Trigger("eval_loss", NEAR, Stop())])
    of(stop, metrics=["eval"])
    with refuses(ValueError, "Unknown measurement of a trigger 'eval_loss'.* 'red/weighted'.$"):
        of(stop)


def test_a_playhead_of_several_runs_and_tracks_that_nobody_reads_are_refused():
    with refuses(ValueError, "made for 2 runs; expected 1, as a trainer trains one model"):
        of(Playhead(plan(), runs=2))
    with refuses(ValueError, "Missing weights: 'x'; unused tracks: nothing"):
        of(plan(), "lr", "x")


def test_factors_need_a_track_for_the_rate():
    timeline = plan("STEP,momentum,red\n0,0.5,1\n10,0.9,2\n")
    with refuses(ValueError, "Without a track 'lr' .* factors names 'momentum'; expected none"):
        played(timeline, "momentum", factors=("momentum",))


def test_beyond_the_end_nothing_is_observed_and_a_playhead_that_was_played_is_refused():
    timeline = Playhead(plan(), [Trigger("red", Above(0.0), Stop())])
    schedule = of(timeline)
    assert not schedule.ended(0)
    schedule.observe(0, lambda: {"red": 1.0})
    assert schedule.ended(1)
    before = timeline.state_dict()
    schedule.observe(1, lambda: {"red": 1.0})
    assert timeline.state_dict() == before
    with pytest.raises(ValueError, match="Step 0 was observed; expected one from 1 on"):
        schedule.observe(0, lambda: {"red": 1.0})


def test_a_timeline_without_triggers_ends_no_training():
    assert not of(plan()).ended(99)
    assert not of(Playhead(plan())).ended(99)


def test_a_checkpoint_without_a_schedule_will_do_where_nothing_was_to_be_remembered():
    model = torch.nn.Identity()
    of(plan()).go_on_with(model, None)
    with refuses(ValueError, "saved without a playhead, and training is to go on with one"):
        of(Playhead(plan(), [Trigger("red", NEAR, Stop())])).go_on_with(model, None)
