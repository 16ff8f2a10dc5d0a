import torch
from refusals import refuses
from training.tiny import Dropped, same, train, trained

from latent_anchors import evaluation
from latent_anchors.training import Every, Progress, Snapshots

THREE = torch.eye(3, dtype=torch.float64)


def test_a_snapshot_of_each_period_and_of_the_end_is_where_every_run_put_the_inputs():
    snapshots, seen = Snapshots(THREE), []

    def look(progress):
        seen.append(evaluation.latents(progress.population, THREE))

    train(callbacks=[Every(8, snapshots), Every(8, look)])
    assert snapshots.steps == [8, 16, 20]
    assert torch.equal(snapshots.latents, torch.stack(seen))
    assert not torch.equal(seen[0], seen[1])


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
