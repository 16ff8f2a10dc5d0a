import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from refusals import refuses
from torch.fx.experimental.proxy_tensor import make_fx

from latent_anchors.regularizers import (
    EuclideanSeparation,
    Separation,
    check,
    euclidean_separation,
    separation,
)

sets = st.tuples(st.integers(1, 7), st.integers(1, 4), st.integers(0, 2**32))


def drawn(n, dim, seed):
    return torch.randn(n, dim, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def by_loop(z, nearness):
    """The mean over the others, pair by pair."""
    n = len(z)
    values = []
    for i in range(n):
        total = 0.0
        for j in range(n):
            if j != i:
                total += nearness(z[i].tolist(), z[j].tolist())
        values.append(total / (n - 1) if n > 1 else 0.0)
    return torch.tensor(values, dtype=torch.float64)


def cosine(a, b):
    product = sum(x * y for x, y in zip(a, b, strict=True))
    return max(-1.0, product / math.hypot(*a) / math.hypot(*b))


@given(of=sets, exponent=st.floats(1, 200))
def test_separation_is_what_a_double_loop_over_pairs_says(of, exponent):
    z = drawn(*of)
    expected = by_loop(z, lambda a, b: ((1 + cosine(a, b)) / 2) ** exponent)
    torch.testing.assert_close(separation(z, exponent), expected, rtol=1e-7, atol=1e-12)


@given(of=sets, softening=st.floats(1e-3, 10))
def test_euclidean_separation_is_what_a_double_loop_over_pairs_says(of, softening):
    z = drawn(*of)
    expected = by_loop(z, lambda a, b: 1 / (math.dist(a, b) ** 2 + softening))
    torch.testing.assert_close(euclidean_separation(z, softening), expected)


@pytest.mark.parametrize("couple", [separation, euclidean_separation])
@pytest.mark.parametrize("setting", [1.0, 2.5, 20.0])
@pytest.mark.parametrize("chunk", [None, 2])
def test_forces_are_the_slopes_of_the_values(couple, setting, chunk):
    z = torch.stack([drawn(5, 3, 0), drawn(5, 3, 1)]).requires_grad_()
    assert torch.autograd.gradcheck(lambda z: couple(z, setting, chunk), z)


def weighed(couple, chunk=None):
    """A sum that weighs each member differently."""

    def total(z):
        weights = torch.arange(1.0, z.shape[-2] + 1, dtype=z.dtype)
        return (couple(z, 3.0, chunk=chunk) * weights).sum()

    return total


@pytest.mark.parametrize("couple", [separation, euclidean_separation])
@given(of=sets, chunk=st.integers(1, 8))
def test_a_chunk_changes_neither_values_nor_forces(couple, of, chunk):
    z = torch.stack([drawn(*of), 2 * drawn(*of) + 1])
    torch.testing.assert_close(couple(z, chunk=chunk), couple(z))
    forces = [torch.func.grad(weighed(couple, size))(z) for size in (chunk, None)]
    torch.testing.assert_close(*forces)


@pytest.mark.parametrize("couple", [separation, euclidean_separation])
@pytest.mark.parametrize("chunk", [None, 2])
def test_forces_are_the_same_for_mapped_and_traced_sets(couple, chunk):
    z = torch.stack([drawn(5, 3, seed) for seed in range(3)])
    force = torch.func.grad(weighed(couple, chunk))
    mapped = torch.func.vmap(force)
    expected = torch.stack([force(one) for one in z])
    torch.testing.assert_close(mapped(z), expected)
    torch.testing.assert_close(make_fx(mapped)(z)(z), expected)


@pytest.mark.parametrize("couple", [separation, euclidean_separation])
@pytest.mark.parametrize("chunk", [None, 2])
def test_weights_may_be_mapped_where_the_latents_are_not(couple, chunk):
    z = drawn(5, 3, 0)
    jacobian = torch.func.jacrev(lambda z: couple(z, 3.0, chunk=chunk))(z)
    rows = [torch.func.grad(lambda z, i=i: couple(z, 3.0)[i])(z) for i in range(5)]
    torch.testing.assert_close(jacobian, torch.stack(rows))


@pytest.mark.parametrize("set_penalty", [Separation(chunk=2), EuclideanSeparation(chunk=2)])
def test_in_chunks_the_promises_of_set_penalties_are_kept(set_penalty):
    check(set_penalty, dim=3, set_penalty=True)


@pytest.mark.parametrize("chunk", [None, 2])
def test_autocast_costs_no_digits_in_the_backward_pass_either(chunk, generator):
    z = torch.randn(5, 2, generator=generator, requires_grad=True)
    (expected,) = torch.autograd.grad(weighed(separation, chunk)(z), z)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        (given,) = torch.autograd.grad(weighed(separation, chunk)(z), z)
    torch.testing.assert_close(given, expected)


def test_nobody_is_compared_with_oneself():
    far_apart = torch.eye(4)
    assert separation(far_apart).max() < 1e-25
    assert euclidean_separation(far_apart, softening=1e-9).max() == pytest.approx(0.5)


@pytest.mark.parametrize("n", [2, 8, 64])
@pytest.mark.parametrize("exponent", [1.0, 100.0])
def test_a_collapsed_batch_scores_1_and_nothing_scores_more(n, exponent, generator):
    collapsed = torch.randn(1, 4, generator=generator).repeat(n, 1)
    spread = torch.randn(n, 4, generator=generator)
    torch.testing.assert_close(separation(collapsed, exponent), torch.ones(n), rtol=1e-4, atol=0)
    assert (separation(spread, exponent) < 1).all()


@pytest.mark.parametrize("n", [2, 64])
def test_coincident_members_count_what_the_softening_allows(n):
    values = euclidean_separation(torch.ones(n, 3), softening=0.01)
    torch.testing.assert_close(values, torch.full((n,), 100.0))


@pytest.mark.parametrize("degrees", [0.01, 1.0, 5.0])
def test_nearly_coincident_latents_are_pushed_apart(degrees):
    theta = math.radians(degrees)
    z = torch.tensor([[1.0, 0.0], [math.cos(theta), math.sin(theta)]], requires_grad=True)
    (slope,) = torch.autograd.grad(separation(z).sum(), z)
    after = z - 1e-3 * slope
    turned = torch.atan2(after[:, 1], after[:, 0]).diff().item()
    assert turned > 1.05 * theta


@pytest.mark.parametrize("distance", [1e-4, 1e-2, 1.0])
def test_nearly_coincident_points_are_pushed_apart(distance):
    z = torch.tensor([[0.0, 0.0], [distance, 0.0]], requires_grad=True)
    (slope,) = torch.autograd.grad(euclidean_separation(z).sum(), z)
    assert slope[0, 0] > 0 > slope[1, 0]
    assert not slope[:, 1].any()


def test_the_sum_over_the_others_is_63_times_the_mean_at_batch_64(generator):
    z = torch.randn(64, 4, generator=generator, dtype=torch.float64)
    u = z / z.norm(dim=-1, keepdim=True)
    summed = ((1 + u @ u.mT) / 2).pow(100).fill_diagonal_(0).sum(-1)
    torch.testing.assert_close(63 * separation(z), summed)


def test_at_exponent_100_nine_and_a_half_degrees_halve_it():
    theta = math.radians(9.5)
    z = torch.tensor([[1.0, 0.0], [math.cos(theta), math.sin(theta)]])
    assert separation(z).tolist() == pytest.approx([0.5, 0.5], abs=0.01)


def test_separation_looks_at_angles_only_and_the_euclidean_one_does_not(generator):
    z = torch.randn(6, 3, generator=generator)
    torch.testing.assert_close(separation(3 * z), separation(z))
    assert (euclidean_separation(3 * z) < euclidean_separation(z)).all()


@pytest.mark.parametrize("couple", [separation, euclidean_separation])
def test_a_batch_of_nobody_gives_no_values(couple):
    assert couple(torch.zeros(0, 3)).shape == (0,)


def test_modules_are_their_functions(generator):
    z = torch.randn(2, 5, 3, generator=generator)
    assert torch.equal(Separation(power=7.0)(z), separation(z, 7.0))
    assert torch.equal(EuclideanSeparation(softening=2.0)(z), euclidean_separation(z, 2.0))
    assert repr(EuclideanSeparation(softening=2.0)) == "EuclideanSeparation(softening=2)"


@pytest.mark.parametrize("power", [0.99, -1.0])
def test_powers_below_1_are_refused(power):
    with refuses(ValueError, f"power is {power}; expected at least 1"):
        Separation(power=power)


@pytest.mark.parametrize("softening", [0.0, -1.0])
def test_without_softening_it_is_refused(softening):
    with refuses(ValueError, f"softening is {softening}; expected a squared length above 0"):
        EuclideanSeparation(softening=softening)


@pytest.mark.parametrize("number", [math.inf, math.nan])
def test_numbers_that_are_not_finite_are_refused(number):
    with refuses(ValueError, "power is .*expected a finite number"):
        Separation(power=number)
    with refuses(ValueError, "softening is .*expected a finite number"):
        EuclideanSeparation(softening=number)


@pytest.mark.parametrize("module", [Separation, EuclideanSeparation])
def test_integer_latents_are_refused(module):
    with refuses(TypeError, f"{module.__name__} was given latents of type torch.int64"):
        module()(torch.ones(2, 3, dtype=torch.int64))


@pytest.mark.parametrize("couple", [separation, euclidean_separation])
@pytest.mark.parametrize("chunk", [None, 2])
@given(of=sets, inside=st.lists(st.booleans(), min_size=7, max_size=7))
def test_members_outside_of_the_mask_are_none(couple, chunk, of, inside):
    z = drawn(*of)
    mask = torch.tensor(inside)[: len(z)]
    spoiled = z.masked_fill(~mask.unsqueeze(-1), math.nan)

    weights, few = torch.arange(1.0, len(z) + 1, dtype=z.dtype), z[mask]
    values = couple(spoiled, 3.0, chunk, mask)
    forces = torch.func.grad(lambda z: couple(z, 3.0, chunk, mask) @ weights)(spoiled)
    alone = torch.func.grad(lambda z: couple(z, 3.0) @ weights[mask])(few)
    torch.testing.assert_close(values[mask], couple(few, 3.0))
    torch.testing.assert_close(forces[mask], alone)
    assert not values[~mask].any()
    assert not forces[~mask].any()
    everybody = torch.ones(len(z), dtype=torch.long)
    torch.testing.assert_close(couple(z, 3.0, chunk, everybody), couple(z, 3.0, chunk))


@pytest.mark.parametrize(
    "couple", [separation, euclidean_separation, Separation(), EuclideanSeparation()]
)
def test_a_mask_has_one_entry_for_each_member(couple):
    with refuses(ValueError, r"a mask of shape \(3,\) and latents of shape \(2, 3\); .*\(2,\)"):
        couple(torch.ones(2, 3), mask=torch.ones(3, dtype=torch.bool))
    with refuses(TypeError, "The mask of a set penalty is of type torch.float32"):
        couple(torch.ones(2, 3), mask=torch.ones(2))


@pytest.mark.parametrize("chunk", [None, 1])
def test_two_push_each_other_apart_with_the_force_of_the_formula(chunk):
    z = torch.tensor([[0.0], [2.0]], dtype=torch.float64)
    force = torch.func.grad(lambda z: euclidean_separation(z, 1.0, chunk).sum())(z)
    # each value is 1 / (d^2 + 1), whose slope is -2 d / (d^2 + 1)^2
    torch.testing.assert_close(force, torch.tensor([[8 / 25], [-8 / 25]], dtype=torch.float64))
