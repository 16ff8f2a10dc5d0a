import pytest
import torch
from refusals import refuses, unchecked
from torch import nn
from training.tiny import Dropped, same, timeline, train, trained

from latent_anchors import evaluation
from latent_anchors.curriculum import Above, Playhead, Retarget, Trigger
from latent_anchors.models import Population
from latent_anchors.training import Every, Progress, Snapshots


def test_each_callback_is_called_at_its_period_and_at_the_end():
    called = {7: [], 10: [], 25: [], 99: []}
    callbacks = [Every(steps, lambda p, s=steps: called[s].append(p.step)) for steps in called]
    train(time=timeline(25), callbacks=callbacks)
    assert called == {7: [7, 14, 21, 25], 10: [10, 20, 25], 25: [25], 99: [25]}


def test_a_callback_sees_what_happened_so_far_and_the_runs_as_they_are_then():
    seen = []

    def look(progress):
        rows = {name: tensor.clone() for name, tensor in progress.population.tensors().items()}
        seen.append((progress.step, progress.history["recon"].clone(), rows))

    means = train(callbacks=[Every(8, look)]).history["recon"]
    assert [step for step, _, _ in seen] == [8, 16, 20]
    assert all(torch.equal(so_far, means[:step]) for step, so_far, _ in seen)
    for (_, _, rows), stopped in [(seen[0], train(steps=8)), (seen[2], trained())]:
        assert all(torch.equal(rows[name], stopped.population.tensors()[name]) for name in rows)


@pytest.mark.parametrize(
    "options",
    [{}, {"make_model": Dropped, "execution": "sequential", "seeds": [3, 1], "steps": 12}],
)
def test_looking_on_changes_nothing(options):
    def measure(progress):
        progress.population(torch.rand(2, 3, dtype=torch.float64))

    watched = train(callbacks=[Every(3, measure), Every(7, measure)], **options)
    alone = train(**options) if options else trained()
    assert same(watched.population, alone.population)
    assert torch.equal(watched.history["recon"], alone.history["recon"])


def test_a_period_is_a_whole_number_of_steps():
    with refuses(ValueError, "The period of a callback is 0; expected at least 1"):
        Every(0, print)
    with refuses(TypeError, "The period of a callback is 2.5; expected a whole number"):
        Every(2.5, print)


THREE = torch.eye(3, dtype=torch.float64)


def test_a_snapshot_of_each_period_and_of_the_end_is_where_every_run_put_the_inputs():
    snapshots, seen = Snapshots(THREE), []

    def look(progress):
        seen.append(evaluation.latents(progress.population, THREE))

    train(callbacks=[Every(8, snapshots), Every(8, look)])
    assert snapshots.steps == [8, 16, 20]
    assert torch.equal(snapshots.latents, torch.stack(seen))
    assert not torch.equal(seen[0], seen[1])


def test_a_snapshot_of_tokens_leaves_them_whole_numbers():
    runs = Population.make(lambda: nn.Sequential(nn.Embedding(5, 4)), seeds=range(2))
    tokens = torch.tensor([[1, 2], [0, 4]])
    snapshots = Snapshots(tokens, at="0")
    snapshots(Progress(1, runs, trained().history))
    assert torch.equal(snapshots.latents[0], runs(tokens))


def test_taking_them_changes_nothing():
    assert same(train(callbacks=[Every(3, Snapshots(THREE))]).population, trained().population)


def test_noise_of_the_model_is_not_in_them():
    two = Snapshots(THREE), Snapshots(THREE)
    options = {"make_model": Dropped, "execution": "sequential", "steps": 4}
    train(callbacks=[Every(2, each) for each in two], **options)
    assert torch.equal(two[0].latents, two[1].latents)


def test_another_training_needs_snapshots_of_its_own():
    snapshots = Snapshots(THREE)
    snapshots(Progress(20, trained().population, trained().history))
    with refuses(ValueError, "snapshot of step 8 follows that of step 20; expected a later.*new"):
        train(callbacks=[Every(8, snapshots)])


def test_what_was_never_taken_cannot_be_looked_at():
    with refuses(RuntimeError, r"No snapshot was taken.*callbacks=\[Every"):
        _ = Snapshots(THREE).latents


def test_callbacks_and_playheads_may_come_from_iterators():
    called = []
    plan, rule = timeline(6), Trigger("recon", Above(0.0), Retarget("lr", 0.0, over=0))
    with unchecked():
        result = train(
            time=(Playhead(plan, [rule]) for _ in range(2)),
            callbacks=(Every(n, lambda p, n=n: called.append((n, p.step))) for n in (2, 5)),
            seeds=range(2),
            measure=2,
        )
    assert called == [(2, 2), (2, 4), (5, 5), (2, 6), (5, 6)]
    assert len(result.state.playheads) == 2
