"""What weighs a step and sets the optimizer, beside what a trainer does with it."""

import pytest
import torch

from latent_anchors.adapters._played_schedule import PlayedSchedule
from latent_anchors.curriculum import Above, Playhead, Retarget, Timeline, Trigger, read_dopesheet


def plan(sheet: str = "STEP,lr,red\n0,0,1\n10,1,2\n") -> Timeline:
    return read_dopesheet(sheet).timeline()


def played(timeline: Timeline | Playhead, *settings: str, factors: tuple[str, ...] = ()):
    """A schedule with its optimizer, of two groups."""
    groups = [{"params": [torch.zeros(1)], "weight_decay": w} for w in (0.0, 0.1)]
    optimizer = torch.optim.SGD(groups, lr=0.1)
    schedule = PlayedSchedule(timeline, settings, factors, ["red"], {})
    schedule.scheduler(optimizer, None)
    return schedule, optimizer


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
