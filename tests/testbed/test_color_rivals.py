import pytest
import torch
from refusals import refuses
from torch import nn

from latent_anchors import testbed
from latent_anchors.baselines import leace, mean_difference
from latent_anchors.models import SphericalAutoencoder


def test_rarer_labels_are_the_recipes_and_other_ones_are_as_rare():
    recipe, rare = testbed.pole_sampler("red"), testbed.rare_labels_sampler("red", 0.12, 0.0, True)
    assert [*rare.labels] == [*recipe.labels]
    for name, scale in {"red": 0.5, "opposite": 0.5, "vibrant": 0.12, "gray": 0.12}.items():
        expected = scale * recipe.labels[name].probability
        torch.testing.assert_close(rare.labels[name].probability, expected)


def test_wrong_labels_are_as_many_and_lie_anywhere():
    right, wrong = (testbed.rare_labels_sampler("red", 1.0, w).labels["red"] for w in (0.0, 0.2))
    assert wrong.probability.sum() == pytest.approx(float(right.probability.sum()))
    assert wrong.probability.min() == pytest.approx(0.2 * float(right.probability.mean()))
    with refuses(ValueError, "wrong is 2; expected a number from 0.0 to 1.0"):
        testbed.rare_labels_sampler("red", wrong=2)
    with refuses(ValueError, "rate is 0; expected"):
        testbed.rare_labels_sampler("red", rate=0)


def test_rivals_and_anchored_networks_see_the_same_colors_with_the_same_labels():
    ours, theirs = (testbed.rare_labels_sampler("red", anchored=ours) for ours in (True, False))
    seen, also = (testbed.samples_seen(each, 3, 120) for each in (ours, theirs))
    assert torch.equal(seen.inputs, also.inputs)
    assert torch.equal(seen.labels["red"], also.labels["red"])
    assert torch.equal(also.inputs[64 * 119 :], theirs.batch(3, 119).inputs)
    assert [*also.labels] == ["red"]


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
def test_gates_let_the_labeled_latents_through_that_read_most_and_spare_the_others(erased):
    z = torch.randn(40, 3, generator=torch.Generator().manual_seed(0))
    labels = (torch.arange(40) < 8).float()
    z[:8, 0] += 3
    found = (leace if erased else mean_difference)(z, labels)
    reads = z @ found.direction
    for share, count in ((0.25, 2), (1.0, 8)):
        (edit,) = testbed.gated_edits(found, z, labels, [share], erased)
        moved = (edit(z) != z).any(-1)
        assert int(moved[:8].sum()) == count
        assert reads[moved].min() >= reads[:8].sort().values[-count]
        expected = found.edit(z) if erased else torch.zeros_like(z)
        torch.testing.assert_close(edit(z)[moved], expected[moved])


def test_gates_are_set_by_labels_that_are_there_and_let_something_through():
    z, labels = torch.tensor([[0.0], [2.0]]), torch.tensor([0, 1])
    found = mean_difference(z, labels)
    with refuses(ValueError, "No latent is labeled; expected one at least"):
        testbed.gated_edits(found, z, torch.zeros(2), [0.5])
    with refuses(ValueError, "share is 0; expected a number from"):
        testbed.gated_edits(found, z, labels, [0])
