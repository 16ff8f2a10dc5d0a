from math import prod

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from refusals import refuses
from torch.func import grad
from torch.utils._python_dispatch import TorchDispatchMode

from latent_anchors.regularizers import (
    EuclideanSeparation,
    Separation,
    euclidean_separation,
    separation,
)
from latent_anchors.regularizers._cosine_pairs import CHUNK, WHOLE, chunks, members_at_once


class Largest(TorchDispatchMode):
    """How many numbers the largest tensor has that is made meanwhile."""

    def __init__(self):
        super().__init__()
        self.numbers = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        made = func(*args, **(kwargs or {}))
        if isinstance(made, torch.Tensor):
            self.numbers = max(self.numbers, prod(made.shape))
        return made


@given(n=st.integers(0, 20), at_once=st.integers(1, 25))
def test_each_pair_stands_in_exactly_one_chunk(n, at_once):
    pairs = [
        frozenset((first + i, first + j))
        for first, count, left in chunks(n, at_once)
        for i in range(count)
        for j in range(i + 1, left)
    ]
    assert len(pairs) == len({*pairs}) == n * (n - 1) // 2


def test_small_sets_are_compared_all_at_once_and_large_ones_are_not():
    assert members_at_once(WHOLE, None) == WHOLE
    assert members_at_once(WHOLE + 1, None) == CHUNK
    assert members_at_once(10, 3) == 3


@pytest.mark.parametrize("couple", [separation, euclidean_separation])
@pytest.mark.parametrize("differentiate", ["backward", "functional"])
def test_in_chunks_no_tensor_holds_all_pairs_forward_or_backward(couple, differentiate, generator):
    z = torch.randn(64, 3, generator=generator).requires_grad_()
    numbers = {}
    for chunk in (4, 64):
        with Largest() as largest:
            if differentiate == "backward":
                couple(z, chunk=chunk).sum().backward()
            else:
                torch.func.grad(lambda z, chunk=chunk: couple(z, chunk=chunk).sum())(z)
        numbers[chunk] = largest.numbers
    assert numbers[4] <= 3 * 4 * 64
    assert numbers[64] >= 64 * 64


@pytest.mark.parametrize("module", [Separation, EuclideanSeparation])
def test_a_chunk_is_a_number_of_members(module):
    assert repr(module(chunk=64)).endswith(", chunk=64)")
    with refuses(ValueError, "chunk is 0; expected at least 1"):
        module(chunk=0)
    with refuses(TypeError, "chunk is 2.5; expected a whole number"):
        module(chunk=2.5)


@pytest.mark.parametrize("couple", [separation, euclidean_separation])
def test_a_chunk_of_nobody_is_refused_by_the_functions_too(couple):
    with refuses(ValueError, "chunk is -1; expected at least 1"):
        couple(torch.ones(2, 3), chunk=-1)


BOTH = pytest.mark.parametrize("couple", [separation, euclidean_separation])
CHUNKS = pytest.mark.parametrize("chunk", [None, 2])


@BOTH
@CHUNKS
def test_a_second_derivative_is_refused(couple, chunk, generator):
    z = torch.randn(5, 3, generator=generator, requires_grad=True)
    (slope,) = torch.autograd.grad(couple(z, chunk=chunk).sum(), z, create_graph=True)
    with refuses(RuntimeError, "Separation was differentiated twice; expected once"):
        slope.square().sum().backward()


@BOTH
@CHUNKS
def test_so_is_one_of_functions_that_are_mapped(couple, chunk, generator):
    z = torch.randn(2, 5, 3, generator=generator)

    def steepness(z):
        return grad(lambda z: couple(z, chunk=chunk).sum())(z).square().sum()

    with refuses(RuntimeError, "Separation was differentiated twice; expected once"):
        torch.func.vmap(grad(steepness))(z)
