import pytest
import torch
from refusals import refuses
from torch import nn

from latent_anchors import testbed
from latent_anchors.baselines import leace, mean_difference
from latent_anchors.models import SphericalAutoencoder


def test_rarer_labels_are_the_recipes_and_all_kinds_come_as_often_as_there():
    recipe, rare = testbed.pole_sampler("red"), testbed.repeated_labels("red", 0.12)
    assert [*rare.sampler.labels] == [*recipe.labels] == [*rare.often]
    for name, scale in {"red": 0.5, "opposite": 0.5, "vibrant": 0.12, "gray": 0.12}.items():
        expected = scale * recipe.labels[name].probability
        torch.testing.assert_close(rare.sampler.labels[name].probability, expected)
        assert rare.often[name] == pytest.approx(float(recipe.labels[name].probability.mean()))


def test_wrong_labels_are_as_many_and_lie_anywhere():
    right, wrong = (testbed.rare_labels_sampler("red", 1.0, w).labels["red"] for w in (0.0, 0.2))
    assert wrong.probability.sum() == pytest.approx(float(right.probability.sum()))
    assert wrong.probability.min() == pytest.approx(0.2 * float(right.probability.mean()))
    with refuses(ValueError, "wrong is 2; expected a number from 0.0 to 1.0"):
        testbed.rare_labels_sampler("red", wrong=2)
    with refuses(ValueError, "rate is 0; expected"):
        testbed.rare_labels_sampler("red", rate=0)


def test_what_is_repeated_for_an_anchor_are_the_labels_that_rivals_have():
    theirs = testbed.rare_labels_sampler("red", rate=0.02)
    seen = testbed.samples_seen(theirs, 3, 120)
    again = testbed.repeated_labels("red", rate=0.02, steps=120).block(3, 0)
    assert torch.equal(seen.inputs[64 * 119 :], theirs.batch(3, 119).inputs)
    assert [*seen.labels] == ["red"]
    labeled, repeated = seen.inputs[seen.labels["red"] > 0], again.inputs[again.labels["red"] > 0]
    assert torch.equal(repeated.unique(dim=0), labeled.unique(dim=0))


def test_the_loss_of_a_task_is_reconstruction_with_gray_at_the_origin():
    task = testbed.color_task("red", testbed.rare_labels_sampler("red"), seed=1, steps=3000)
    assert task.rate(1500) == pytest.approx(0.03)
    model, batch = SphericalAutoencoder().train(), task.batches(5)
    errors = (model(batch.inputs) - batch.inputs).square().mean(-1)
    gray = (model.decoder(torch.zeros(4)) - 0.5).square().mean()
    torch.testing.assert_close(task.loss(model, batch), errors + 0.1 * gray)
    torch.testing.assert_close(
        testbed.say_gray(nn.Identity(), batch), (batch.inputs - 0.5).square().mean(-1)
    )
    with refuses(ValueError, "rate is 2.0; expected"):
        testbed.color_task("red", testbed.rare_labels_sampler("red"), seed=1, rate=2.0)


@pytest.mark.parametrize("erased", [False, True])
def test_gates_let_the_latents_through_that_read_most_and_spare_the_others(erased):
    z = torch.randn(40, 3, generator=torch.Generator().manual_seed(0))
    labels = (torch.arange(40) < 8).float()
    z[:8, 0] += 3
    found = (leace if erased else mean_difference)(z, labels)
    for share, count in ((0.001, 1), (0.25, 10), (1.0, 40)):
        edit = found.edit if erased else None
        (gated,) = testbed.gated_edits(found.direction, z, [share], edit)
        most = (z @ found.direction).topk(count).indices
        passes = torch.zeros(40, dtype=torch.bool).index_fill(0, most, True)
        expected = found.edit(z) if erased else torch.zeros_like(z)
        torch.testing.assert_close(gated(z)[passes], expected[passes])
        assert torch.equal(gated(z)[~passes], z[~passes])


def test_a_gate_that_lets_nothing_through_is_refused():
    with refuses(ValueError, "share is 0; expected a number from"):
        testbed.gated_edits(torch.ones(1), torch.ones(2, 1), [0])


def test_a_population_has_no_gate_for_all_its_runs():
    with refuses(ValueError, r"latents have shape \(3, 5, 2\); expected \(n, dim\)"):
        testbed.gated_edits(torch.ones(2), torch.ones(3, 5, 2), [0.5])
