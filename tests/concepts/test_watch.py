"""A watch records the scores of a concept while models train."""

import pytest
import torch
from refusals import refuses
from torch import nn

import latent_anchors as la
from latent_anchors import Concept, axis, curriculum, data, training
from latent_anchors.concepts import ScoreHistory, Watch
from latent_anchors.models import Population

X = torch.randn(20, 3, generator=torch.Generator().manual_seed(0))
HAS_IT = X[:, 0] > 0
RED = Concept("red", axis(0, dim=4), at="0")


def net() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.5), nn.BatchNorm1d(4), nn.Linear(4, 3))


def test_a_measurement_is_the_score_of_now_and_leaves_the_model_as_it_is():
    model, watch = net(), Watch(RED, X, HAS_IT)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    assert watch.measure(0, model) == RED.score(model, X, HAS_IT)
    assert model.training
    torch.testing.assert_close(model.state_dict(), before, rtol=0, atol=0)


def test_a_history_keeps_the_steps_in_order_and_does_not_change_afterwards():
    model, watch = net(), Watch(RED, X, HAS_IT)
    first = watch.measure(0, model)
    early = watch.history
    model[0].weight.data.neg_()
    second = watch.measure(7, model)
    assert first != second
    assert early == ScoreHistory("red", (0,), (first,))
    assert watch.history == ScoreHistory("red", (0, 7), (first, second))


def test_a_mask_reaches_the_score():
    mask = torch.arange(20) < 15
    assert Watch(RED, X, HAS_IT, mask).measure(0, net()).n_with == (HAS_IT & mask).sum()


def test_as_a_callback_of_fit_it_scores_every_run_and_ends_with_the_trained_ones():
    track = curriculum.Track([curriculum.Keyframe(0, 0.01)])
    timeline = curriculum.Timeline({"lr": track, "recon": track, "red": track}, steps=5)
    objective = la.Objective([RED.term()], losses=["recon"], other_tracks=["lr"])
    sampler = data.Sampler(X, {"red": data.SoftLabels(HAS_IT.float())}, batch_size=8)
    watch = Watch(RED, X, HAS_IT)
    fits = la.fit(
        lambda: nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 3)),
        objective,
        timeline,
        sampler,
        losses={
            "recon": lambda forward, batch: (
                (forward(batch.inputs)[0] - batch.inputs).square().mean(-1)
            )
        },
        seeds=range(3),
        callbacks=[training.Every(2, watch)],
        progress=False,
    )
    assert watch.history.steps == (2, 4, 5)
    assert watch.history.scores[-1] == RED.score(fits.population, X, HAS_IT)
    assert [score.auc.n for score in watch.history.scores] == [3, 3, 3]


def test_a_step_that_was_measured_already_is_refused():
    watch, model = Watch(RED, X, HAS_IT), Population.make(net, seeds=range(2))
    watch.measure(3, model)
    for step in (3, 2):
        with refuses(ValueError, f"Step {step} is measured after step 3"):
            watch.measure(step, model)
    assert watch.history.steps == (3,)


def test_what_does_not_fit_is_refused_and_not_recorded():
    watch = Watch(RED, X, HAS_IT[:5])
    with refuses(ValueError, "has shape"):
        watch.measure(0, net())
    assert watch.history.steps == ()


@pytest.mark.parametrize("swapped", [(X, RED, HAS_IT), ("red", X, HAS_IT)])
def test_swapped_arguments_are_refused(swapped):
    with refuses(TypeError, "expected a Concept"):
        Watch(*swapped)


def test_a_history_of_other_steps_than_scores_is_refused():
    score = RED.score(net(), X, HAS_IT)
    with refuses(ValueError, "There are 2 steps and 1 scores"):
        ScoreHistory("red", (0, 1), (score,))
