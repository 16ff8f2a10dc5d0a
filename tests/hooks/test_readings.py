import pytest
import torch
from refusals import refuses
from torch import nn

from latent_anchors import Objective, Term, evaluation
from latent_anchors.interventions import intervene
from latent_anchors.models import Population, Site, functional_forward, record
from latent_anchors.regularizers import Anchor, anchor


class Block(nn.Module):
    """Ends as the blocks of residual networks do."""

    def __init__(self):
        super().__init__()
        self.linear, self.latent, self.act = nn.Linear(4, 4), nn.LayerNorm(4), nn.ReLU(inplace=True)

    def forward(self, x):
        out = self.latent(self.linear(x))
        out += x
        return self.act(out)


@pytest.fixture
def model():
    torch.manual_seed(0)
    return Block()


X = torch.linspace(-1, 1, 20).reshape(5, 4)


def left(model):
    return model.latent(model.linear(X))


def recorded(model, every=False):
    with record(model, every=every) as latents:
        model(X)
    return latents["latent"]


DOORS = {
    "record": recorded,
    "every": lambda model: recorded(model, every=True)[0],
    "run": lambda model: functional_forward(model, {}, X, record=["latent"])[1]["latent"],
    "run every": lambda m: functional_forward(m, {}, X, [Site("latent", every=True)])[1][
        Site("latent", every=True)
    ][0],
    "population": lambda model: recorded(Population.from_models([model, model]))[1],
    "inference": lambda model: torch.inference_mode()(recorded)(model),
}


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
@pytest.mark.parametrize("training", [True, False])
def test_what_is_recorded_is_what_left_though_operations_in_place_follow(door, training, model):
    model.train(training)
    for _ in range(3):  # the first pass, and those after it was seen what follows
        torch.testing.assert_close(door(model), left(model))


@pytest.mark.parametrize("side", ["output", "input"])
def test_tensors_made_before_inference_mode_are_recorded_within_it(side):
    model, site = nn.Sequential(nn.Identity(), nn.ReLU(inplace=True)), Site("0", side=side)
    for _ in range(2):
        x = torch.randn(2, 3)
        before = x.clone()
        with torch.inference_mode(), record(model, site) as latents:
            output = model(x)
            assert torch.equal(latents[site], before)
        assert torch.equal(output, before.relu())


def test_the_gradient_of_a_penalty_is_that_of_what_left(model):
    def gradient(latents):
        model.zero_grad()
        anchor(latents(model), torch.tensor([1.0, 0.0, 0.0, 0.0])).mean().backward()
        return model.linear.weight.grad.clone()

    expected = gradient(left)
    for _ in range(2):
        torch.testing.assert_close(gradient(recorded), expected)


def test_the_output_depends_on_what_was_recorded(model):
    for _ in range(2):
        with record(model) as latents:
            output = model(X)
        assert torch.autograd.grad(output.sum(), latents["latent"])[0].any()


def test_where_nothing_follows_in_place_the_model_goes_on_with_the_same_tensor():
    class Kept(nn.Module):
        def forward(self, x):
            self.seen = x
            return x

    model = nn.Sequential(nn.Linear(4, 4), Kept())
    with record(model, "0") as first:
        model(X)
    assert first["0"] is not model[1].seen  # nobody knew yet
    with record(model, "0") as second:
        model(X)
    assert second["0"] is model[1].seen


def test_a_change_in_place_that_no_pass_had_made_before_is_refused_once():
    switch = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5, inplace=True))
    switch[1].p = 0.0
    with record(switch, "0") as latents:
        switch(X)
    assert latents["0"].shape == (5, 4)
    switch[1] = nn.ReLU(inplace=True)
    with record(switch, "0") as latents:
        switch(X)
    with refuses(RuntimeError, "site '0' were changed in place after.*Run the model again"):
        latents["0"]
    with record(switch, "0") as latents:
        switch(X)
    torch.testing.assert_close(latents["0"], switch[0](X))


def test_in_place_dropout_is_noted_separately_in_training_and_evaluation():
    model = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5, inplace=True))
    for training in (False, True, False, True):
        model.train(training)
        with record(model, "0") as latents:
            model(X)
        torch.testing.assert_close(latents["0"], model[0](X))


def test_an_evaluation_sees_what_left():
    model, colors = nn.Sequential(nn.Linear(3, 4), nn.ReLU(inplace=True)), torch.rand(5, 3)
    for _ in range(2):
        torch.testing.assert_close(evaluation.latents(model, colors, "0")[0], model[0](colors))


def test_a_term_acts_on_what_left(model):
    objective = Objective([Term("a", Anchor([1.0, 0.0, 0.0, 0.0]))])
    with record(model) as latents:
        model(X)
    total = objective(latents, {}, {"a": 1.0}).total
    expected = objective({"latent": left(model)}, {}, {"a": 1.0}).total
    torch.testing.assert_close(total, expected)


def test_the_output_depends_on_what_was_recorded_in_any_model():
    model = nn.Sequential(nn.Linear(4, 4), nn.Identity())
    for _ in range(2):
        with record(model, "0") as latents:
            output = model(X)
        assert torch.equal(torch.autograd.grad(output.sum(), latents["0"])[0], torch.ones(5, 4))


def test_an_edit_sees_what_a_recorder_before_it_would(model):
    seen = []
    with intervene(model, lambda z: seen.append(z.clone()) or z), record(model) as latents:
        model(X)
    assert torch.equal(seen[0], latents["latent"])


INTO = Site("act", side="input")


def entered(model):
    return left(model) + X


def recorded_into(model, every=False):
    with record(model, INTO, every=every) as latents:
        model(X)
    return latents[INTO]


DOORS_IN = {
    "record": recorded_into,
    "every": lambda model: recorded_into(model, every=True)[0],
    "run": lambda model: functional_forward(model, {}, X, record=[INTO])[1][INTO],
    "population": lambda model: recorded_into(Population.from_models([model, model]))[1],
    "inference": lambda model: torch.inference_mode()(recorded_into)(model),
}


@pytest.mark.parametrize("door", DOORS_IN.values(), ids=DOORS_IN)
@pytest.mark.parametrize("training", [True, False])
def test_what_is_recorded_is_what_entered_though_the_layer_writes_into_it(door, training, model):
    model.train(training)
    for _ in range(3):
        torch.testing.assert_close(door(model), entered(model))


def test_the_gradient_of_a_penalty_is_that_of_what_entered(model):
    def gradient(latents):
        model.zero_grad()
        anchor(latents(model), torch.tensor([1.0, 0.0, 0.0, 0.0])).mean().backward()
        return model.linear.weight.grad.clone()

    expected = gradient(entered)
    for _ in range(2):
        torch.testing.assert_close(gradient(recorded_into), expected)


class Relying(nn.Module):
    """Goes on with its own tensor, into which a layer wrote."""

    def __init__(self):
        super().__init__()
        self.linear, self.act = nn.Linear(4, 4), nn.ReLU(inplace=True)

    def forward(self, x):
        x = self.linear(x)
        self.act(x)
        return x


def test_recording_an_input_leaves_alone_what_relies_on_its_being_overwritten():
    model = Relying()
    clean = model(X)
    for _ in range(2):
        with record(model, INTO) as latents:
            assert torch.equal(model(X), clean)
        torch.testing.assert_close(latents[INTO], model.linear(X))


def test_the_output_depends_on_what_entered():
    model, site = nn.Sequential(nn.Linear(4, 4), nn.Identity()), Site("1", side="input")
    for _ in range(2):
        with record(model, site) as latents:
            output = model(X)
        assert torch.equal(torch.autograd.grad(output.sum(), latents[site])[0], torch.ones(5, 4))


def test_a_layer_that_overwrites_its_input_for_the_first_time_is_refused_once():
    switch = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5, inplace=True))
    site = Site("1", side="input")
    switch[1].p = 0.0
    with record(switch, site) as latents:
        switch(X)
    assert latents[site].shape == (5, 4)
    switch[1].p = 0.5
    with record(switch, site) as latents:
        switch(X)
    with refuses(RuntimeError, "site '1' were changed in place after.*Run the model again"):
        latents[site]
    with record(switch, site) as latents:
        switch(X)
    torch.testing.assert_close(latents[site], switch[0](X))
