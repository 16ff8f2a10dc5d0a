"""Noise on the weights of a classifier and of a language model."""

import pytest
import torch
from audits import tiny
from refusals import refuses
from torch import nn

from latent_anchors.audits import perturbation
from latent_anchors.audits._perturbation import norm
from latent_anchors.interventions import attach


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


def test_each_layer_moves_by_the_size_in_relation_to_its_own_weights_and_biases():
    model = nn.Sequential(nn.Linear(40, 30), nn.Linear(30, 20))
    with torch.no_grad():
        model[1].weight *= 100
        model[1].bias *= 0

    def moved(noisy: nn.Module):
        relative = {}
        for k in (0, 1):
            then, now = (nn.utils.parameters_to_vector(m[k].parameters()) for m in (model, noisy))
            relative[f"layer{k}"] = (now - then).norm() / then.norm()
        relative["bias"] = (noisy[1].bias - model[1].bias).square().mean().sqrt()
        return relative

    found = perturbation(model, moved, sizes=(0.1,), draws=8)
    for k in (0, 1):
        assert found[f"perturbation/layer{k}/0.1"].item() == pytest.approx(0.1, rel=0.05)
    rms = nn.utils.parameters_to_vector(model[1].parameters()).square().mean().sqrt().item()
    assert found["perturbation/bias/0.1"].item() == pytest.approx(0.1 * rms, rel=0.2)


def test_a_layers_length_is_that_of_all_its_parameters_run_by_run():
    weights = torch.tensor([[[3.0, 0.0]], [[0.0, 0.0]]]), torch.tensor([[4.0], [-2.0]])
    assert norm(weights).tolist() == [5.0, 2.0]


def test_small_weights_of_half_precision_get_as_much_noise_as_others():
    half = torch.full((1, 64), 1e-4, dtype=torch.float16)
    assert norm([half]).item() == pytest.approx(norm([half.float()]).item())
    layer = nn.Linear(64, 64, bias=False).half()
    with torch.no_grad():
        layer.weight.fill_(1e-4)
    found = perturbation(layer, lambda m: {"a": m.weight.float().std()}, sizes=(1.0,), draws=1)
    assert found["perturbation/a/1"].item() == pytest.approx(1e-4, rel=0.1)


def test_six_sizes_and_sixteen_draws_by_default_the_same_draws_for_each_size():
    drawn = []
    found = perturbation(
        nn.Linear(1, 1, bias=False), lambda m: drawn.append(m.weight.item()) or {"a": m.weight}
    )
    assert [*found] == [
        f"perturbation/a/{size}" for size in ("0", "0.01", "0.03", "0.1", "0.3", "1")
    ]
    assert len(drawn) == 6 * 16
    steps = torch.tensor(drawn, dtype=torch.float64).view(6, 16)
    steps = steps - steps[0]
    torch.testing.assert_close(steps[3], 10 * steps[1], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("of_population", [False, True])
def test_an_edit_in_force_is_refused_since_the_weights_lack_it(of_population):
    model = tiny.classifiers()[0]
    model = tiny.population(model) if of_population else model
    names = [name for name, layer in model.named_modules() if isinstance(layer, nn.Linear)]
    site = names[0].removeprefix("stacked.")
    with (
        attach(model, torch.neg, at=site),
        refuses(ValueError, f"is in force at {site!r}; expected weights alone"),
    ):
        perturbation(model, lambda _: {"a": torch.ones(1)}, draws=1)


def test_sizes_that_would_have_one_name_are_refused():
    with refuses(ValueError, "The sizes are 0.1, 0.1000001; expected each once, to six digits"):
        perturbation(nn.Linear(2, 1), dict, sizes=(0.1, 0.1000001))


@pytest.mark.parametrize("back", [lambda error: error < 0.1, lambda _: 0.5])
def test_a_measure_may_say_whether_it_is_back_and_is_one_for_each_run(back):
    found = perturbation(
        nn.Linear(2, 1), lambda model: {"back": back(model(torch.ones(2)).sum())}, sizes=(0.0,)
    )
    assert 0 <= found["perturbation/back/0"].item() <= 1
    with refuses(ValueError, r"The measure of the back gave shape \(5,\); expected one number"):
        perturbation(nn.Linear(2, 1), lambda _: {"back": torch.ones(5)}, sizes=(0.0,))


def test_noise_does_not_depend_on_the_default_type():
    def measured():
        return perturbation(
            tiny.classifiers()[0], lambda m: {"a": m(tiny.POINTS).mean()}, sizes=(0.1,), draws=2
        )["perturbation/a/0.1"]

    model = measured()
    torch.set_default_dtype(torch.float64)
    try:
        other = measured()
    finally:
        torch.set_default_dtype(torch.float32)
    torch.testing.assert_close(other, model)
