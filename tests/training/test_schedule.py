import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from refusals import refuses
from training.played import EXECUTIONS, PLAN, SAMPLER, play, playhead, whole
from training.tiny import ANCHOR, same, timeline, train, trained, weights

from latent_anchors import Objective, data
from latent_anchors._streams import BLOCK
from latent_anchors.curriculum import (
    Above,
    Below,
    Phase,
    Playhead,
    Retarget,
    RunAction,
    Stop,
    Timeline,
    Trigger,
)
from latent_anchors.training import Every, History, Progress
from latent_anchors.training._fit.measure import measured
from latent_anchors.training._fit.schedule import make_schedule, stop_after

OBJECTIVE = Objective([ANCHOR], losses=["recon"], other_tracks=["lr"])
RISING = timeline(10, anchor=(0.0, 0.9))


def values(plan, name):
    """One track ``(steps, runs)``."""
    return plan.rows(0, plan.steps)[:, plan.names.index(name)]


def test_a_plan_holds_every_track_at_every_step_for_every_run():
    plan = make_schedule(RISING, OBJECTIVE, runs=2, steps=None)
    assert (plan.names, plan.steps, plan.rows(0, 10).shape) == (RISING.names, 10, (10, 3, 2))
    expected = [[RISING(step)["anchor"]] * 2 for step in range(10)]
    assert values(plan, "anchor").tolist() == expected


def test_runs_may_have_timelines_of_their_own():
    plan = make_schedule([RISING, timeline(10, anchor=0.2)], OBJECTIVE, runs=2, steps=12)
    assert torch.equal(values(plan, "anchor")[:, 1], torch.full((12,), 0.2, dtype=torch.float64))
    assert float(values(plan, "anchor")[11, 0]) == 0.9


@pytest.mark.parametrize(
    "times",
    [[RISING], [], [RISING, timeline(11)], [RISING, timeline(10, more=1.0)]],
    ids=["too few", "none", "another length", "other tracks"],
)
def test_timelines_that_do_not_fit_the_runs_are_refused(times):
    with refuses(
        ValueError, rf"{len(times)} timelines or playheads were given for 2 runs.*expected"
    ):
        make_schedule(times, OBJECTIVE, runs=2, steps=None)


def test_tracks_that_do_not_fit_the_objective_are_refused():
    with refuses(ValueError, "Missing weights: nothing; unused tracks: 'more'"):
        make_schedule(timeline(more=1.0), OBJECTIVE, runs=1, steps=None)


def test_negative_weights_and_rates_are_refused_with_their_step_and_other_tracks_may_be_negative():
    with refuses(
        ValueError, "Track 'anchor' weighs a term or loss and is -0.* at step 7; expected"
    ):
        make_schedule(timeline(10, anchor=(0.4, -0.1)), OBJECTIVE, runs=1, steps=None)
    with refuses(ValueError, "Track 'lr' is a rate and is -1 at step 0; expected at least 0.$"):
        make_schedule(timeline(lr=-1.0), OBJECTIVE, runs=1, steps=1)
    steering = Objective([ANCHOR], losses=["recon"], other_tracks=["lr", "push"])
    plan = make_schedule(timeline(push=-1.0), steering, runs=1, steps=1)
    assert float(values(plan, "push")) == -1


def test_there_is_at_least_one_step():
    with refuses(ValueError, "steps is 0; expected at least 1"):
        make_schedule(RISING, OBJECTIVE, runs=1, steps=0)
    with refuses(TypeError, "steps is 2.0; expected a whole number"):
        make_schedule(RISING, OBJECTIVE, runs=1, steps=2.0)


@given(steps=st.integers(1, 350), periods=st.lists(st.integers(1, 120), max_size=3))
def test_step_batches_cover_all_steps_within_blocks_and_stop_at_callbacks(steps, periods):
    plan, found, first = make_schedule(RISING, OBJECTIVE, runs=1, steps=steps), [], 0
    while first < steps:
        found.append((first, plan.cut(first, stop_after(first, periods))))
        first = found[-1][1]
    covered = [step for first, stop in found for step in range(first, stop)]
    assert covered == list(range(steps))
    assert all(first // BLOCK == (stop - 1) // BLOCK for first, stop in found)
    due = {step for period in periods for step in range(period, steps, period)}
    assert due <= {stop for _, stop in found}


MOVE = Trigger("recon", Above(0.0), Retarget("anchor", 0.1, 5), during=None)


def alone(rules=(MOVE,), time=None):
    return Playhead(time or timeline(), rules)


def test_where_nothing_fires_the_plan_is_trained():
    time = timeline(40, lr=(0.001, 0.05), anchor=(0.1, 0.4))
    quiet = Playhead(time, [Trigger("recon", Below(-1.0), Stop())], runs=3)
    played = train(time=quiet, measure=7)
    assert same(played.population, train(time=time).population)
    assert quiet.step == 40


@pytest.mark.parametrize("execution", EXECUTIONS)
def test_rows_and_batches_are_those_of_the_timelines_that_it_turned_out_to_be(execution):
    trained, played, _ = whole(execution)
    assert played.as_timeline(0) != played.as_timeline(1)
    for run in range(2):
        realized = played.as_timeline(run)
        for name in PLAN.names:
            expected = [realized(step)[name] for step in range(played.steps)]
            assert trained.history.rows[name][:, run].tolist() == expected
    realized = [played.as_timeline(run) for run in range(2)]
    if execution == "vmap":
        again = replayed(realized)
        assert same(again.population, trained.population)


def replayed(realized):
    """The same training again, as pure timelines without a measurement."""

    class Each:
        def block(self, seed, index):
            own = realized[(3, 1).index(seed)]
            return SAMPLER.following(own).block(seed, index)

    return play("vmap", time=realized, measure=None, batches=Each())[0]


def test_the_data_follow_what_is_played_and_not_what_was_planned():
    trained = whole("vmap")[0]

    class Planned:
        def block(self, seed, index):
            return SAMPLER.block(seed, index)

    unmoved = play("vmap", batches=Planned(), steps=24)[0]
    assert torch.equal(unmoved.history["recon"][:12], trained.history["recon"][:12])
    assert not torch.equal(unmoved.history["recon"], trained.history["recon"][:24])


def test_a_run_has_a_playhead_of_its_own_if_nothing_but_values_move():
    rule = Trigger("recon", Below(0.12), Retarget("anchor", 0.1, 5))
    own = [Playhead(timeline(), [rule]) for _ in range(3)]
    among = train(time=own, measure=5)
    shared = Playhead(timeline(), [rule], runs=3)
    assert same(among.population, train(time=shared, measure=5).population)
    assert {p.as_timeline() for p in own} == {shared.as_timeline(run) for run in range(3)}
    one = train(time=Playhead(timeline(), [rule]), measure=5, seeds=[1]).population
    assert float((weights(among.population, 1) - weights(one, 0)).abs().max()) < 1e-9


def test_a_run_may_have_a_timeline_where_another_has_a_playhead():
    rule = Trigger("recon", Below(0.12), Retarget("anchor", 0.1, 5))
    own = [Playhead(timeline(), [rule]), timeline(), Playhead(timeline(), [rule])]
    mixed = train(time=own, measure=5)
    moved = train(time=Playhead(timeline(), [rule], runs=3), measure=5)
    for run, other in enumerate((moved, trained(), moved)):
        assert torch.equal(weights(mixed.population, run), weights(other.population, run))


def test_from_the_end_on_the_last_row_holds():
    plan = make_schedule(RISING, OBJECTIVE, runs=2, steps=8)
    assert torch.equal(plan.rows(6, 12)[2:], plan.rows(7, 8).expand(4, -1, -1))


def test_a_stop_ends_the_training_and_callbacks_are_called_then():
    ends = Playhead(timeline(50), [Trigger("recon", Below(9.0, 3), Stop())], runs=3)
    called = []
    trained = train(time=ends, measure=4, callbacks=[Every(10, lambda p: called.append(p.step))])
    assert (len(trained.history["recon"]), called) == (12, [10, 12])


def test_it_is_measured_at_the_end_of_each_phase_too():
    time = Timeline(
        {name: timeline()[name] for name in timeline().names},
        [Phase("one", 0), Phase("two", 7)],
        steps=20,
    )
    seen = []
    heard = Trigger("recon", Below(-1.0), Stop())
    train(
        time=Playhead(time, [heard], 3),
        measure=Every(5, lambda p: seen.append(p.step) or {"none": 0.0}),
    )
    assert seen == [5, 7, 10, 15, 20]


def test_a_learning_rate_that_may_move_in_one_run_needs_an_optimizer_that_scales():
    rule = Trigger("recon", Below(9.0), Retarget("lr", 0.001, 5))
    with refuses(ValueError, "Track 'lr' differs between runs .*Rprop"):
        train(time=Playhead(timeline(), [rule], 3), measure=5, optimizer=torch.optim.Rprop)
    alike = Playhead(timeline(), [Trigger("recon", Below(9.0), Stop())], 3)
    assert len(train(time=alike, measure=5, optimizer=torch.optim.Rprop).history["recon"]) == 5


class TestMistakesAreRefused:
    def test_a_playhead_for_another_number_of_runs(self):
        with refuses(ValueError, r"one for 2 runs and 3 are .*Playhead\(.*runs=3\)"):
            make_schedule(playhead(), OBJECTIVE, 3, None)

    def test_one_playhead_twice_or_one_for_several(self):
        twice = alone()
        for pair in ([twice, twice], [alone(), Playhead(timeline(), [MOVE], 2)]):
            with refuses(ValueError, "A playhead was given twice, or is one for several runs"):
                make_schedule(pair, OBJECTIVE, 2, None)

    def test_playheads_of_other_lengths_or_too_few(self):
        with refuses(ValueError, "2 timelines or playheads were given .* expected one for all"):
            make_schedule([alone(), alone(time=timeline(9))], OBJECTIVE, 2, None)

    def test_what_all_share_decided_by_one_run(self):
        rule = Trigger("recon", Below(1.0), Stop())
        with refuses(ValueError, "below 1: the training ends', in the playhead of a single run"):
            make_schedule([alone([rule]), alone([rule])], OBJECTIVE, 2, None)

    def test_a_weight_sent_below_0(self):
        rule = Trigger("recon", Below(1.0), Retarget("anchor", -0.5, 5))
        with refuses(ValueError, "'anchor' goes to -0.5 .* weighs a term or loss; expected"):
            make_schedule(alone([rule]), OBJECTIVE, 1, None)
        elsewhere = Trigger("recon", Below(1.0), Retarget("lr", -0.5, 5))
        assert make_schedule(alone([elsewhere]), OBJECTIVE, 1, None).steps == 20

    def test_an_action_to_be_fired_that_nobody_handles(self):
        rule = Trigger("recon", Below(1.0), RunAction("save"))
        with refuses(ValueError, "The timeline has actions 'save'; handlers were given for noth"):
            train(time=Playhead(timeline(), [rule], 3), measure=5)

    def test_a_sampler_that_follows_tracks_which_are_not_played(self):
        follows = data.Sampler(
            torch.rand(27, 3).double(),
            {"red": data.SoftLabels(torch.ones(27))},
            8,
            data.ScheduledWeights(lambda _: torch.ones(27), PLAN, ["dark"]),
        )
        with refuses(ValueError, "Unknown track 'dark'; expected one of 'lr', 'anchor', 'recon'"):
            train(time=Playhead(timeline(), runs=3), batches=follows)


def test_weights_that_overshoot_below_0_are_refused_when_they_do():
    fast = timeline(40, anchor=(0.5, 0.0))
    down = Trigger("recon", Above(-1.0), Retarget("anchor", 0.0, 300, "allow"))
    with refuses(ValueError, "Track 'anchor' weighs a term or loss and is -.* at step [23]"):
        train(time=Playhead(fast, [down], 3), measure=20)


POPULATION = trained().population


def history():
    """Two runs over three steps; labels are rare, and the first step was measured before."""
    means = {
        "anchor": torch.tensor([[9.0, 9.0], [1.0, 0.0], [4.0, 0.0]]),
        "recon": torch.tensor([[9.0, 9.0], [0.2, 0.4], [0.4, math.nan]]),
    }
    masses = {
        "anchor": torch.tensor([[1.0, 1.0], [2.0, 0.0], [1.0, 0.0]]),
        "recon": torch.full((3, 2), 8.0),
    }
    return History(means, masses, {}, {"anchor": "anchor", "recon": "recon"})


def found(measure=1, frozen=()):
    progress = Progress(3, POPULATION[:2], history())
    return measured(measure, OBJECTIVE, progress, since=1, frozen=frozen)


def watching(name, runs=3):
    return Playhead(timeline(), [Trigger(name, Below(-9.0), Stop())], runs)


def test_parts_are_their_means_since_the_last_measurement_weighed_by_labels():
    anchor, recon = found()["anchor"], found()["recon"]
    assert anchor[0] == 2.0
    assert recon[0] == pytest.approx(0.3)
    assert math.isnan(anchor[1])  # nobody said anything
    assert math.isnan(recon[1])


def test_a_function_returns_numbers_for_all_runs_or_for_each():
    brought = {"one": 2.0, "each": torch.tensor([1.0, 3.0]), "none": None, "list": [1, None]}
    given = found(Every(1, lambda _: brought))
    assert {name: given[name] for name in brought} == {
        "one": [2.0, 2.0],
        "each": [1.0, 3.0],
        "none": [None, None],
        "list": [1, None],
    }


def test_a_frozen_run_is_not_measured():
    given = found(Every(1, lambda _: {"one": 2.0}), frozen=[0])
    assert all(each[0] is None for each in given.values())
    assert given["one"][1] == 2.0


@pytest.mark.parametrize("given", [3.0, None, {"recon": 1.0}])
def test_what_is_no_measurement_by_a_name_of_its_own_is_refused(given):
    with refuses(ValueError, r"measure gave .*; expected measurements by name.*'anchor', 'recon'"):
        found(Every(1, lambda _: given))


def test_a_measurement_of_other_runs_is_refused():
    with refuses(ValueError, "'grid' was measured for 3 runs; expected one number for each of 2"):
        found(Every(1, lambda _: {"grid": [1.0, 2.0, 3.0]}))


def test_triggers_and_measurements_need_each_other():
    with refuses(ValueError, "Triggers watch 'recon', and measure is None; expected both"):
        train(time=watching("recon"))
    for time in (timeline(), Playhead(timeline(), runs=3)):
        with refuses(ValueError, "Triggers watch nothing, and measure is 5; expected both"):
            train(time=time, measure=5)


def test_what_is_watched_is_a_part_or_returned_by_a_function():
    with refuses(ValueError, "Unknown term or loss 'grid'; expected one of 'anchor', 'recon'"):
        train(time=watching("grid"), measure=5)
    with refuses(ValueError, "watches 'grid', but the measurements are 'anchor', 'recon', 'other'"):
        train(time=watching("grid"), measure=Every(5, lambda _: {"other": 1.0}))
    assert len(train(time=watching("anchor"), measure=5).history["recon"]) == 20


def test_a_period_is_a_whole_number_of_steps():
    with refuses(ValueError, "The period of measure is 0; expected at least 1"):
        train(time=watching("recon"), measure=0)
