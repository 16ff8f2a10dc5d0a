import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from refusals import refuses, unchecked

from latent_anchors._streams import BLOCK, mixed, seeded, stream

keys = st.tuples(
    st.integers(0, 2**63), st.sampled_from(["data", "labels", "weights"]), st.integers(0, 999)
)


def numbers(seed, name, block):
    return torch.rand(4, generator=stream(seed, name, block)).tolist()


@given(key=keys)
def test_the_same_seed_stream_and_block_give_the_same_numbers(key):
    assert numbers(*key) == numbers(*key)


@given(key=keys, other=keys)
def test_any_other_seed_stream_or_block_gives_other_numbers(key, other):
    assert (numbers(*key) == numbers(*other)) == (key == other)


def test_neighbors_share_nothing():
    draws = {tuple(numbers(s, name, b)) for s in range(5) for name in "ab" for b in range(5)}
    assert len(draws) == 50


@given(key=keys)
def test_a_mixed_seed_fits_into_63_bits(key):
    assert 0 <= mixed(*key) < 2**63


@pytest.mark.parametrize("seed", [True, np.int64(1), torch.tensor(1)])
def test_equal_seeds_of_any_whole_type_are_one_seed(seed):
    with unchecked():
        assert mixed(seed, "data") == mixed(1, "data")


def test_a_seed_that_is_no_whole_number_is_refused():
    with refuses(TypeError, "The seed is 1.0 of type float; expected a whole number"):
        mixed(1.0, "data")


def test_what_a_seed_means_never_changes():
    assert mixed(0, "weights") == mixed(0, "weights", 0) == 6579489009559179723
    assert BLOCK == 100


def test_a_stream_begins_with_its_first_block():
    first = numbers(0, "weights", 0)
    assert torch.rand(4, generator=stream(0, "weights")).tolist() == first
    with seeded(0, "weights"):
        assert torch.rand(4).tolist() == first
    with seeded(0, "weights", 1):
        assert torch.rand(4).tolist() == numbers(0, "weights", 1)


def test_half_of_the_bits_turn_with_one_bit_of_the_seed():
    turned = [(mixed(seed, "data") ^ mixed(seed + 1, "data")).bit_count() for seed in range(200)]
    assert sum(turned) / 200 == pytest.approx(31.5, abs=1.0)


def test_within_a_run_the_global_generator_is_its_own_and_afterwards_as_before():
    before = torch.get_rng_state()
    with seeded(3, "weights"):
        first = torch.rand(4)
    assert torch.equal(torch.get_rng_state(), before)
    with seeded(3, "weights"):
        assert torch.equal(torch.rand(4), first)
    with seeded(4, "weights"):
        assert not torch.equal(torch.rand(4), first)


def test_the_global_generator_is_put_back_even_when_making_fails():
    before = torch.get_rng_state()
    with pytest.raises(ZeroDivisionError), seeded(3, "weights"):
        _ = 1 / 0
    assert torch.equal(torch.get_rng_state(), before)
