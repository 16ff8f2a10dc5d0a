import pytest
import torch
from testbed.colors.small_networks import POINTS, SEEDS, easy, untrained
from torch import nn

from latent_anchors._streams import mixed
from latent_anchors.audits._perturbation import parameters_of
from latent_anchors.data import Sampler
from latent_anchors.models import Population
from latent_anchors.testbed._colors import _stacked_training
from latent_anchors.testbed._colors._stacked_training import Rules, StackedTraining, State, update


def test_gradients_are_those_of_each_run_alone_on_its_seeds_batch(monkeypatch):
    monkeypatch.setattr(_stacked_training, "CHUNK", 2)  # three runs are taken in two parts
    seed = torch.tensor([1, 0, 1])
    parameters = {name: p[seed] for name, p in parameters_of(untrained()).items()}
    found = StackedTraining(untrained(), easy()).gradients(parameters, seed, step=123)
    for place, run in enumerate(seed.tolist()):
        model = untrained()[run].train()
        stream = mixed(SEEDS[run], "relearning")
        x = Sampler(POINTS, batch_size=64).batch(stream, 123).inputs
        (model(x) - x).square().mean().backward()
        for name, p in model.named_parameters():
            assert torch.allclose(found[name][place], p.grad, atol=1e-6)


def test_errors_are_those_of_what_is_said_clamped():
    loud = Population.from_models([Shifted(0.0), Shifted(9.0), Shifted(-9.0)])
    training = StackedTraining(loud, easy())
    errors = training.goal_errors(parameters_of(loud), torch.arange(3))
    distances = [torch.zeros(3), 1 - POINTS[0], POINTS[0]]
    wanted = torch.stack(distances).square().mean(1)
    assert torch.allclose(errors, wanted)


def test_each_seed_keeps_its_own_buffers():
    shifted = Population.from_models([Shifted(0.0), Shifted(0.0)])
    with torch.no_grad():
        shifted.stacked.get_buffer("offset")[1] = 0.2
    errors = StackedTraining(shifted, easy()).check_errors(parameters_of(shifted), torch.arange(2))
    assert torch.allclose(errors, torch.tensor([0.0, 0.04]))


class Shifted(nn.Module):
    """What it is given, and a bit more."""

    def __init__(self, shift: float):
        super().__init__()
        self.shift = nn.Parameter(torch.tensor(shift))
        self.register_buffer("offset", torch.tensor(0.0))

    def forward(self, x):
        return x + self.shift + self.offset


@pytest.mark.parametrize("rate", [0.001, 0.1])
@pytest.mark.parametrize("adam", [True, False])
def test_a_run_moves_as_under_torchs_optimizer_whatever_its_neighbor_does(adam: bool, rate: float):
    start = torch.linspace(-1.0, 2.0, 12, dtype=torch.float64).reshape(2, 2, 3)
    alone = start[0].clone().requires_grad_()
    make = torch.optim.Adam if adam else torch.optim.SGD
    optimizer = make([alone], lr=rate, **({} if adam else {"momentum": 0.9}))
    rules = Rules(torch.tensor([adam, not adam]), torch.tensor([rate, 0.05], dtype=torch.float64))
    state = State.begin({"w": start})
    for step in range(1, 6):
        state = update(state, {"w": slope(state.parameters["w"], step)}, rules, step)
        alone.grad = slope(alone.detach(), step)
        optimizer.step()
    assert torch.allclose(state.parameters["w"][0], alone.detach(), rtol=1e-12, atol=1e-12)


def slope(w: torch.Tensor, step: int) -> torch.Tensor:
    return w**3 - 0.3 * step


def test_what_leaves_takes_its_moments_along():
    w = torch.arange(6.0).reshape(3, 2)
    state = State(parameters={"w": w}, first={"w": w + 10}, second={"w": w + 20})
    kept = state.keep(torch.tensor([2, 0]))
    parts = (kept.parameters, kept.first, kept.second)
    assert [part["w"][:, 0].tolist() for part in parts] == [[4.0, 0.0], [14.0, 10.0], [24.0, 20.0]]
