"""Every pooling keeps what the family promises, and each is what its name says."""

import math
from functools import partial

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from poolings import POOLINGS
from refusals import refuses

from latent_anchors import regularizers as reg
from latent_anchors.regularizers import SoftMinimum, min_pool, soft_minimum

every_pooling = pytest.mark.parametrize("pool", POOLINGS.values(), ids=POOLINGS)
entries = st.tuples(st.floats(-1e3, 1e3, width=32), st.booleans())
lines = st.lists(entries, min_size=1, max_size=8)


def split(line):
    values, mask = zip(*line, strict=True)
    return torch.tensor(values), torch.tensor(mask)


def slope(pool, x, *mask):
    x = x.clone().requires_grad_()
    return torch.autograd.grad(pool(x, *mask).sum(), x)[0]


@every_pooling
@given(line=lines)
def test_a_pooled_value_lies_between_the_least_and_the_greatest(pool, line):
    x, mask = split(line)
    inside = x[mask] if mask.any() else torch.zeros(1)
    rounding = 1e-6 * (1 + inside.abs().max())
    assert inside.min() - rounding <= pool(x, mask) <= inside.max() + rounding


@every_pooling
@given(line=lines)
def test_weights_are_never_negative_and_add_up_to_one_over_those_that_count(pool, line):
    x, mask = split(line)
    weights = slope(pool, x, mask)
    assert (weights >= 0).all()
    assert not weights[~mask].any()
    assert weights.sum().item() == pytest.approx(float(mask.any()), abs=1e-5)


@every_pooling
@given(line=lines)
def test_what_does_not_count_may_be_anything(pool, line):
    x, mask = split(line)
    expected = pool(x, mask)
    for other in (math.nan, math.inf, -math.inf):
        spoiled = torch.where(mask, x, other)
        assert torch.equal(pool(spoiled, mask), expected)
        assert slope(pool, spoiled, mask).isfinite().all()


@every_pooling
@pytest.mark.parametrize("dtype", [torch.int64, torch.int32, torch.uint8])
def test_a_mask_may_be_whole_numbers_as_tokenizers_give_it(pool, dtype, generator):
    x = torch.randn(3, 4, generator=generator)
    mask = torch.rand(3, 4, generator=generator) > 0.5
    assert torch.equal(pool(x, mask.to(dtype)), pool(x, mask))


@every_pooling
def test_where_nobody_counts_value_and_gradient_are_exactly_zero(pool):
    x, nobody = torch.tensor([[1.0, -2.0], [3.0, 4.0]]), torch.zeros(2, 2, dtype=torch.bool)
    assert pool(x, nobody).tolist() == [0, 0]
    assert not slope(pool, x, nobody).any()


def test_the_textbook_formula_gives_nan_where_nobody_counts():
    x, nobody = torch.tensor([1.0, -2.0]), torch.zeros(2)
    assert (-torch.log((torch.exp(-x) * nobody).sum() / nobody.sum())).isnan()


@every_pooling
def test_without_a_mask_every_position_counts(pool, generator):
    x = torch.randn(3, 4, generator=generator)
    assert torch.equal(pool(x), pool(x, torch.ones(3, 4, dtype=torch.bool)))


@every_pooling
def test_lines_never_interact_and_runs_are_mapped(pool, generator):
    x = torch.randn(2, 3, 4, generator=generator)
    mask = torch.rand(2, 3, 4, generator=generator) > 0.5
    apart = [[pool(x[i, j], mask[i, j]) for j in range(3)] for i in range(2)]
    torch.testing.assert_close(pool(x, mask), torch.tensor(apart))
    torch.testing.assert_close(torch.vmap(torch.vmap(pool))(x, mask), torch.tensor(apart))


@every_pooling
def test_the_order_of_positions_does_not_matter(pool, generator):
    x, order = torch.randn(5, generator=generator), torch.tensor([3, 0, 4, 2, 1])
    mask = torch.tensor([True, False, True, True, False])
    torch.testing.assert_close(pool(x[order], mask[order]), pool(x, mask))


@every_pooling
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_made_full(pool, dtype, generator):
    x = torch.randn(3, 4, generator=generator).to(dtype)
    assert torch.equal(pool(x), pool(x.float()))


@every_pooling
def test_autocast_costs_no_digits_and_double_stays_double(pool, generator):
    x = torch.randn(3, 4, generator=generator)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        under = pool(x)
    assert torch.equal(under, pool(x))
    assert pool(x.double()).dtype == torch.float64


@every_pooling
def test_values_and_mask_are_left_as_they_were(pool):
    x, mask = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([True, False, True])
    pool(x, mask)
    assert x.tolist() == [1, 2, 3]
    assert mask.tolist() == [True, False, True]


@every_pooling
@pytest.mark.parametrize("size", [1e-38, 1e30, 3e38])
def test_extreme_values_stay_finite_with_finite_gradients(pool, size):
    x = torch.tensor([size, -size, 0.5 * size, size])
    assert pool(x).isfinite()
    assert slope(pool, x).isfinite().all()


@given(line=lines)
def test_mean_greatest_and_least_are_what_they_say(line):
    x, mask = split(line)
    inside = x[mask] if mask.any() else torch.zeros(1)
    assert reg.mean_pool(x, mask).item() == pytest.approx(inside.mean().item(), abs=1e-3)
    assert reg.max_pool(x, mask) == inside.max()
    assert reg.min_pool(x, mask) == inside.min()


def test_those_who_tie_share_the_gradient():
    x = torch.tensor([1.0, 1.0, 2.0, 2.0])
    assert slope(reg.min_pool, x).tolist() == [0.5, 0.5, 0, 0]
    assert slope(reg.max_pool, x).tolist() == [0, 0, 0.5, 0.5]


@every_pooling
def test_lines_without_positions_are_refused(pool):
    for shape in [(), (3, 0)]:
        with refuses(ValueError, "expected .* with at least one position"):
            pool(torch.zeros(shape))


@every_pooling
def test_a_mask_is_not_broadcast(pool):
    with refuses(ValueError, r"a mask of shape \(3,\) and values of shape \(2, 3\)"):
        pool(torch.zeros(2, 3), torch.ones(3, dtype=torch.bool))


@every_pooling
def test_soft_masks_and_values_of_whole_numbers_are_refused(pool):
    with refuses(TypeError, "mask of a pooling is of type torch.float32; expected torch.bool"):
        pool(torch.zeros(3), torch.ones(3))
    with refuses(ValueError, "has whole numbers from 0 to 2; expected torch.bool, or only 0 and 1"):
        pool(torch.zeros(3), torch.tensor([0, 1, 2]))
    with refuses(TypeError, "values of type torch.int64; expected floating point"):
        pool(torch.zeros(3, dtype=torch.int64))


soft_entries = st.tuples(st.floats(0, 2, width=32), st.booleans())
soft_lines = st.lists(soft_entries, min_size=1, max_size=8)
temperatures = st.floats(0.01, 100)


def split_double(line):
    values, mask = zip(*line, strict=True)
    return torch.tensor(values, dtype=torch.float64), torch.tensor(mask)


@given(line=soft_lines, temperature=temperatures)
def test_the_soft_minimum_is_its_formula(line, temperature):
    x, mask = split_double(line)
    inside = x[mask].tolist() or [0.0]
    expected = -temperature * math.log(
        sum(math.exp(-each / temperature) for each in inside) / len(inside)
    )
    assert soft_minimum(x, mask, temperature).item() == pytest.approx(expected, abs=1e-9)


@given(line=soft_lines, temperature=temperatures)
def test_its_gradient_is_the_softmax_of_the_negatives(line, temperature):
    x, mask = split_double(line)
    x.requires_grad_()
    (weights,) = torch.autograd.grad(soft_minimum(x, mask, temperature), x)
    expected = torch.softmax(torch.where(mask, -x.detach() / temperature, -math.inf), -1)
    torch.testing.assert_close(weights, expected.nan_to_num(0.0))


def test_the_softmax_weighted_average_pushes_the_far_away():
    x = torch.tensor([0.0, 2.0], requires_grad=True)
    average = (torch.softmax(-x / 0.5, -1) * x).sum()
    (weights,) = torch.autograd.grad(average, x)
    assert weights[1] < 0


@given(line=soft_lines)
def test_a_high_temperature_gives_the_mean_and_a_low_one_the_minimum(line):
    x, mask = split_double(line)
    inside = x[mask] if mask.any() else torch.zeros(1)
    for precise in (x, x.float()):
        high, low = (soft_minimum(precise, mask, t) for t in (1e9, 1e-9))
        assert high.item() == pytest.approx(inside.mean().item(), abs=1e-6)
        assert low.item() == pytest.approx(inside.min().item(), abs=1e-6)


@given(line=soft_lines, temperature=temperatures)
def test_it_lies_between_minimum_and_mean(line, temperature):
    x, mask = split_double(line)
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
    with refuses(ValueError, "The temperature is"):
        soft_minimum(torch.zeros(2), temperature=temperature)
