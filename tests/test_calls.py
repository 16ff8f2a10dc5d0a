import pytest
import torch
from refusals import refuses
from torch import nn
from torch.nn.functional import tanh

from latent_anchors import Objective, fit
from latent_anchors._runs import call_with
from latent_anchors.curriculum import Keyframe, Timeline, Track
from latent_anchors.data import Sampler
from latent_anchors.interventions import intervene
from latent_anchors.models import Population, functional_forward, record
from latent_anchors.training import reconstruction

X = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))


class Shared(nn.Module):
    """A layer under two names, a weight that is tied to another's, and a buffer."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(3, 3)
        self.again = self.first
        self.tied = nn.Linear(3, 3)
        self.tied.weight = self.first.weight
        self.register_buffer("scale", torch.rand(()) + 1)

    def forward(self, x):
        return self.scale * self.tied(tanh(self.again(tanh(self.first(x)))))


class Plain(nn.Module):
    """The same with each tensor once."""

    def __init__(self, shared):
        super().__init__()
        for name in ("weight", "bias"):
            self.register_parameter(
                name, nn.Parameter(getattr(shared.first, name).detach().clone())
            )
        self.last = nn.Parameter(shared.tied.bias.detach().clone())
        self.register_buffer("scale", shared.scale.clone())

    def forward(self, x):
        once = tanh(x @ self.weight.mT + self.bias)
        return self.scale * (tanh(once @ self.weight.mT + self.bias) @ self.weight.mT + self.last)


def made(seed=0):
    torch.manual_seed(seed)
    return Shared()


def tensors(model):
    return {**dict(model.named_parameters()), **dict(model.named_buffers())}


@pytest.mark.parametrize("door", [call_with, lambda *given: functional_forward(*given)[0]])
def test_a_model_with_a_layer_of_two_names_keeps_its_own_tensors(door):
    model, other = made(0), made(1)
    own, before = {n: id(t) for n, t in model.named_parameters()}, model(X)
    torch.testing.assert_close(door(model, tensors(other), (X,)), other(X))
    assert {n: id(t) for n, t in model.named_parameters()} == own
    assert torch.equal(model(X), before)


@pytest.mark.parametrize("name", ["first.weight", "again.weight", "tied.weight"])
def test_one_name_of_a_tied_tensor_stands_for_all_its_places(name):
    model = made()
    expected = made()
    with torch.no_grad():
        expected.first.weight.zero_()
    assert torch.equal(call_with(model, {name: torch.zeros(3, 3)}, (X,)), expected(X))


def test_two_tensors_for_one_place_are_refused():
    given = {"first.bias": torch.zeros(3), "again.bias": torch.ones(3)}
    with refuses(ValueError, "given for 'again.bias' and for another name of the same parameter"):
        call_with(made(), given, (X,))
    same = dict.fromkeys(given, torch.zeros(3))
    assert torch.equal(
        call_with(made(), same, (X,)), call_with(made(), {"first.bias": same["first.bias"]}, (X,))
    )


def test_a_population_of_them_may_be_called_again_and_taken_apart():
    models = [made(seed) for seed in range(2)]
    runs = Population.from_models(models)
    expected = torch.stack([model(X) for model in models])
    for _ in range(2):
        torch.testing.assert_close(runs(X), expected)
    with intervene(runs, torch.zeros_like, at="tied"), record(runs, "again", every=True) as latents:
        assert not runs(X).any()
    assert latents["again"].shape == (2, 2, 5, 3)
    torch.testing.assert_close(runs[1](X), expected[1])


@pytest.mark.parametrize("execution", ["vmap", "sequential"])
def test_they_train_as_those_with_each_tensor_once(execution):
    tracks = {"recon": Track([Keyframe(0, 1.0)]), "lr": Track([Keyframe(0, 0.1)])}
    trained = [
        fit(
            make,
            Objective([], losses=["recon"], tracks=[*tracks], other_tracks=["lr"]),
            Timeline(tracks, steps=12),
            Sampler(X, batch_size=4),
            losses={"recon": reconstruction},
            seeds=[3],
            optimizer=torch.optim.SGD,
            execution=execution,
            progress=False,
        ).population
        for make in (made, lambda: Plain(made()))
    ]
    torch.testing.assert_close(trained[0](X), trained[1](X))
    assert not torch.allclose(trained[0](X)[0], made()(X), atol=1e-3)
