import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from latent_anchors._numerics import (
    as_floats,
    cosine,
    dot,
    in_full_precision,
    inverse_length,
    length,
    moved,
    ordinary,
    unit,
)

both_dtypes = pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
tiny = st.sampled_from([0.0, 1e-38, 1e-30, 1e-20, 1e-13, 1e-11, 1e-6, 1.0, 1e6, 1e15])


@both_dtypes
@given(length=tiny, angle=st.floats(0, math.tau))
def test_unit_vectors_have_length_one_or_are_the_origin_and_gradients_are_finite(
    dtype, length, angle
):
    direction = torch.tensor([math.cos(angle), math.sin(angle)], dtype=torch.float64)
    z = (length * direction).to(dtype).requires_grad_()
    made = unit(z)
    for component in made:
        (slope,) = torch.autograd.grad(component, z, retain_graph=True)
        assert slope.isfinite().all()
    assert made.norm().item() == pytest.approx(0.0 if length < 1e-12 else 1.0, abs=1e-5)


@pytest.mark.parametrize("far", [1e20, math.inf])
def test_a_vector_whose_square_overflows_is_missing_and_not_the_origin(far):
    z = torch.tensor([[far, far], [3.0, 4.0]], requires_grad=True)
    assert unit(z).isnan().any(-1).tolist() == [True, False]
    assert cosine(z, torch.tensor([1.0, 0.0])).isnan().tolist() == [True, False]
    (slope,) = torch.autograd.grad(unit(z)[1, 0], z)
    assert slope[1].isfinite().all()


@both_dtypes
def test_the_slope_of_the_origin_is_zero(dtype):
    z = torch.zeros(3, dtype=dtype, requires_grad=True)
    (slope,) = torch.autograd.grad(unit(z).sum(), z)
    assert not slope.any()


def test_unit_has_the_slopes_it_should(generator):
    z = torch.randn(5, 3, dtype=torch.float64, generator=generator).requires_grad_()
    assert torch.autograd.gradcheck(unit, z)


def test_a_cosine_is_that_of_the_angle_whatever_the_lengths():
    z = torch.tensor([[3.0, 0.0], [0.0, 2.0], [-5.0, 0.0], [1.0, 1.0], [0.0, 0.0]])
    cosines = cosine(z, torch.tensor([0.5, 0.0], dtype=torch.float64))
    torch.testing.assert_close(cosines, torch.tensor([1.0, 0.0, -1.0, 0.5**0.5, 0.0]))


def test_products_lose_no_digits_under_autocast_where_a_plain_one_would(generator):
    z, v = torch.randn(2, 8, generator=generator)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        ours, plain = dot(z, v), z @ v
    assert ours.dtype == torch.float32
    assert plain.dtype == torch.bfloat16
    torch.testing.assert_close(ours, z @ v)


@pytest.mark.parametrize(
    ("given_type", "full"),
    [
        (torch.float16, torch.float32),
        (torch.bfloat16, torch.float32),
        (torch.float32, torch.float32),
        (torch.float64, torch.float64),
    ],
)
def test_half_precision_is_made_full_and_full_is_kept(given_type, full):
    assert in_full_precision(torch.ones(2, dtype=given_type)).dtype == full


def test_numbers_come_out_of_a_tensor_as_floats():
    assert as_floats(torch.tensor([0.5, 2.0])) == [0.5, 2.0]


def test_what_is_not_a_number_is_not_taken_for_the_origin():
    assert unit(torch.tensor([math.nan, 1.0])).isnan().all()
    assert not unit(torch.zeros(2)).any()


@both_dtypes
def test_the_origin_has_no_inverse_length_and_no_slope(dtype, generator):
    z = torch.stack([torch.zeros(3), torch.randn(3, generator=generator)]).to(dtype)
    z.requires_grad_()
    inverse = inverse_length(z)
    torch.testing.assert_close(inverse[1] * length(z)[1], torch.ones((), dtype=dtype))
    slopes = [torch.autograd.grad(f(z).sum(), z)[0] for f in (length, inverse_length)]
    assert inverse[0] == length(z)[0] == 0
    assert not any(slope[0].any() for slope in slopes)
    assert all(slope[1].all() for slope in slopes)


def test_moving_adds_so_much_of_a_vector_to_each(generator):
    z, amount = torch.randn(2, 5, 3, generator=generator), torch.randn(2, 5, generator=generator)
    v = torch.randn(3, generator=generator)
    torch.testing.assert_close(moved(z, amount, v), z + amount.unsqueeze(-1) * v)
    assert torch.equal(moved(z, torch.zeros(2, 5), v), z)


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")  # of torch's own forward mode
def test_a_unit_vector_can_be_differentiated_twice_and_in_both_directions():
    z = torch.randn(3, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    ours = torch.vmap(torch.func.hessian(lambda z: unit(z)[0]))(z)
    plain = torch.vmap(torch.func.hessian(lambda z: z[0] / z.square().sum().sqrt()))(z)
    torch.testing.assert_close(ours, plain)
    assert torch.autograd.gradgradcheck(unit, (z.requires_grad_(),))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("length", [6e-5, 1.0, 6e4])
def test_unit_vectors_of_half_precision_are_as_long_as_its_digits_allow(dtype, length):
    made = unit(torch.tensor([[0.6 * length, 0.8 * length]], dtype=dtype))
    assert made.dtype == dtype
    torch.testing.assert_close(
        made.double(), torch.tensor([[0.6, 0.8]]).double(), atol=0.01, rtol=0
    )


@pytest.mark.parametrize("exponent", [-124, -60, 0, 60, 120])
def test_vectors_of_ordinary_size_keep_their_digits_and_what_points_nowhere_still_does(exponent):
    v = torch.tensor([[1.5, -0.25], [0.0, 0.0]])
    expected = torch.tensor([[0.75, -0.125], [0.0, 0.0]])
    assert torch.equal(ordinary((v.double() * 2.0**exponent).float()), expected)


def test_of_numbers_that_are_not_finite_none_is_made_finite():
    made = ordinary(torch.tensor([[math.nan, 1.0], [math.inf, 1.0]]))
    assert not made.isfinite().all(-1).any()
