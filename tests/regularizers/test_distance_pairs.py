"""Where points lie close together and away from the origin, products would lose every digit."""

import pytest
import torch

from latent_anchors.regularizers import euclidean_separation
from latent_anchors.regularizers._distance_pairs import WORTH_A_CALL


def force(couple, z):
    return torch.func.grad(lambda z: couple(z).sum())(z).double()


def by_products(z, softening=1e-3):
    square = z.square().sum(-1)
    distance = square.unsqueeze(-1) + square - 2 * z @ z.mT
    return (1 / (distance.clamp_min(0) + softening)).fill_diagonal_(0).sum(-1) / (len(z) - 1)


@pytest.mark.parametrize("chunk", [None, 5])
@pytest.mark.parametrize("apart", [0.0, 1.0, 100.0])
def test_single_precision_keeps_its_digits_wherever_the_points_lie(chunk, apart, generator):
    z = 0.03 * torch.randn(64, 4, generator=generator)
    z[::2] += apart
    z[1::2] -= apart

    def couple(z):
        return euclidean_separation(z, chunk=chunk)

    exact, exact_force = couple(z.double()), force(couple, z.double())
    assert (couple(z) - exact).norm() < 1e-6 * exact.norm()
    assert (force(couple, z) - exact_force).norm() < 1e-6 * exact_force.norm()


def test_products_would_not(generator):
    z = 100 + 0.03 * torch.randn(64, 4, generator=generator)
    exact, exact_force = by_products(z.double()), force(by_products, z.double())
    assert (by_products(z) - exact).norm() > 0.1 * exact.norm()
    assert (force(by_products, z) - exact_force).norm() > 0.1 * exact_force.norm()


@pytest.mark.parametrize("n", [7, 600])
def test_wide_latents_are_treated_some_dimensions_at_once(n, generator):
    assert 7**2 * 30 < WORTH_A_CALL < 600**2
    z = torch.randn(n, 30, generator=generator, dtype=torch.float64)
    square = torch.cdist(z, z).square()
    expected = (1 / (square + 0.5)).fill_diagonal_(0).sum(-1) / (n - 1)
    torch.testing.assert_close(euclidean_separation(z, 0.5), expected)
