import math
from functools import partial

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from refusals import refuses

from latent_anchors.regularizers import SoftMinimum, min_pool, soft_minimum

entries = st.tuples(st.floats(0, 2, width=32), st.booleans())
lines = st.lists(entries, min_size=1, max_size=8)
temperatures = st.floats(0.01, 100)


def split(line):
    values, mask = zip(*line, strict=True)
    return torch.tensor(values, dtype=torch.float64), torch.tensor(mask)


@given(line=lines, temperature=temperatures)
def test_the_soft_minimum_is_its_formula(line, temperature):
    x, mask = split(line)
    inside = x[mask].tolist() or [0.0]
    expected = -temperature * math.log(
        sum(math.exp(-each / temperature) for each in inside) / len(inside)
    )
    assert soft_minimum(x, mask, temperature).item() == pytest.approx(expected, abs=1e-9)


@given(line=lines, temperature=temperatures)
def test_its_gradient_is_the_softmax_of_the_negatives(line, temperature):
    x, mask = split(line)
    x.requires_grad_()
    (weights,) = torch.autograd.grad(soft_minimum(x, mask, temperature), x)
    expected = torch.softmax(torch.where(mask, -x.detach() / temperature, -math.inf), -1)
    torch.testing.assert_close(weights, expected.nan_to_num(0.0))


def test_the_softmax_weighted_average_pushes_the_far_away():
    x = torch.tensor([0.0, 2.0], requires_grad=True)
    average = (torch.softmax(-x / 0.5, -1) * x).sum()
    (weights,) = torch.autograd.grad(average, x)
    assert weights[1] < 0


@given(line=lines)
def test_a_high_temperature_gives_the_mean_and_a_low_one_the_minimum(line):
    x, mask = split(line)
    inside = x[mask] if mask.any() else torch.zeros(1)
    for precise in (x, x.float()):
        high, low = (soft_minimum(precise, mask, t) for t in (1e9, 1e-9))
        assert high.item() == pytest.approx(inside.mean().item(), abs=1e-6)
        assert low.item() == pytest.approx(inside.min().item(), abs=1e-6)


@given(line=lines, temperature=temperatures)
def test_it_lies_between_minimum_and_mean(line, temperature):
    x, mask = split(line)
    value = soft_minimum(x, mask, temperature)
    inside = x[mask] if mask.any() else torch.zeros(1)
    assert min_pool(x, mask) <= value <= inside.mean() + 1e-9


def test_second_derivatives_are_those_of_the_formula():
    x = torch.tensor([0.3, 0.9, 0.5], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(partial(soft_minimum, temperature=0.4), x)


def test_the_module_carries_its_temperature(generator):
    x = torch.rand(3, 4, generator=generator)
    assert torch.equal(SoftMinimum(0.25)(x), soft_minimum(x, temperature=0.25))
    assert repr(SoftMinimum(0.25)) == "SoftMinimum(temperature=0.25)"


@pytest.mark.parametrize("temperature", [0.0, -1.0, math.inf, math.nan])
def test_a_temperature_is_a_positive_number(temperature):
    with refuses(ValueError, "The temperature is"):
        SoftMinimum(temperature)
