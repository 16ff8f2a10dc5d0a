import pytest
import torch
from refusals import refuses
from training.played import EXECUTIONS, PLAN, SAMPLER, play, playhead, whole
from training.tiny import ANCHOR, same, timeline, train, weights

from latent_anchors import Objective, data
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
from latent_anchors.training import Every
from latent_anchors.training._play import make_plan

OBJECTIVE = Objective([ANCHOR], losses=["recon"], other_tracks=["lr"])
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
            make_plan(playhead(), OBJECTIVE, 3, None)

    def test_timelines_and_playheads_mixed(self):
        with refuses(ValueError, "1 timelines and 1 playheads were given; expected one kind"):
            make_plan([timeline(), alone()], OBJECTIVE, 2, None)

    def test_one_playhead_twice_or_one_for_several(self):
        twice = alone()
        for given in ([twice, twice], [alone(), Playhead(timeline(), [MOVE], 2)]):
            with refuses(ValueError, "A playhead was given twice, or is one for several runs"):
                make_plan(given, OBJECTIVE, 2, None)

    def test_playheads_of_other_lengths_or_too_few(self):
        with refuses(ValueError, "2 playheads were given for 2 runs, .* expected one for all"):
            make_plan([alone(), alone(time=timeline(9))], OBJECTIVE, 2, None)

    def test_what_all_share_decided_by_one_run(self):
        rule = Trigger("recon", Below(1.0), Stop())
        with refuses(ValueError, "below 1: the training ends', in the playhead of a single run"):
            make_plan([alone([rule]), alone([rule])], OBJECTIVE, 2, None)

    def test_a_weight_sent_below_0(self):
        rule = Trigger("recon", Below(1.0), Retarget("anchor", -0.5, 5))
        with refuses(ValueError, "'anchor' goes to -0.5 .* weighs a term or loss; expected"):
            make_plan(alone([rule]), OBJECTIVE, 1, None)
        elsewhere = Trigger("recon", Below(1.0), Retarget("lr", -0.5, 5))
        assert make_plan(alone([elsewhere]), OBJECTIVE, 1, None).steps == 20

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
