"""Stopped at any step, a training goes on bit for bit as if it had not been."""

from functools import cache

import pytest
import torch
from refusals import refuses
from torch import nn
from training.played import EXECUTIONS, PLAN, play, playhead, same_fit, whole
from training.tiny import same, timeline, train, trained

import latent_anchors as la
from latent_anchors.curriculum import Playhead
from latent_anchors.training import Every, FitResult, TrainState

FIRED = {"EndPhase", "Retarget", "RunAction", "ExtendPhase"}
STOPS = {"vmap": (41,), "sequential": (1, 18, 34)}


def replaced(fit: FitResult, **changes) -> FitResult:
    state = TrainState(
        **{name: changes.get(name, value) for name, value in vars(fit.state).items()}
    )
    return FitResult(fit.population, fit.history, fit.failures, state)


@pytest.mark.parametrize("execution", EXECUTIONS)
def test_the_training_of_these_tests_reacts_in_every_way_and_crosses_a_block(execution):
    trained, played, _ = whole(execution)
    assert {type(line.action).__name__ for line in played.log} == FIRED
    assert trained.state.step == played.steps > {"vmap": 100, "sequential": 30}[execution]


@pytest.mark.parametrize(
    ("execution", "stop"), [(how, stop) for how in EXECUTIONS for stop in STOPS[how]]
)
def test_a_stopped_training_goes_on_bit_for_bit(execution, stop, tmp_path):
    expected, played, captured = whole(execution)
    first, before, _ = play(execution, steps=stop)
    assert first.state.step == stop >= before.step
    la.save(first, tmp_path)
    onward, after, again = play(execution, la.load(tmp_path))
    assert same_fit(onward, expected)
    assert (after.log, after.steps) == (played.log, played.steps)
    assert torch.equal(again.latents, captured.latents)
    for name, row in expected.history.rows.items():
        assert torch.equal(onward.history.rows[name], row)


@cache
def begun():
    """Stopped where nothing comes easy: under way to a new weight, with latents captured."""
    return play("sequential", steps=21)[0]


def test_what_a_training_goes_on_from_is_left_as_it_was():
    fit = begun()
    kept = {**fit.population.tensors(), **fit.state.optimizers[0]["state"][0], **fit.state.memory}
    before = {name: tensor.clone() for name, tensor in kept.items()}
    onward = play("sequential", fit, steps=30)[0]
    assert all(torch.equal(kept[name], before[name]) for name in kept)
    assert same_fit(play("sequential", onward)[0], whole("sequential")[0])


def forgotten(fit):
    """The same training, but for one thing that it no longer knows."""
    noise = tuple(torch.Generator().manual_seed(0).get_state() for _ in fit.state.noise)
    optimizers = [{**each, "state": {}} for each in fit.state.optimizers]
    nowhere = torch.full_like(fit.state.memory["captured"], torch.nan)
    return {
        "playheads": [playhead().state_dict()],
        "optimizers": optimizers,
        "noise": noise,
        "memory": {"captured": nowhere},
    }


@pytest.mark.parametrize("what", ["optimizers", "noise"])
def test_one_that_forgets_anything_goes_on_otherwise(what):
    onward = play("sequential", replaced(begun(), **{what: forgotten(begun())[what]}), steps=38)[0]
    means = {name: each[:38] for name, each in whole("sequential")[0].history.means.items()}
    assert any(not torch.equal(onward.history.means[name], means[name]) for name in means)


@pytest.mark.parametrize(
    ("what", "words"),
    [("playheads", "Track 'anchor' was .* at step"), ("memory", r"losses\['hold'\].latents was ")],
)
def test_one_that_forgets_what_can_be_looked_at_is_refused(what, words):
    with refuses(ValueError, words):
        play("sequential", replaced(begun(), **{what: forgotten(begun())[what]}), steps=38)


def test_a_callback_saves_what_a_training_goes_on_from(tmp_path):
    def keep(progress):
        if progress.step == 20:
            la.save(progress.so_far(), tmp_path)

    play("sequential", callbacks=[Every(10, keep)], steps=22)
    assert same_fit(play("sequential", la.load(tmp_path))[0], whole("sequential")[0])


def test_a_copy_so_far_is_not_written_to_any_more():
    kept = []
    trained = train(callbacks=[Every(8, lambda progress: kept.append(progress.so_far()))])
    assert [fit.state.step for fit in kept] == [8, 16, 20]
    assert same(kept[0].population, train(steps=8).population)
    assert not same(kept[0].population, trained.population)


def test_progress_made_by_hand_has_no_training_to_go_on_with():
    progress = la.training.Progress(0, trained().population, trained().history)
    with refuses(RuntimeError, "This progress was made by hand"):
        progress.so_far()


def test_without_triggers_a_training_goes_on_just_so():
    assert same(train(train(steps=7)).population, trained().population)
    assert same(train(trained()).population, trained().population)


def test_a_run_that_failed_stays_frozen_where_it_was():
    class Exploding(nn.Module):
        def __init__(self):
            super().__init__()
            self.latent, self.decoder = nn.Linear(3, 4), nn.Linear(4, 3)
            self.double()

        def forward(self, x):
            return self.decoder(self.latent(x).exp().exp())

    time = [timeline(lr=0.01), timeline(lr=10.0)]
    options = {"make_model": Exploding, "time": time, "seeds": [3, 1]}
    for execution in EXECUTIONS:
        complete = train(**options, execution=execution)
        first = train(**options, execution=execution, steps=12)
        assert [failure.run for failure in first.failures] == [1]
        options_ = {**options, "make_model": first}
        assert same_fit(train(**options_, execution=execution), complete)


class TestWhatDoesNotBelongTogetherIsRefused:
    def test_a_playhead_that_was_played(self):
        used = playhead()
        used.observe(0, {"recon": 1.0, "error": 1.0})
        with refuses(ValueError, "was played already; expected one at its beginning"):
            play("vmap", time=used)

    def test_another_execution(self):
        with refuses(ValueError, "Unknown way in which .* 'vmap'; expected one of 'sequential'"):
            train(train(execution="sequential", steps=3))

    def test_another_optimizer(self):
        with refuses(ValueError, "the settings .*'betas'.*; SGD has 1 .*Give the same optimizer"):
            train(train(steps=3), optimizer=torch.optim.SGD)

    def test_other_parts_tracks_or_playheads(self):
        first = train(steps=3)
        with refuses(ValueError, r"had the parts 'anchor', 'recon'.*now they are 'recon'"):
            train(first, time=timeline(), terms=(), losses={"recon": train, "anchor": train})
        time = Playhead(timeline(), runs=3)
        with refuses(ValueError, r"and 0 playheads; expected the same.* and 1\."):
            train(first, time=time)

    def test_more_steps_than_are_asked_for(self):
        with refuses(ValueError, "7 steps are done and 5 are asked for; expected at least as many"):
            train(train(steps=7), steps=5)

    def test_another_captured_name(self):
        with refuses(ValueError, "Unknown memory 'captured'; expected one of 'other'"):
            play("sequential", replaced(begun(), memory={"other": torch.zeros(2, 3, 4)}))


def test_a_playhead_comes_back_from_its_folder_as_it_was_played(tmp_path):
    played = whole("sequential")[1]
    la.save(played, tmp_path)
    again = la.load(tmp_path)
    assert (again.log, again.as_timeline(1)) == (played.log, played.as_timeline(1))
    assert again.triggers == played.triggers
    assert again.timeline == PLAN
    assert again.as_timeline(1) != PLAN
