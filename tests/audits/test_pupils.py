"""Pupils: each run's gradient is its own, and what is shown depends on the seed alone."""

import torch
from audits.worlds import POINTS, SEEDS, easy, untrained
from torch import nn

from latent_anchors._streams import mixed
from latent_anchors.audits import _pupils
from latent_anchors.audits._pupils import Pupil
from latent_anchors.audits._starts import parameters_of
from latent_anchors.data import Sampler
from latent_anchors.models import Population


def test_gradients_are_those_of_each_run_alone_on_its_seeds_batch(monkeypatch):
    monkeypatch.setattr(_pupils, "CHUNK", 2)  # three runs are taken in two parts
    seed = torch.tensor([1, 0, 1])
    parameters = {name: p[seed] for name, p in parameters_of(untrained()).items()}
    found = Pupil(untrained(), easy()).gradients(parameters, seed, step=123)
    for place, run in enumerate(seed.tolist()):
        model = untrained()[run].train()
        stream = mixed(SEEDS[run], "relearning")
        x = Sampler(POINTS, batch_size=64).batch(stream, 123).inputs
        (model(x) - x).square().mean().backward()
        for name, p in model.named_parameters():
            assert torch.allclose(found[name][place], p.grad, atol=1e-6)


def test_errors_are_those_of_what_is_said_clamped():
    loud = Population.from_models([Shifted(0.0), Shifted(9.0), Shifted(-9.0)])
    pupil = Pupil(loud, easy())
    errors = pupil.goal_errors(parameters_of(loud), torch.arange(3))
    distances = [torch.zeros(3), 1 - POINTS[0], POINTS[0]]
    wanted = torch.stack(distances).square().mean(1)
    assert torch.allclose(errors, wanted)


def test_each_seed_keeps_its_own_buffers():
    shifted = Population.from_models([Shifted(0.0), Shifted(0.0)])
    with torch.no_grad():
        shifted.stacked.get_buffer("offset")[1] = 0.2
    errors = Pupil(shifted, easy()).exam_errors(parameters_of(shifted), torch.arange(2))
    assert torch.allclose(errors, torch.tensor([0.0, 0.04]))


class Shifted(nn.Module):
    """What it is given, and a bit more."""

    def __init__(self, shift: float):
        super().__init__()
        self.shift = nn.Parameter(torch.tensor(shift))
        self.register_buffer("offset", torch.tensor(0.0))

    def forward(self, x):
        return x + self.shift + self.offset
