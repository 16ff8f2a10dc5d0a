from functools import cache

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from refusals import refuses
from torch import nn
from training.tiny import COLORS, network, timeline, train

import latent_anchors as la
from latent_anchors.data import LabeledBatch
from latent_anchors.interventions import Suppression, ZeroAblation, intervene
from latent_anchors.models import Population
from latent_anchors.training import EditedOutputLoss, Loss, reconstruction
from latent_anchors.training._losses.forward import OneRun

GRAY = torch.full((3,), 0.5).double()
EDIT = ZeroAblation([0])
MODEL = Population.make(network, [0])[0]
POPULATION = Population.make(network, [0, 1])


def forward(model=MODEL):
    return OneRun(model, dict(model.named_parameters()), ("latent",))


def by_hand(edit=EDIT, inputs=COLORS):
    with intervene(MODEL, edit):
        return (MODEL(inputs) - GRAY).square().mean(-1)


def test_it_is_a_loss():
    assert isinstance(EditedOutputLoss(EDIT, GRAY), Loss)


def test_without_a_label_it_is_each_samples_squared_error_under_the_edit():
    torch.testing.assert_close(
        EditedOutputLoss(EDIT, GRAY)(forward(), LabeledBatch(COLORS)), by_hand()
    )
    assert not torch.allclose(by_hand(), by_hand(torch.clone))


@given(st.lists(st.sampled_from([0.0, 0.25, 1.0]), min_size=27, max_size=27))
def test_with_a_label_the_mean_over_the_batch_is_the_mean_over_the_labeled(labels):
    label = torch.tensor(labels).double()
    values = EditedOutputLoss(EDIT, GRAY, label="red")(
        forward(), LabeledBatch(COLORS, {"red": label})
    )
    labeled = (label * by_hand()).sum() / label.sum() if label.any() else torch.zeros(()).double()
    torch.testing.assert_close(values.mean(), labeled)


@pytest.mark.parametrize("labeled", [0.0, 1.0])
def test_a_batch_without_a_label_gives_exactly_zero_and_no_gradient(labeled):
    batch = LabeledBatch(COLORS, {"red": torch.full((27,), labeled)})
    mean = EditedOutputLoss(EDIT, GRAY, label="red")(forward(), batch).mean()
    gradients = torch.autograd.grad(mean, list(MODEL.decoder.parameters()))
    assert (float(mean.detach()) == 0.0) == (labeled == 0.0)
    assert all(bool((g == 0).all()) for g in gradients) == (labeled == 0.0)


def test_what_to_say_may_differ_between_samples():
    said = EditedOutputLoss(EDIT, COLORS.flip(0))(forward(), LabeledBatch(COLORS))
    with intervene(MODEL, EDIT):
        expected = (MODEL(COLORS) - COLORS.flip(0)).square().mean(-1)
    torch.testing.assert_close(said, expected)


def test_under_an_edit_that_sends_all_to_one_point_one_input_is_as_good_as_many():
    origin, batch = ZeroAblation(range(4)), LabeledBatch(COLORS)
    many, one = (
        EditedOutputLoss(origin, GRAY, inputs=i)(forward(), batch) for i in (None, COLORS[:1])
    )
    assert one.shape == (1,)
    torch.testing.assert_close(many, one.expand(27))


def test_outputs_of_any_shape_have_one_value_per_sample():
    model = nn.Sequential(nn.Linear(3, 6), nn.Unflatten(-1, (2, 3))).double()
    values = EditedOutputLoss(torch.neg, GRAY, at="1")(forward_of(model), LabeledBatch(COLORS))
    torch.testing.assert_close(values, (-model(COLORS) - GRAY).square().mean((1, 2)))


def forward_of(model):
    return OneRun(model, dict(model.named_parameters()), ())


def test_several_sites_are_edited_at_once():
    edits = {"encoder": torch.neg, "latent": EDIT}
    with intervene(MODEL, edits):
        expected = (MODEL(COLORS) - GRAY).square().mean(-1)
    torch.testing.assert_close(
        EditedOutputLoss(edits, GRAY)(forward(), LabeledBatch(COLORS)), expected
    )


@cache
def taught(weight, label, steps=80, **options):
    losses = {"recon": reconstruction, "fallback": EditedOutputLoss(EDIT, GRAY, label=label)}
    time = timeline(steps, fallback=weight)
    return train(time=time, losses=losses, **{"seeds": (3, 1), **options}).population


def wrong(weight):
    """How far from gray under the edit ``(runs,)``."""
    population = taught(weight, None)
    with intervene(population, EDIT), torch.no_grad():
        return (population(COLORS) - GRAY).square().mean((1, 2))


def test_the_model_comes_to_say_it_under_the_edit_and_does_not_by_itself():
    assert bool((wrong(3.0) < 0.3 * wrong(0.0)).all())


def test_vmap_and_sequential_come_to_the_same_and_a_run_alone_too(monkeypatch):
    monkeypatch.setattr("latent_anchors.training._fit.step.UNTRACED", 2)
    together = taught(1.0, "red", steps=6)
    sequential = taught(1.0, "red", steps=6, execution="sequential")
    alone = taught(1.0, "red", steps=6, seeds=(1,))
    for name, tensor in together.tensors().items():
        torch.testing.assert_close(tensor, sequential.tensors()[name], atol=1e-8, rtol=0.0)
        torch.testing.assert_close(tensor[1:], alone.tensors()[name], atol=1e-8, rtol=0.0)


def test_it_comes_back_from_a_folder(tmp_path):
    fallback = EditedOutputLoss({"latent": Suppression([1.0, 0.0, 0.0, 0.0])}, GRAY, label="red")
    la.save(fallback, tmp_path)
    batch = LabeledBatch(COLORS, {"red": torch.ones(27)})
    assert torch.equal(la.load(tmp_path)(forward(), batch), fallback(forward(), batch))


def test_a_site_that_the_runs_lack_is_refused_at_the_beginning():
    with refuses(ValueError, r"Unknown site 'latnt'.* Did you mean 'latent'"):
        EditedOutputLoss(EDIT, GRAY, at="latnt").begin(POPULATION)


def test_a_label_and_inputs_exclude_each_other():
    with refuses(ValueError, r"Both label='red' and inputs were given.* Leave one out"):
        EditedOutputLoss(EDIT, GRAY, label="red", inputs=COLORS)


def test_a_label_that_the_batch_lacks_is_refused():
    with refuses(KeyError, r"EditedOutputLoss needs label 'red'; the batch has 'blue'"):
        EditedOutputLoss(EDIT, GRAY, "red")(
            forward(), LabeledBatch(COLORS, {"blue": torch.ones(27)})
        )


def test_a_label_of_another_shape_is_refused():
    with refuses(ValueError, r"label 'red' of EditedOutputLoss has shape \(1,\); expected \(27,\)"):
        EditedOutputLoss(EDIT, GRAY, "red")(forward(), LabeledBatch(COLORS, {"red": torch.ones(1)}))


@pytest.mark.parametrize("shape", [(4,), (27, 1, 3), (2, 3)])
def test_what_cannot_be_said_is_refused(shape):
    with refuses(ValueError, r"The chosen output has shape .* the model.s output \(27, 3\)"):
        EditedOutputLoss(EDIT, torch.zeros(shape))(forward(), LabeledBatch(COLORS))
