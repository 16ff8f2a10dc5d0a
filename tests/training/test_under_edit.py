"""Preventing instead of removing: an edit in force while a model is fine-tuned."""

import pytest
import torch
from refusals import refuses
from torch import nn

import latent_anchors as la
from latent_anchors.curriculum import read_dopesheet
from latent_anchors.data import LabeledBatch, Sampler
from latent_anchors.interventions import Projection, Steering, ZeroAblation, attach, intervene
from latent_anchors.models import Population
from latent_anchors.training import UnderEdit, reconstruction

TRAIT, TASK = torch.eye(4)[0], torch.eye(4)[1]
X = torch.randn(64, 6, generator=torch.Generator().manual_seed(0))
STEPS = 150


def base():
    """Latents that the fixed layers after them read: a trait on one axis, an answer on another."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 4), nn.Linear(4, 4, bias=False))
    with torch.no_grad():
        model[0].weight.mul_(0.1)
        model[0].bias.zero_()
        model[1].weight.copy_(torch.eye(4))
    model[1].requires_grad_(False)
    return model


def answers(forward, batch):
    """The data teach an answer to the input and, in every sample, the trait."""
    output, _ = forward(batch.inputs)
    wanted = torch.stack([torch.ones(len(output)), batch.inputs[:, 0]], 1)
    return (output[:, :2] - wanted).square().mean(-1)


def tuned(loss, prevent="1"):
    sheet = f"STEP,lr,answers,prevent\n0,0.03,1,{prevent}\n{STEPS - 1},0.03,1,\n"
    objective = la.Objective([], losses=["answers"], other_tracks=["lr", "prevent"])
    timeline = read_dopesheet(sheet).timeline()
    batches = Sampler(X, batch_size=32)
    fits = la.fit(
        base, objective, timeline, batches, losses={"answers": loss}, seeds=[0, 1], progress=False
    )
    return fits.population[0]


def tuned_in_a_loop(edit, strength):
    model = base()
    optimizer = torch.optim.Adam(model[0].parameters(), lr=0.03)
    with intervene(model, edit, at="0"):
        for step in range(STEPS):
            edit.strength.fill_(strength(step))
            loss = answers(lambda x: (model(x), {}), LabeledBatch(X)).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return model


def acquired(model):
    """How much of the trait is there without any edit, and the error of the answers."""
    output = model(X).detach()
    return float(output[:, 0].mean()), float((output[:, 1] - X[:, 0]).square().mean())


def test_plain_fine_tuning_acquires_the_trait_and_the_answers():
    for model in (tuned(answers), tuned_in_a_loop(Steering(TRAIT), lambda _: 0.0)):
        trait, error = acquired(model)
        assert trait > 0.9
        assert error < 0.01


@pytest.mark.parametrize("edit", [Steering(TRAIT), Projection(TRAIT)])
def test_steered_or_ablated_meanwhile_it_learns_the_answers_without_the_trait(edit):
    models = (tuned(UnderEdit(answers, edit, "0", track="prevent")),)
    for model in (*models, tuned_in_a_loop(edit.at(1.0), lambda _: 1.0)):
        trait, error = acquired(model)
        assert abs(trait) < 0.1
        assert error < 0.01


def test_the_strength_follows_the_track():
    half = tuned(UnderEdit(answers, Steering(TRAIT), "0", track="prevent"), prevent="0.5")
    assert acquired(half)[0] == pytest.approx(0.5, abs=0.1)
    none = tuned(UnderEdit(answers, Steering(TRAIT), "0", track="prevent"), prevent="0")
    assert acquired(none)[0] > 0.9


def test_a_label_says_which_samples_are_edited():
    batch = LabeledBatch(torch.ones(3, 2, 2), {"odd": torch.tensor([0.0, 1.0, 0.5])})

    def forward(inputs, edits=None, record=()):
        del record
        return edits["z"](inputs), {}

    loss = UnderEdit(lambda f, b: f(b.inputs)[0].sum((1, 2)), ZeroAblation([0]), "z", label="odd")
    assert loss(forward, batch).tolist() == [4.0, 2.0, 3.0]
    with refuses(KeyError, "UnderEdit needs label 'even'; there is 'odd'"):
        UnderEdit(reconstruction, ZeroAblation([0]), "z", label="even")(forward, batch)
    with refuses(KeyError, "needs track 'prevent'; there is nothing.*write into edit.strength"):
        UnderEdit(reconstruction, ZeroAblation([0]), "z", track="prevent")(forward, batch)


@pytest.mark.parametrize("value", [-100.0, 1.5])
def test_a_label_that_is_no_share_is_refused(value):
    loss = UnderEdit(reconstruction, ZeroAblation([0]), "z", label="odd")
    batch = LabeledBatch(torch.ones(2, 3), {"odd": torch.tensor([0.0, value])})
    with refuses(ValueError, "The label 'odd' of UnderEdit"):
        loss(lambda inputs, edits, record=(): (edits["z"](inputs), record), batch)


def test_what_cannot_be_in_force_is_refused():
    with refuses(TypeError, "The edit is .*neg.*; expected one with a strength"):
        UnderEdit(reconstruction, torch.neg, "0")
    twice = UnderEdit(UnderEdit(answers, Steering(TRAIT), "0"), Steering(TASK), "0")
    with refuses(ValueError, "The loss edits '0' itself"):
        twice(lambda x, **_: (x, {}), LabeledBatch(X))


@pytest.mark.parametrize("as_population", [False, True])
def test_an_edit_in_force_in_the_model_that_fit_copies_is_refused(as_population):
    def made():
        model = base()
        attach(model, Steering(TRAIT), at="0")
        return model

    model = Population.from_models([base()])
    attach(model, Steering(TRAIT), at="0")
    timeline = read_dopesheet("STEP,lr,answers\n0,0.1,1\n1,0.1,1\n").timeline()
    objective = la.Objective([], losses=["answers"], other_tracks=["lr"])
    with refuses(RuntimeError, "Steering.* is in force at '0' .*training.UnderEdit"):
        la.fit(
            model if as_population else made,
            objective,
            timeline,
            Sampler(X, batch_size=8),
            losses={"answers": answers},
            progress=False,
        )


def test_a_label_is_not_rounded_to_half_precision_latents():
    batch = LabeledBatch(1000 * torch.ones(1, 2, 1).bfloat16(), {"odd": torch.tensor([0.998])})

    def first(forward, batch):
        return forward(batch.inputs)[0].float()[:, 0, 0]

    loss = UnderEdit(first, ZeroAblation([0]), "z", label="odd")
    found = loss(lambda inputs, edits=None, _record=(): (edits["z"](inputs), {}), batch)
    assert found.item() == pytest.approx(2.0, abs=0.01)
