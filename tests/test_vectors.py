import math

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from refusals import refuses

from latent_anchors._vectors import (
    as_basis,
    as_direction,
    as_vector,
    check_floating,
    check_width,
    listed_numbers,
)

numbers = st.lists(st.floats(-100, 100), min_size=1, max_size=5)


@given(values=numbers)
def test_a_direction_has_length_one_and_points_where_it_was_told_to(values):
    length = math.hypot(*values)
    assume(length > 1e-6)
    direction = as_direction(torch.tensor(values, dtype=torch.float64))
    expected = torch.tensor([value / length for value in values], dtype=torch.float64)
    torch.testing.assert_close(direction, expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_tensor_keeps_its_precision_and_its_memory(dtype):
    values = torch.ones(3, dtype=dtype, requires_grad=True)
    made = as_vector("point", values)
    assert made.dtype == as_direction(values).dtype == as_basis(values[None]).dtype == dtype
    assert not made.requires_grad
    assert made.data_ptr() != values.data_ptr()


def test_whole_numbers_become_floats():
    whole = torch.tensor([3, 4])
    assert as_vector("point", whole).tolist() == [3.0, 4.0]
    assert as_direction(whole).tolist() == pytest.approx([0.6, 0.8])
    assert as_basis(whole[None]).dtype == torch.float32


@pytest.mark.parametrize(
    "values", [[math.nan, 1.0], [math.inf, 0.0], [], torch.zeros(2, 2), torch.tensor(1.0)]
)
def test_what_is_no_vector_is_refused(values):
    with refuses(
        ValueError, "(?s)The point is .*; expected one finite number per latent dimension"
    ):
        as_vector("point", values)


@pytest.mark.parametrize("values", [[0.0, 0.0, 0.0], [1e-13, 0.0]])
def test_a_direction_of_no_length_is_refused(values):
    with refuses(ValueError, "points nowhere"):
        as_direction(values)


def test_rows_are_made_orthonormal_and_span_what_they_spanned(generator):
    rows = torch.randn(3, 5, generator=generator, dtype=torch.float64)
    basis = as_basis(rows)
    torch.testing.assert_close(basis @ basis.mT, torch.eye(3, dtype=torch.float64))
    torch.testing.assert_close(rows @ basis.mT @ basis, rows)


@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e8])
def test_how_long_the_rows_are_does_not_matter(scale, generator):
    rows = torch.randn(2, 4, generator=generator, dtype=torch.float64)
    torch.testing.assert_close(as_basis(scale * rows), as_basis(rows))


@pytest.mark.parametrize(
    "rows", [torch.zeros(3), torch.zeros(0, 3), [[math.nan, 1.0]], torch.zeros(2, 2, 2)]
)
def test_what_is_no_set_of_rows_is_refused(rows):
    with refuses(ValueError, "The basis has shape .*; expected rows of finite numbers"):
        as_basis(rows)


@pytest.mark.parametrize(
    "rows",
    [
        [[1.0, 0.0], [2.0, 0.0]],
        [[0.0, 0.0]],
        [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]],
        [[1.0, 0.0, 0.0], [1.0, 1e-6, 0.0]],
    ],
    ids=["parallel", "zero", "more than dimensions", "nearly parallel"],
)
def test_rows_that_depend_on_each_other_are_refused(rows):
    with refuses(ValueError, "rows of the basis are not independent directions"):
        as_basis(rows)


def test_a_row_counts_from_a_hundred_thousandth_of_its_length_on():
    assert as_basis([[1.0, 0.0, 0.0], [3.0, 4.5e-5, 0.0]]).shape == (2, 3)
    with refuses(ValueError, "rows of the basis are not independent directions"):
        as_basis([[1.0, 0.0, 0.0], [3.0, 2.5e-5, 0.0]])


def test_latents_of_the_right_width_pass_and_others_are_refused():
    check_width("Anchor", torch.zeros(2, 5, 3), 3)
    for shape in [(2, 4), (3, 1), ()]:
        with refuses(ValueError, "Anchor was made for 3 latent dimensions"):
            check_width("Anchor", torch.zeros(shape), 3)


def test_integer_latents_are_refused():
    check_floating("Anchor", torch.zeros(1, dtype=torch.bfloat16))
    with refuses(TypeError, "Anchor was given latents of type torch.uint8"):
        check_floating("Anchor", torch.zeros(2, 3, dtype=torch.uint8))


def test_numbers_are_listed_briefly():
    assert listed_numbers(torch.tensor([1.0, 0.0, -0.25])) == "1, 0, -0.25"
