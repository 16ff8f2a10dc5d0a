"""Noise on the weights of a classifier and of a language model."""

import torch
from audits import tiny
from torch import nn

from latent_anchors.audits import perturbation


def test_more_noise_moves_outputs_further():
    for model, inputs in zip(
        (tiny.classifiers()[0], tiny.language_models()[0]), (tiny.POINTS, tiny.LINES), strict=True
    ):
        plain = model(inputs).detach()

        def measure(noisy: nn.Module, plain=plain, inputs=inputs):
            return {"moved": (noisy(inputs) - plain).square().mean()}

        found = perturbation(model, measure, sizes=(0.0, 0.01, 0.1), draws=3)
        moved = torch.cat([*found.values()]).tolist()
        assert moved[0] == 0.0 < moved[1] < moved[2]


def test_a_model_is_measured_as_a_population_of_one_is():
    model = tiny.classifiers()[0]
    one = tiny.population(model)
    alone = perturbation(model, lambda m: {"a": m(tiny.POINTS).mean()}, sizes=(0.1,), draws=2)
    stacked = perturbation(one, lambda m: {"a": m(tiny.POINTS).mean((1, 2))}, sizes=(0.1,), draws=2)
    torch.testing.assert_close(alone["perturbation/a/0.1"], stacked["perturbation/a/0.1"])


def test_the_model_is_in_evaluation_mode_and_stays_as_it_is():
    model = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.5)).train()
    before = model[0].weight.clone()
    modes = []
    perturbation(model, lambda m: modes.append(m.training) or {"a": torch.ones(1)}, draws=1)
    assert not any(modes)
    assert model.training
    assert torch.equal(model[0].weight, before)
