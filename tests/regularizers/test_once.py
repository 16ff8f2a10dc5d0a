import pytest
import torch
from refusals import refuses
from torch.func import grad

from latent_anchors.regularizers import euclidean_separation, separation

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
