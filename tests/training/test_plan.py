import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from refusals import refuses
from training.tiny import ANCHOR, timeline

from latent_anchors import Objective
from latent_anchors._streams import BLOCK
from latent_anchors.training._plan import stop_after
from latent_anchors.training._play import make_plan

OBJECTIVE = Objective([ANCHOR], losses=["recon"], other_tracks=["lr"])
RISING = timeline(10, anchor=(0.0, 0.9))


def test_a_plan_holds_every_track_at_every_step_for_every_run():
    plan = make_plan(RISING, OBJECTIVE, runs=2, steps=None)
    assert (plan.names, plan.steps, plan.table.shape) == (RISING.names, 10, (10, 3, 2))
    expected = [[RISING(step)["anchor"]] * 2 for step in range(10)]
    assert plan.values("anchor").tolist() == expected


def test_runs_may_have_timelines_of_their_own():
    plan = make_plan([RISING, timeline(10, anchor=0.2)], OBJECTIVE, runs=2, steps=12)
    assert torch.equal(plan.values("anchor")[:, 1], torch.full((12,), 0.2, dtype=torch.float64))
    assert float(plan.values("anchor")[11, 0]) == 0.9


@pytest.mark.parametrize(
    "times",
    [[RISING], [], [RISING, timeline(11)], [RISING, timeline(10, more=1.0)]],
    ids=["too few", "none", "another length", "other tracks"],
)
def test_timelines_that_do_not_fit_the_runs_are_refused(times):
    with refuses(ValueError, rf"{len(times)} timelines were given for 2 runs.*expected one for"):
        make_plan(times, OBJECTIVE, runs=2, steps=None)


def test_tracks_that_do_not_fit_the_objective_are_refused():
    with refuses(ValueError, "Nobody weighs nothing; nobody reads 'more'"):
        make_plan(timeline(more=1.0), OBJECTIVE, runs=1, steps=None)


def test_a_negative_weight_is_refused_with_its_step_and_other_tracks_may_be_negative():
    with refuses(
        ValueError, "Track 'anchor' weighs a term or loss and is -0.* at step 7; expected"
    ):
        make_plan(timeline(10, anchor=(0.4, -0.1)), OBJECTIVE, runs=1, steps=None)
    assert float(make_plan(timeline(lr=-1.0), OBJECTIVE, runs=1, steps=1).values("lr")) == -1


def test_there_is_at_least_one_step():
    with refuses(ValueError, "steps is 0; expected at least 1"):
        make_plan(RISING, OBJECTIVE, runs=1, steps=0)
    with refuses(TypeError, "steps is 2.0; expected a whole number"):
        make_plan(RISING, OBJECTIVE, runs=1, steps=2.0)


@given(steps=st.integers(1, 350), periods=st.lists(st.integers(1, 120), max_size=3))
def test_stretches_cover_all_steps_within_blocks_and_stop_where_a_callback_is_due(steps, periods):
    plan, found, first = make_plan(RISING, OBJECTIVE, runs=1, steps=steps), [], 0
    while first < steps:
        found.append((first, plan.cut(first, stop_after(first, periods))))
        first = found[-1][1]
    covered = [step for first, stop in found for step in range(first, stop)]
    assert covered == list(range(steps))
    assert all(first // BLOCK == (stop - 1) // BLOCK for first, stop in found)
    due = {step for period in periods for step in range(period, steps, period)}
    assert due <= {stop for _, stop in found}
