"""Labels and masks are checked where they enter, and nothing that cannot be right comes through."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from refusals import refuses

from latent_anchors._supervision import (
    as_mask,
    as_tensor,
    can_look,
    check_label,
    or_nan,
    squares_finite,
    within,
)

CPU = torch.device("cpu")
numbers = st.lists(st.floats(-3, 3, width=32) | st.just(float("nan")), max_size=6)
FLOATS = [torch.float64, torch.float32, torch.bfloat16, torch.float16]


@given(numbers=numbers)
def test_labels_are_within_0_and_1_exactly_if_each_is(numbers):
    assert within(torch.tensor(numbers)) == all(0 <= number <= 1 for number in numbers)


@given(numbers=numbers)
def test_where_nobody_looks_exactly_those_outside_become_nan(numbers):
    given = torch.tensor(numbers)
    inside = torch.tensor([0 <= number <= 1 for number in numbers], dtype=torch.bool)
    assert torch.equal(or_nan(given).isnan(), ~inside)
    assert torch.equal(or_nan(given)[inside], given[inside])


@pytest.mark.parametrize("dtype", [*FLOATS, torch.bool, torch.int64, torch.uint8])
def test_labels_of_any_type_are_looked_at(dtype):
    check_label("It", torch.tensor([0, 1]).to(dtype), None, "always")
    if dtype != torch.bool:
        with refuses(ValueError, "It runs from 0 to 2; expected numbers from 0 to 1"):
            check_label("It", torch.tensor([0, 2]).to(dtype), None, "always")


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ([0.0, -100.0, 1.0], r"runs from -100 to 1; .*Term\(ignore_index=-100\) leaves it out"),
        ([1, -1], r"runs from -1 to 1; .*Term\(ignore_index=-1\) leaves it out"),
        ([3, 0, 9], "runs from 0 to 9; .*of whole numbers only 0 and 1.*write labels == k"),
        ([0.5, 1.5], "runs from 0.5 to 1.5; expected numbers from 0 to 1. Scale them"),
        ([0.5, float("nan")], r"is NaN at 1 of 2 places that count; .*Term\(mask=...\)"),
        ([0.5, float("inf")], "runs from 0.5 to inf; expected numbers from 0 to 1"),
    ],
)
def test_it_is_said_what_numbers_seem_to_be(label, words):
    with refuses(ValueError, f"Label 'red' {words}"):
        check_label("Label 'red'", torch.tensor(label), None, "always")


def test_only_what_counts_is_a_label():
    label, counted = torch.tensor([1.0, float("nan"), -100.0]), torch.tensor([True, False, False])
    check_label("It", label, counted, "always")
    with refuses(ValueError, "It is NaN at 1 of 2 places"):
        check_label("It", label, torch.tensor([True, True, False]), "always")


def test_complex_numbers_are_no_labels():
    with refuses(TypeError, "complex64; expected real numbers"):
        check_label("It", torch.ones(2, dtype=torch.complex64), None, "always")


@pytest.mark.parametrize("dtype", ["?", "i1", "u2", "i8", "f2", "f4", "f8", "g", ">f4", ">i4"])
def test_arrays_become_tensors_of_the_same_numbers(dtype):
    array = np.array([1, 0, 1], dtype=dtype)[::-1]
    array.flags.writeable = False
    made = as_tensor("It", array, CPU)
    assert made.tolist() == array.tolist()
    assert made.is_floating_point() == (array.dtype.kind == "f")
    double = array.dtype.kind == "f" and array.itemsize > 4
    assert (made.dtype == torch.float64) == double


def test_a_float_of_an_array_keeps_its_digits():
    assert as_tensor("It", np.array([0.1]), CPU).item() == 0.1


def test_an_array_of_words_is_refused():
    with refuses(TypeError, "It is an array of type <U3; expected numbers from 0 to 1, or bool"):
        as_tensor("It", np.array(["red"]), CPU)
    with refuses(TypeError, "It is an array of type complex128"):
        as_tensor("It", np.array([1j]), CPU)


@pytest.mark.parametrize(
    ("given", "words"), [(None, "None"), ([1.0], "of type list"), (1.0, "of type float")]
)
def test_what_is_no_tensor_is_refused(given, words):
    with refuses(TypeError, f"It is {words}; expected a tensor or an array of numpy's"):
        as_tensor("It", given, CPU)


def test_another_device_is_named():
    with refuses(ValueError, r"It is on meta, .* on cpu; .*Move it with .to\('cpu'\)"):
        as_tensor("It", torch.ones(2, device="meta"), CPU)


def test_a_mask_is_bool_or_says_0_and_1():
    mask = torch.tensor([True, False])
    assert as_mask("It", mask) is mask
    for form in (mask.long(), mask.to(torch.uint8), mask.numpy(), mask.long().numpy()):
        assert torch.equal(as_mask("It", form), mask)
    with refuses(ValueError, "It has whole numbers from -1 to 1; expected torch.bool, or only 0"):
        as_mask("It", torch.tensor([1, -1]))
    for soft in (torch.ones(2), torch.ones(2, dtype=torch.complex64)):
        with refuses(TypeError, "expected torch.bool, or whole numbers 0 and 1"):
            as_mask("It", soft)


def test_values_are_checked_where_there_are_values_unless_look_says_never():
    plain, nowhere = torch.ones(2), torch.ones(2, device="meta")
    assert can_look(plain, "always")
    assert can_look(torch.nn.Parameter(plain), "freely")
    assert not can_look(plain, "never")
    assert not can_look(nowhere, "always")
    seen = []
    torch.vmap(lambda x: seen.append(can_look(x, "always")) or x)(plain)
    torch.func.grad(lambda x: seen.append(can_look(x, "always")) or x.sum())(plain)
    assert seen == [False, False]


@given(
    numbers=st.lists(
        st.sampled_from([0.0, -1.0, 2.5, 1e20, float("nan"), float("inf"), -float("inf")])
    ),
    dtype=st.sampled_from(FLOATS),
)
def test_squares_are_finite_exactly_if_each_is(numbers, dtype):
    given = torch.tensor(numbers, dtype=dtype)
    full = given if dtype == torch.float64 else given.float()
    assert squares_finite(given) == bool(full.square().isfinite().all())
